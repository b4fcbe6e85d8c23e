import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { GetRoutesCommand } from '@aws-sdk/client-apigatewayv2';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { beforeAll, describe, expect } from 'vitest';
import { callRestApi, clients, poll, runStateMachine } from '../support/cloud.ts';
import { story } from '../support/story.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchCli } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const samconfig = (stackName: string): string => `version = 0.1
[default.sync.parameters]
stack_name = "${stackName}"
parameter_overrides = "Greeting=Hello"
`;

describe.each([['--dependency-layer'], ['--no-dependency-layer']])('watch, %s', (option) => {
  const apps = watchedApps();
  let app: WatchedApp;
  let watch: WatchCli;

  beforeAll(async () => {
    app = await apps.create('shop');
    await app.write({ 'samconfig.toml': samconfig(app.stackName) });
    watch = await app.ready([option]);
  });

  const answer = (name: string) => app.answer(name);
  const lastUpdate = async () => {
    const { Stacks } = await clients(app.cloud.endpoint).cloudformation.send(
      new DescribeStacksCommand({ StackName: app.stackName }),
    );
    return (Stacks?.[0]?.LastUpdatedTime ?? Stacks?.[0]?.CreationTime)?.getTime();
  };
  /** What was changed in the cloud meanwhile. */
  const changesDuring = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = app.proxy.calls.length;
    await act();
    const reading = /^(Get|List|Describe|Head)/;
    return app.proxy.calls.slice(before).flatMap(({ operation }) => (reading.test(operation) ? [] : [operation]));
  };

  const step = story('one application and one session through their life');

  step('deploys a change of the template, root and nested, while code of others goes on', async () => {
    const held = app.proxy.hold({ operation: 'DescribeStackEvents' });
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
    const { MemorySize } = await clients(app.cloud.endpoint).lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: app.output('CountFunction') }),
    );
    expect(MemorySize).toBe(256);
    await watch.after(
      () => watch.write('orders/template.yaml', (text) => text.replace('Timeout: 20', 'Timeout: 19')),
      isStack('in-sync'),
    );
    expect(await answer('PlaceFunction')).toEqual({ ordered: 'DEV!' });
  });

  step('brings each save of each resource type, root and nested, without CloudFormation', async () => {
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
    const ping = await callRestApi(app.cloud.endpoint, { id: app.output('RestApi'), stage: 'dev', path: '/ping' });
    expect(ping.body).toEqual({ answer: 'PONG' });
    await watch.save('api/http.json', (text) => text.replace('"/items"', '"/things"'), 'Http');
    const routes = await clients(app.cloud.endpoint).apigatewayv2.send(
      new GetRoutesCommand({ ApiId: app.output('HttpApi') }),
    );
    expect(routes.Items?.map(({ RouteKey }) => RouteKey)).toContain('GET /things');
    await watch.save(
      'flow/flow.asl.yaml',
      (text) => text.replace('End: true', 'ResultPath: $.greeting\n    End: true'),
      'Flow',
    );
    expect(await runStateMachine(app.cloud.endpoint, app.output('FlowArn'))).toMatchObject({
      greeting: { text: 'HELLO YOU?' },
    });
    expect(await lastUpdate()).toBe(before);
  });

  step(
    'defect 26: sends nothing for a touch, a save of the same, formatting, comments, caches, and a checkout back',
    async () => {
      const changes = await changesDuring(async () => {
        const file = path.join(app.dir, 'greet/app.py');
        const text = await fs.readFile(file, 'utf8');
        await watch.atOnce(async () => {
          await fs.utimes(file, new Date(), new Date());
          await fs.writeFile(file, text);
          await fs.writeFile(file, `${text}# not for long\n`);
          await fs.writeFile(file, text);
        });
        await watch.write('greet/__pycache__/app.cpython-311.pyc', 'x');
        await watch.write('greet/.app.py.swp', 'x');
        await watch.write('greet/.git/index', 'x');
        await watch.write('template.yaml', (template) => `# a comment\n${template}\n\n`);
        await watch.write('orders/template.yaml', (template) => template.replace("'2010-09-09'", '"2010-09-09"'));
        await watch.quiet();
      });
      expect(changes).toEqual([]);
      expect(watch.lines.at(-1)?.event).not.toBe('changed');
    },
  );

  step('watches what is new in the template from then on, and what is gone no more', async () => {
    await watch.write('later/app.py', 'def handler(event, context):\n    return 1\n');
    const added =
      '  Later:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.11\n      CodeUri: later\n      Handler: app.handler\n';
    const output = '  LaterFunction:\n    Value: !Ref Later\n';
    await watch.after(
      () => watch.write('template.yaml', (text) => text.replace('  Queue:\n', `${added}  Queue:\n`) + output),
      ({ event }) => event === 'outputs',
    );
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

  step('syncs code when only its place in the template is another one', async () => {
    const before = await lastUpdate();
    await fs.cp(path.join(app.dir, 'count'), path.join(app.dir, 'count2'), { recursive: true });
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

  step('takes over what changes in the samconfig, and refuses another stack', async () => {
    await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('Greeting=Hello', 'Greeting=Bye')),
      isStack('in-sync'),
    );
    expect(await answer('GreetFunction')).toMatchObject({ text: 'BYE YOU?' });
    const refused = await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace(`"${app.stackName}"`, '"other"')),
      isStack('failed'),
    );
    expect(refused.error?.message).toContain('stack_name');
    await watch.after(
      () => watch.write('samconfig.toml', (text) => text.replace('"other"', `"${app.stackName}"`)),
      isStack('in-sync'),
    );
  });

  step('brings a new dependency and the code that needs it in one save', async () => {
    await watch.write('greet/requirements.txt', 'humanize==4.15.0\nsix==1.17.0\n');
    await watch.save(
      'greet/app.py',
      (text) =>
        text.replace('import humanize', 'import humanize\nimport six').replace('"number"', '"six": six.PY3, "number"'),
      'Greet',
    );
    await poll(async () => (JSON.stringify(await answer('GreetFunction')).includes('"six":true') ? true : undefined));
  });

  step('what was built and synced by the way is what a plain sync would have made', async () => {
    expect((await watch.stop()).code).toBe(0);
    expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
    const again = await app.ready([option]);
    await again.quiet();
    expect(again.lines.filter(({ changed }) => changed === true)).toEqual([]);
    await again.stop();
  });
});
