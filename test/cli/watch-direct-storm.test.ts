import { setTimeout as delay } from 'node:timers/promises';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { compareTemplates } from '../../src/deploy/compare-templates.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { clients, invoke, poll } from '../support/cloud.ts';
import { createRandom } from '../support/random.ts';
import { runCli } from '../support/run-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const apps = watchedApps();
const SEED = Number(process.env['STORM_SEED'] ?? 11);
const SAVES = Number(process.env['STORM_SAVES'] ?? 30);

/** What the application's files say; `bad`: a resource that no deployment can create. */
interface Said {
  memory: number;
  timeout: number;
  word: string | undefined;
  parameter: number;
  nested: number;
  topic: boolean;
  bad: boolean;
  broken: boolean;
  code: number;
}

const START: Said = {
  memory: 128,
  timeout: 5,
  word: undefined,
  parameter: 10,
  nested: 4,
  topic: false,
  bad: false,
  broken: false,
  code: 0,
};

function filesOf(stackName: string, said: Said): Record<string, string> {
  const { memory, timeout, word, parameter, nested, topic, bad, broken, code } = said;
  const word_ = word === undefined ? '' : `, Environment: {Variables: {WORD: ${word}}}`;
  return {
    'samconfig.toml': `version = 0.1\n[default.sync.parameters]\nstack_name = "${stackName}"\nparameter_overrides = "Seconds=${parameter}"\n`,
    'code/app.py': `def handler(event, context):\n    return ${code}\n`,
    'child.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  In: {Type: AWS::Serverless::Function, Properties: {InlineCode: "x = 1", Runtime: python3.11, Handler: index.x, Timeout: ${nested}}}
Outputs: {In: {Value: !Ref In}}
`,
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters: {Seconds: {Type: Number, Default: 10}}
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Runtime: python3.11, Handler: app.handler, AutoPublishAlias: live, MemorySize: ${memory}${word_}}}
  Other: {Type: AWS::Serverless::Function, Properties: {InlineCode: "x = 1", Runtime: python3.11, Handler: index.x, Timeout: ${timeout}}}
  Third: {Type: AWS::Serverless::Function, Properties: {InlineCode: "x = 1", Runtime: python3.11, Handler: index.x, Timeout: !Ref Seconds}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}
${topic ? '  Topic: {Type: AWS::SNS::Topic}\n' : ''}${bad ? '  Bad: {Type: AWS::Lambda::Function, DependsOn: FnAliaslive, Properties: {Code: {S3Bucket: none, S3Key: none}, Role: r}}\n' : ''}${broken ? '  Broken: [\n' : ''}Outputs:
  Fn: {Value: !Ref Fn}
  Other: {Value: !Ref Other}
  Third: {Value: !Ref Third}
  In: {Value: !GetAtt Child.Outputs.In}
`,
  };
}

it(`${SAVES} saves of settings, code, templates that cannot be deployed and what only a deployment does: all is as saved last, in the cloud and in the stack`, async () => {
  const app = await apps.create((stackName) => filesOf(stackName, START));
  const watch = await app.ready();
  const random = createRandom(SEED);
  let said = START;
  const changes: (() => Partial<Said>)[] = [
    () => ({ memory: 128 + random(9) }),
    () => ({ memory: 128 + random(3), code: random(50) }),
    () => ({ timeout: 3 + random(9) }),
    () => ({ word: [undefined, 'one', 'two'][random(3)] }),
    () => ({ parameter: 10 + random(9) }),
    () => ({ nested: 3 + random(9) }),
    () => ({ code: random(50) }),
    () => ({ topic: !said.topic, memory: 128 + random(9) }),
    () => ({ bad: !said.bad, timeout: 3 + random(9) }),
    () => ({ broken: !said.broken }),
    () => START,
  ];
  let files = filesOf(app.stackName, said);
  const save = async (change: Partial<Said>): Promise<void> => {
    said = { ...said, ...change };
    const next = filesOf(app.stackName, said);
    for (const [file, text] of Object.entries(next)) if (files[file] !== text) await watch.write(file, text);
    files = next;
  };
  for (let n = 0; n < SAVES; n++) {
    await save(changes[random(changes.length)]?.() ?? {});
    const wait = random(5);
    // now at once, now within a deployment, now after it
    await (wait < 3 ? delay(random(400)) : wait === 3 ? watch.quiet(300) : watch.quiet(2_500));
  }
  await save({ bad: false, broken: false });
  const { lambda, cloudformation } = clients(app.cloud.endpoint);
  const state = async (): Promise<object> => {
    const read = async (id: string) =>
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName: app.output(id) }));
    const [fn, other, third, nested] = [await read('Fn'), await read('Other'), await read('Third'), await read('In')];
    const { TemplateBody = '' } = await cloudformation.send(
      new GetTemplateCommand({ StackName: app.stackName, TemplateStage: 'Original' }),
    );
    const differences = compareTemplates(
      parseTemplate(TemplateBody, 'deployed'),
      parseTemplate(files['template.yaml'] ?? '', 'file'),
    );
    return {
      memory: fn.MemorySize,
      word: fn.Environment?.Variables?.['WORD'],
      timeout: other.Timeout,
      parameter: third.Timeout,
      nested: nested.Timeout,
      code: await app.answer('Fn'),
      live: await invoke(app.cloud.endpoint, `${app.output('Fn')}:live`),
      differences: differences.filter(({ path }) => path[3] !== 'CodeUri' && path[3] !== 'Location'),
    };
  };
  const { memory, word, timeout, parameter, nested, code } = said;
  const expected = { memory, word, timeout, parameter, nested, code, live: code, differences: [] };
  await poll(async () => (JSON.stringify(await state()) === JSON.stringify(expected) ? true : undefined), 60_000).catch(
    async () => expect(await state()).toEqual(expected),
  );
  await watch.quiet(3_000);
  expect(await state()).toEqual(expected);
  const last = (event: string, id?: string) =>
    watch.lines.findLast((line) => line.event === event && (id === undefined || line.resource === id))?.state;
  expect([last('stack'), last('resource', 'Fn')]).toEqual(['in-sync', 'in-sync']);
  expect((await watch.stop()).code).toBe(0);
  expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
  expect(watch.lines.at(-1)).not.toHaveProperty('goingOn');
  const { stdout } = await runCli(['--dry-run', '--output', 'json', '--yes'], { cwd: app.dir, env: app.env });
  const { resources = [] } = JSON.parse(stdout) as { resources?: { action: string }[] };
  expect(resources.filter(({ action }) => action === 'update')).toEqual([]);
}, 240_000);
