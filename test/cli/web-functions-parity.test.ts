import { DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edit } from '../support/app.ts';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { installSamCli, runPeer } from '../support/peer.ts';
import { runCli } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { deployedResource, keysIn, WEB_APP } from '../support/web-app.ts';

type Tool = 'peer' | 'ours';

const BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

describe('AWS SAM CLI and we, with Web Functions', () => {
  let cloud: TestCloud;
  let env: Record<string, string>;
  beforeAll(async () => {
    await installSamCli();
    cloud = await startTestCloud();
    // AWS SAM CLI looks for esbuild there
    env = { ...cloud.env, PATH: `${BIN}${path.delimiter}${process.env['PATH']}` };
  });
  afterAll(() => cloud?.stop());

  const sync = async (tool: Tool, app: string, stackName: string): Promise<string> => {
    const args = ['--stack-name', stackName];
    const { code, stdout, stderr } =
      tool === 'ours'
        ? await runCli([...args, '--yes'], { cwd: app, env })
        : await runPeer(['sync', ...args], { cwd: app, env });
    expect(code, `${tool}: ${stdout}${stderr}`).toBe(0);
    return stderr;
  };

  const copyWebApp = async (): Promise<string> => {
    const app = await tempFolder(WEB_APP);
    // AWS SAM CLI's source maps name the temporary folder that it builds in: another one each time
    await edit(app, 'template.yaml', 'Sourcemap: true', 'Minify: false');
    return app;
  };

  /** Everything that a tool could do otherwise. */
  const look = async (stackName: string) => {
    const { cloudformation } = clients(cloud.endpoint);
    const resources = await listResources(cloud.endpoint, stackName);
    const ids = Object.fromEntries([...resources].map(([id, { physicalId }]) => [id, physicalId]));
    const child = ids['Child'] ?? '';
    const of = (stack: string, id: string): Promise<unknown> => deployedResource(cloud.endpoint, stack, id);
    const templates = {
      Site: await of(stackName, 'Site'),
      Plain: await of(stackName, 'Plain'),
      Inner: await of(child, 'Inner'),
    };
    const { CodeUri } = (templates.Site as { Properties: { CodeUri: { Bucket: Record<string, string> } } }).Properties;
    const codeStack = CodeUri.Bucket['Fn::ImportValue']?.replace(/-Bucket$/, '') ?? '';
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: codeStack }));
    const { Outputs = [], Tags } = Stacks?.[0] ?? {};
    const request = new GetTemplateCommand({ StackName: codeStack, TemplateStage: 'Original' });
    const { TemplateBody = '' } = await cloudformation.send(request);
    const { Description: _, ...codeTemplate } = JSON.parse(TemplateBody) as Record<string, unknown>;
    return {
      ids,
      templates,
      codeStack: { name: codeStack, template: codeTemplate, tags: Tags, bucket: Outputs[0] },
      keys: await keysIn(cloud.endpoint, Outputs[0]?.OutputValue ?? ''),
    };
  };

  it('name and lay out the bucket for their code alike', async () => {
    const app = await copyWebApp();
    // in two clouds, as it were: what is made is named after the stack
    await sync('peer', app, 'one');
    await sync('ours', app, 'two');
    const [theirs, ours] = [await look('one'), await look('two')];
    const asOurs = JSON.parse(
      JSON.stringify(theirs.codeStack.template)
        .replaceAll(theirs.codeStack.name, ours.codeStack.name)
        .replaceAll('"one"', '"two"'),
    ) as unknown;
    expect(ours.codeStack.template).toEqual(asOurs);
    expect(ours.codeStack.tags).toEqual(theirs.codeStack.tags);
    expect(ours.codeStack.bucket?.ExportName).toBe(`${ours.codeStack.name}-Bucket`);
    expect(ours.keys).toEqual(theirs.keys);
  });

  it.each<[Tool, Tool]>([
    ['peer', 'ours'],
    ['ours', 'peer'],
  ])('%s deploys, %s goes on: the same templates and keys, nothing is replaced', async (first, second) => {
    const stackName = `web-${first}`;
    const app = await copyWebApp();
    await sync(first, app, stackName);
    const before = await look(stackName);
    // a change of configuration, so that the second tool cannot skip the deployment; it makes a new revision, and no more
    await edit(app, 'template.yaml', 'MODE: one', 'MODE: two');
    await sync(second, app, stackName);
    const after = await look(stackName);
    expect(after.ids).toEqual({ ...before.ids, PlainRevision: expect.any(String) });
    expect(after.ids['PlainRevision']).not.toBe(before.ids['PlainRevision']);
    expect(after.templates).toEqual({
      ...before.templates,
      Plain: JSON.parse(JSON.stringify(before.templates.Plain).replace('"one"', '"two"')),
    });
    expect([after.codeStack, after.keys]).toEqual([before.codeStack, before.keys]);
    // and back: there is nothing to do for us
    if (first === 'ours') expect(await sync('ours', app, stackName)).toContain('is up to date');
  });
});
