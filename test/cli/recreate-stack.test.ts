import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isResource, isStack, startWatch } from '../support/watch-cli.ts';

const python = (answer: number): string => `def handler(event, context):\n    return ${answer}\n`;
const NO_SUCH_LAYER = 'Layers: ["arn:aws:lambda:us-east-1:000000000000:layer:nope:1"]';

/** `broken`: its creation fails, in the root or in the nested stack. */
function files(broken: 'root' | 'nested' | undefined, answer = 1): Record<string, string> {
  const template = (more: string, broken: boolean): string => `Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.11, CodeUri: fn, Handler: app.handler, Description: !Ref Stage, ${broken ? NO_SUCH_LAYER : 'Timeout: 4'}}
${more}
`;
  const child = `  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: child/template.yaml, Parameters: {Stage: !Ref Stage}}
Outputs:
  Fn: {Value: !Ref Fn}
  Nested: {Value: !GetAtt Child.Outputs.Fn}
  Stage: {Value: !Ref Stage}`;
  return {
    'template.yaml': template(child, broken === 'root'),
    'child/template.yaml': template('Outputs: {Fn: {Value: !Ref Fn}}', broken === 'nested'),
    'fn/app.py': python(answer),
    'child/fn/app.py': python(answer),
  };
}

let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.stop());

async function sync(cwd: string, ...args: string[]) {
  const result = await runCli(['--yes', '--output', 'json', ...args], { cwd, env: cloud.env });
  return { ...result, document: JSON.parse(result.stdout) as Record<string, unknown> };
}

async function describeStack(StackName: string) {
  const { Stacks } = await clients(cloud.endpoint).cloudformation.send(new DescribeStacksCommand({ StackName }));
  return Stacks?.[0];
}

describe('a stack whose first deployment failed is created again', () => {
  it.each(['root', 'nested'] as const)('by the next sync, and code syncs find the new one: %s', async (broken) => {
    const stackName = `again-${broken}`;
    const app = await tempFolder(files(broken));
    const failed = await sync(app, '--stack-name', stackName, '--parameter-overrides', 'Stage=prod');
    expect(failed).toMatchObject({ code: 1, document: { status: 'failed' } });
    expect(await describeStack(stackName)).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });

    await writeFiles(app, files(undefined));
    const created = await sync(app, '--stack-name', stackName);
    expect(created.stderr).toContain('Deleted stack');
    const { StackId } = (await describeStack(stackName)) ?? {};
    // what the failed one had been given is gone with it
    const outputs = { Stage: 'dev' };
    expect(created).toMatchObject({ code: 0, document: { status: 'deployed', stackId: StackId, outputs } });

    await writeFiles(app, files(undefined, 2));
    const code = await sync(app, '--stack-name', stackName, '--code');
    expect(code).toMatchObject({ code: 0, document: { status: 'synced' } });
    const made = created.document['outputs'] as Record<string, string>;
    for (const name of ['Fn', 'Nested']) expect(await invoke(cloud.endpoint, made[name] ?? '')).toBe(2);
    expect(await sync(app, '--stack-name', stackName)).toMatchObject({ code: 0, document: { status: 'unchanged' } });
  });

  it('by a watch, as soon as the template is right; code that is saved then goes to the new one', async () => {
    const stackName = 'again-watch';
    const app = await tempFolder(files('root'));
    expect(await sync(app, '--stack-name', stackName)).toMatchObject({ code: 1 });

    const watch = await startWatch(app, cloud.env, ['--stack-name', stackName]);
    await watch.seen(isStack('failed'));
    // nothing of it is there that a code sync could update
    await watch.write('fn/app.py', python(2));
    const mark = watch.lines.length;
    await watch.write('template.yaml', files(undefined)['template.yaml'] ?? '');
    await watch.seen(isStack('in-sync'), mark);
    await watch.save('fn/app.py', python(3), 'Fn');
    await watch.save('child/fn/app.py', python(3), 'Child/Fn');
    expect(watch.lines.filter(isResource('Fn', 'failed'))).toEqual([]);
    const outputs = Object.fromEntries(
      ((await describeStack(stackName))?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
    for (const name of ['Fn', 'Nested']) expect(await invoke(cloud.endpoint, outputs[name] ?? '')).toBe(3);
    expect((await watch.stop()).code).toBe(0);
  });
});
