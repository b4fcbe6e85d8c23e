import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeShop, copyApp, edit } from '../support/app.ts';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { allowedActions, isRead, leastPolicy, policyFor } from '../support/policy.ts';
import type { Permission, Policy } from '../support/policy.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startWatch } from '../support/watch-cli.ts';

const POLICIES = path.join(import.meta.dirname, '../../docs/permissions');
/** Writes the policies anew, from what is needed when everything is allowed. */
const isWriting = process.env['WRITE_POLICIES'] !== undefined;

let cloud: TestCloud;
let files: { operations: string; policy: string };

beforeAll(async () => {
  const folder = await tempFolder();
  files = { operations: path.join(folder, 'operations.jsonl'), policy: path.join(folder, 'policy.json') };
  cloud = await startTestCloud({ AWS_CONTRACT_OPERATIONS: files.operations, AWS_CONTRACT_POLICY: files.policy });
});
afterAll(() => cloud.stop());

/** An application with a resource of each kind, in a stack of its own. */
async function createApp(stackName: string) {
  const dir = await copyApp('shop');
  const run = (args: string[] = []): Promise<CliResult> =>
    runCli(['--stack-name', stackName, '--yes', ...args], { cwd: dir, env: cloud.env });
  const succeed = async (args: string[] = []): Promise<void> => {
    const { code, stderr } = await run(args);
    expect(code, stderr).toBe(0);
  };
  return { dir, stackName, run, succeed };
}

/** The next sync knows no more than that of another machine. */
async function forget(dir: string): Promise<void> {
  await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
}

/** Does something with no more than the documented policy allows, and compares that with what was needed. */
async function needsNoMoreThan(name: string, stackName: string, act: () => Promise<void>): Promise<void> {
  const file = path.join(POLICIES, `${name}.json`);
  await fs.rm(files.operations, { force: true });
  if (!isWriting) {
    const policy = JSON.parse(await fs.readFile(file, 'utf8')) as Policy;
    await fs.writeFile(files.policy, policyFor(policy, stackName));
  }
  try {
    await act();
  } finally {
    await fs.rm(files.policy, { force: true });
  }
  const lines = (await fs.readFile(files.operations, 'utf8')).trim().split('\n');
  const needed = lines.flatMap((line) => (JSON.parse(line) as { actions: Permission[] }).actions);
  const least = leastPolicy([...needed, ...needed.flatMap(alsoAlone)], stackName);
  if (isWriting) await fs.writeFile(file, `${JSON.stringify(least, undefined, 2)}\n`);
  const documented = allowedActions(JSON.parse(await fs.readFile(file, 'utf8')) as Policy);
  const used = allowedActions(least);
  expect(documented).toEqual(expect.arrayContaining(used));
  expect(used).toEqual(expect.arrayContaining(documented.filter((action) => !isRead(action))));
}

/** Of an application with one resource, CloudFormation is asked for this resource, not for a list. */
function alsoAlone([action, resource]: Permission): Permission[] {
  return action === 'cloudformation:ListStackResources' ? [['cloudformation:DescribeStackResource', resource]] : [];
}

describe('the documented policy is enough, and no action in it is idle:', () => {
  it('first sync, in an account without a bucket for artifacts', async () => {
    await cloud.reset();
    const app = await createApp('first');
    await needsNoMoreThan('first-sync', app.stackName, () => app.succeed());
  });

  it('plain sync: of code, of the template, of nothing', async () => {
    const app = await createApp('plain');
    await app.succeed();
    await needsNoMoreThan('sync', app.stackName, async () => {
      await changeShop(app.dir);
      await app.succeed();
      await edit(app.dir, 'template.yaml', 'MemorySize: 128', 'MemorySize: 256');
      await app.succeed();
      await forget(app.dir);
      await app.succeed();
    });
  });

  it('--code', async () => {
    const app = await createApp('code');
    await app.succeed();
    await needsNoMoreThan('code', app.stackName, async () => {
      await changeShop(app.dir);
      await app.succeed(['--code']);
      await forget(app.dir);
      await app.succeed(['--code']);
      // CloudFormation is asked for this resource alone
      await forget(app.dir);
      await edit(app.dir, 'greet/app.py', '54321', '12345');
      await app.succeed(['--code', '--resource-id', 'Greet']);
    });
  });

  it('--watch: code, and the template', async () => {
    const app = await createApp('watched');
    await app.succeed();
    await needsNoMoreThan('watch', app.stackName, async () => {
      const watch = await startWatch(app.dir, cloud.env, ['--stack-name', app.stackName]);
      await watch.seen(({ event }) => event === 'ready');
      const from = watch.lines.length;
      await changeShop(app.dir);
      for (const id of ['Greet', 'Count', 'Words', 'Rest', 'Http', 'Flow', 'Orders/Place'])
        await watch.seen(
          ({ resource, state, changed }) => resource === id && state === 'in-sync' && changed === true,
          from,
        );
      // set directly, and deployed after it
      await watch.after(
        async () => {
          await edit(app.dir, 'template.yaml', 'MemorySize: 128', 'MemorySize: 256');
          const add = (after: string, line: string): Promise<void> =>
            edit(app.dir, 'template.yaml', after, `${after}\n      ${line}`);
          await add('DefinitionUri: api/rest.yaml', 'Variables: { ONE: one }');
          await add('DefinitionUri: api/http.json', 'StageVariables: { ONE: one }');
          await add('DefinitionUri: flow/flow.asl.yaml', 'Tracing: { Enabled: true }');
          await edit(
            app.dir,
            'template.yaml',
            'AWS::SQS::Queue',
            'AWS::SQS::Queue\n    Properties: { DelaySeconds: 1 }',
          );
        },
        ({ event, state }) => event === 'stack' && state === 'in-sync',
      );
      await watch.stop();
    });
  });

  it('--dry-run', async () => {
    const app = await createApp('dry');
    await app.succeed();
    await needsNoMoreThan('dry-run', app.stackName, async () => {
      await changeShop(app.dir);
      await app.succeed(['--dry-run']);
      await app.succeed(['--dry-run', '--code']);
      // a few functions are read one by one
      await forget(app.dir);
      await app.succeed(['--dry-run', '--code', '--resource-id', 'Greet']);
      await edit(app.dir, 'template.yaml', 'MemorySize: 128', 'MemorySize: 256');
      await app.succeed(['--dry-run']);
      await forget(app.dir);
      await app.succeed(['--dry-run']);
      await app.succeed(['--dry-run', '--code']);
    });
  });
});

it.each([
  ['lambda:UpdateFunctionCode', 'lambda:us-east-1:000000000000:function:denied-Greet-'],
  ['apigateway:PUT', 'apigateway:us-east-1::/restapis/'],
  ['states:UpdateStateMachine', 'states:us-east-1:000000000000:stateMachine:'],
  ['cloudformation:DescribeStacks', 'cloudformation:us-east-1:000000000000:stack/denied/*'],
])('a policy without %s: the error names action, resource and the statement to add', async (action, resource) => {
  const app = await createApp('denied');
  await app.succeed();
  await changeShop(app.dir);
  const policy = JSON.parse(await fs.readFile(path.join(POLICIES, 'code.json'), 'utf8')) as Policy;
  const without = policy.Statement.map((one) => ({ ...one, Action: one.Action.filter((name) => name !== action) }));
  await fs.writeFile(files.policy, policyFor({ ...policy, Statement: without }, app.stackName));
  try {
    const { code, stderr } = await app.run(['--code']);
    expect(code).toBe(1);
    expect(stderr).toContain(`may not perform ${action} on arn:aws:${resource}`);
    expect(stderr).toContain(`{"Effect":"Allow","Action":"${action}","Resource":"arn:aws:${resource}`);
  } finally {
    await fs.rm(files.policy);
  }
});
