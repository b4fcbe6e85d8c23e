import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { GetRoutesCommand } from '@aws-sdk/client-apigatewayv2';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callRestApi, clients, invoke, poll, runStateMachine, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { isResource, isStack, startReadyWatch } from '../support/watch-cli.ts';
import type { WatchCli } from '../support/watch-cli.ts';

const SAMCONFIG = `version = 0.1
[default.sync.parameters]
stack_name = "shop"
parameter_overrides = "Greeting=Hello"
`;

// one application and one session through its life: each test goes on where the one before ended
describe.each([['--dependency-layer'], ['--no-dependency-layer']])('watch, %s', (option) => {
  let cloud: TestCloud;
  let proxy: FaultProxy;
  let app: string;
  let watch: WatchCli;
  let outputs: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    app = await fs.mkdtemp(path.join(await fs.realpath('/tmp'), 'sam-sync-watch-'));
    await fs.cp(path.join(import.meta.dirname, '../fixtures/shop'), app, { recursive: true });
    await fs.writeFile(path.join(app, 'samconfig.toml'), SAMCONFIG);
    watch = await startReadyWatch(app, { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint }, [option]);
    outputs = (await watch.seen(({ event }) => event === 'outputs'))['outputs'] as Record<string, string>;
  });
  afterAll(async () => {
    await watch?.stop('SIGKILL');
    await proxy?.stop();
    await cloud?.stop();
    await fs.rm(app, { recursive: true, force: true });
  });

  const answer = (name: string) => invoke(cloud.endpoint, outputs[name]!);
  const lastUpdate = async () => {
    const { Stacks } = await clients(cloud.endpoint).cloudformation.send(
      new DescribeStacksCommand({ StackName: 'shop' }),
    );
    return (Stacks?.[0]?.LastUpdatedTime ?? Stacks?.[0]?.CreationTime)?.getTime();
  };
  /** What was changed in the cloud meanwhile. */
  const changesDuring = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = proxy.calls.length;
    await act();
    const reading = /^(Get|List|Describe|Head)/;
    return proxy.calls.slice(before).flatMap(({ operation }) => (reading.test(operation) ? [] : [operation]));
  };

  it('deploys a change of the template, root and nested, while code of others goes on', async () => {
    const held = proxy.hold({ operation: 'DescribeStackEvents' });
    await watch.write('template.yaml', (text) =>
      text.replace('CodeUri: count\n', 'CodeUri: count\n      MemorySize: 256\n'),
    );
    await held.arrived;
    // CloudFormation is at work, and Place is none of its business
    await watch.save('orders/place/app.py', (text) => text.replace('placed', 'ordered'), 'Orders/Place');
    expect(await answer('PlaceFunction')).toEqual({ ordered: 'DEV!' });
    // Count is, so this waits for the end and is not lost
    const from = watch.lines.length;
    await watch.write('count/app.js', (text) => text.replace('1m', '2m'));
    await watch.seen(isResource('Count', 'waiting'), from);
    held.release();
    await watch.seen(isResource('Count', 'in-sync'), from);
    await poll(async () => (JSON.stringify(await answer('CountFunction')).includes('120000') ? true : undefined));
    const { MemorySize } = await clients(cloud.endpoint).lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: outputs['CountFunction']! }),
    );
    expect(MemorySize).toBe(256);
    await watch.after(
      () => watch.write('orders/template.yaml', (text) => text.replace('Timeout: 20', 'Timeout: 19')),
      isStack('in-sync'),
    );
    expect(await answer('PlaceFunction')).toEqual({ ordered: 'DEV!' });
  });

  it('brings each save of each resource type, root and nested, without CloudFormation', async () => {
    const before = await lastUpdate();
    expect(await answer('GreetFunction')).toEqual({ text: 'HELLO WORLD!', number: '12,345' });
    await watch.save('greet/app.py', (text) => text.replace('12345', '54321'), 'Greet');
    expect(await answer('GreetFunction')).toMatchObject({ number: '54,321' });
    await watch.save('count/app.js', (text) => text.replace('2m', '3m'), 'Count');
    expect(await answer('CountFunction')).toEqual({ minute: 180_000 });
    await watch.save('orders/place/app.py', (text) => text.replace('ordered', 'bought'), 'Orders/Place');
    expect(await answer('PlaceFunction')).toEqual({ bought: 'DEV!' });
    await watch.save('orders/audit/log/index.js', (text) => text.replace('true', '1'), 'Orders/Audit/Log');
    expect(await answer('LogFunction')).toEqual({ logged: 1 });
    await watch.save('words/words.py', 'WORD = "you"\n', 'Words');
    expect(await answer('GreetFunction')).toMatchObject({ text: 'HELLO YOU!' });
    // a layer of a nested stack, which functions of two others have
    await watch.save('shared/text/python/text.py', (text) => text.replace('"!"', '"?"'), 'Shared/Text');
    expect(await answer('GreetFunction')).toMatchObject({ text: 'HELLO YOU?' });
    expect(await answer('PlaceFunction')).toEqual({ bought: 'DEV?' });
    await watch.save('api/rest.yaml', (text) => text.replace('pong', 'PONG'), 'Rest');
    const ping = await callRestApi(cloud.endpoint, { id: outputs['RestApi']!, stage: 'dev', path: '/ping' });
    expect(ping.body).toEqual({ answer: 'PONG' });
    await watch.save('api/http.json', (text) => text.replace('"/items"', '"/things"'), 'Http');
    const routes = await clients(cloud.endpoint).apigatewayv2.send(
      new GetRoutesCommand({ ApiId: outputs['HttpApi']! }),
    );
    expect(routes.Items?.map(({ RouteKey }) => RouteKey)).toContain('GET /things');
    await watch.save(
      'flow/flow.asl.yaml',
      (text) => text.replace('End: true', 'ResultPath: $.greeting\n    End: true'),
      'Flow',
    );
    expect(await runStateMachine(cloud.endpoint, outputs['FlowArn']!)).toMatchObject({
      greeting: { text: 'HELLO YOU?' },
    });
    expect(await lastUpdate()).toBe(before);
  });

  it('defect 26: sends nothing for a touch, a save of the same, formatting, comments, caches, and a checkout back', async () => {
    const changes = await changesDuring(async () => {
      const file = path.join(app, 'greet/app.py');
      const text = await fs.readFile(file, 'utf8');
      await fs.utimes(file, new Date(), new Date());
      await fs.writeFile(file, text);
      await fs.writeFile(file, `${text}# not for long\n`);
      await fs.writeFile(file, text);
      await watch.write('greet/__pycache__/app.cpython-311.pyc', 'x');
      await watch.write('greet/.app.py.swp', 'x');
      await watch.write('greet/.git/index', 'x');
      await watch.write('template.yaml', (template) => `# a comment\n${template}\n\n`);
      await watch.write('orders/template.yaml', (template) => template.replace("'2010-09-09'", '"2010-09-09"'));
      await watch.quiet();
    });
    expect(changes).toEqual([]);
    expect(watch.lines.at(-1)?.event).not.toBe('changed');
  });

  it('watches what is new in the template from then on, and what is gone no more', async () => {
    await watch.write('later/app.py', 'def handler(event, context):\n    return 1\n');
    const added =
      '  Later:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.11\n      CodeUri: later\n      Handler: app.handler\n';
    const output = '  LaterFunction:\n    Value: !Ref Later\n';
    const shown = await watch.after(
      () => watch.write('template.yaml', (text) => text.replace('  Queue:\n', `${added}  Queue:\n`) + output),
      ({ event }) => event === 'outputs',
    );
    outputs = shown['outputs'] as Record<string, string>;
    expect(await answer('LaterFunction')).toBe(1);
    await watch.save('later/app.py', (text) => text.replace('1', '2'), 'Later');
    expect(await answer('LaterFunction')).toBe(2);
    await watch.after(
      () => watch.write('template.yaml', (text) => text.replace(added, '').replace(output, '')),
      isStack('in-sync'),
    );
    await watch.quiet();
    const from = watch.lines.length;
    await watch.write('later/app.py', (text) => text.replace('2', '3'));
    await watch.quiet();
    expect(watch.lines.slice(from)).toEqual([]);
  });

  it('syncs code when only its place in the template is another one', async () => {
    const before = await lastUpdate();
    await fs.cp(path.join(app, 'count'), path.join(app, 'count2'), { recursive: true });
    await watch.write('count2/app.js', (text) => text.replace('3m', '5m'));
    await watch.after(
      () => watch.write('template.yaml', (text) => text.replace('CodeUri: count\n', 'CodeUri: count2\n')),
      isResource('Count', 'in-sync'),
    );
    expect(await answer('CountFunction')).toEqual({ minute: 300_000 });
    expect(await lastUpdate()).toBe(before);
    await watch.save('count2/app.js', (text) => text.replace('5m', '6m'), 'Count');
    expect(await answer('CountFunction')).toEqual({ minute: 360_000 });
  });

  it('takes over what changes in the samconfig, and refuses another stack', async () => {
    await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('Greeting=Hello', 'Greeting=Bye')),
      isStack('in-sync'),
    );
    expect(await answer('GreetFunction')).toMatchObject({ text: 'BYE YOU?' });
    const refused = await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('"shop"', '"other"')),
      isStack('failed'),
    );
    expect(refused.error?.message).toContain('stack_name');
    await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('"other"', '"shop"')),
      isStack('in-sync'),
    );
  });

  it('brings a new dependency and the code that needs it in one save', async () => {
    await watch.write('greet/requirements.txt', 'humanize==4.15.0\nsix==1.17.0\n');
    await watch.save(
      'greet/app.py',
      (text) =>
        text.replace('import humanize', 'import humanize\nimport six').replace('"number"', '"six": six.PY3, "number"'),
      'Greet',
    );
    await poll(async () => (JSON.stringify(await answer('GreetFunction')).includes('"six":true') ? true : undefined));
  });

  it('what was built and synced by the way is what a plain sync would have made', async () => {
    expect((await watch.stop()).code).toBe(0);
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
    const again = await startReadyWatch(app, { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint }, [option]);
    await again.quiet();
    expect(again.lines.filter(({ changed }) => changed === true)).toEqual([]);
    await again.stop();
  });
});
