import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { isResource, isStack, startWatch } from '../support/watch-cli.ts';
import type { WatchCli, WatchLine } from '../support/watch-cli.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Py:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: py, Handler: app.handler}
  Ts:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: ts, Handler: app.handler}
  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: child/template.yaml}
Outputs:
  Py: {Value: !Ref Py}
  Ts: {Value: !Ref Ts}
  In: {Value: !GetAtt Child.Outputs.In}
`;
const CHILD = `Transform: AWS::Serverless-2016-10-31
Resources:
  In:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: in, Handler: app.handler}
Outputs:
  In: {Value: !Ref In}
`;
const python = (version: number): string => `def handler(event, context):\n    return ${version}\n`;
const typescript = (version: number): string => `export const handler = async () => ${version};\n`;

const message = (line: WatchLine): string => [line.error?.message, line.error?.output].join('\n');

// one long session, never started again: each test breaks something, sees it told, and mends it
describe('failures in one session', () => {
  let cloud: TestCloud;
  let proxy: FaultProxy;
  let app: string;
  let watch: WatchCli;
  let outputs: Record<string, string>;
  let version = 10;

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    app = await fs.mkdtemp(path.join(await fs.realpath('/tmp'), 'sam-sync-broken-'));
    await writeFiles(app, {
      'template.yaml': TEMPLATE.replace('Resources:', 'Resources: ['),
      'child/template.yaml': CHILD,
      'py/app.py': python(1),
      'ts/app.ts': 'export const handler = async () => {{;\n',
      'child/in/app.py': python(1),
    });
    watch = await startWatch(app, { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint }, ['--stack-name', 'broken']);
  });
  afterAll(async () => {
    await watch?.stop('SIGKILL');
    await proxy?.stop();
    await cloud?.stop();
    await fs.rm(app, { recursive: true, force: true });
  });

  const write = (file: string, text: string): Promise<void> => watch.write(file, text);
  /** A new version of another function arrives, whatever is broken now. */
  const othersGoOn = async (id: 'Py' | 'Ts' | 'Child/In'): Promise<void> => {
    version++;
    const [file, text] = {
      Py: ['py/app.py', python(version)] as const,
      Ts: ['ts/app.ts', typescript(version)] as const,
      'Child/In': ['child/in/app.py', python(version)] as const,
    }[id];
    await watch.after(() => write(file, text), isResource(id, 'in-sync'));
    expect(await invoke(cloud.endpoint, outputs[id.replace('Child/', '')]!)).toBe(version);
  };

  it('begins although the template is broken, and names file and line', async () => {
    const told = await watch.seen(isStack('failed'));
    expect(message(told)).toMatch(/template\.yaml:\d+/);
    const failed = await watch.after(() => write('template.yaml', TEMPLATE), isStack('failed'), 60_000);
    // the next thing that is broken
    expect(message(failed)).toContain('Ts');
    expect(message(await watch.seen(isResource('Ts', 'failed')))).toContain('app.ts');
  });

  it('deploys when the code that could not be built is mended', async () => {
    await watch.after(() => write('ts/app.ts', typescript(2)), isStack('in-sync'), 60_000);
    outputs = (await watch.seen(({ event }) => event === 'outputs'))['outputs'] as Record<string, string>;
    expect(await invoke(cloud.endpoint, outputs['Ts']!)).toBe(2);
    await othersGoOn('Py');
  });

  it('a failing build: told with the file, others go on, mended by the file alone', async () => {
    const failed = await watch.after(
      () => write('ts/app.ts', 'import { x } from "./missing";\nx(;\n'),
      isResource('Ts', 'failed'),
    );
    expect(message(failed)).toContain('app.ts');
    await othersGoOn('Py');
    await othersGoOn('Ts');
  });

  it('a missing import: mended by making the file', async () => {
    const text = 'import { x } from "./later";\nexport const handler = async () => x;\n';
    const failed = await watch.after(() => write('ts/app.ts', text), isResource('Ts', 'failed'));
    expect(message(failed)).toContain('./later');
    await watch.after(() => write('ts/later.ts', 'export const x = 77;\n'), isResource('Ts', 'in-sync'));
    expect(await invoke(cloud.endpoint, outputs['Ts']!)).toBe(77);
  });

  it('a requirement that does not exist', async () => {
    const failed = await watch.after(
      () => write('py/requirements.txt', 'no-such-package-of-ours==1.0\n'),
      isResource('Py', 'failed'),
      60_000,
    );
    expect(message(failed)).toContain('no-such-package-of-ours');
    await othersGoOn('Ts');
    await watch.after(() => fs.rm(path.join(app, 'py/requirements.txt')), isResource('Py', 'in-sync'));
    await othersGoOn('Py');
  });

  it('defect 25: broken YAML, root and nested, blinds nothing', async () => {
    for (const [file, good] of [
      ['template.yaml', TEMPLATE],
      ['child/template.yaml', CHILD],
    ] as const) {
      const failed = await watch.after(
        () => write(file, good.replace('Resources:', 'Resources: {')),
        isStack('failed'),
      );
      expect(message(failed)).toMatch(new RegExp(`${file}:\\d+`));
      await othersGoOn('Py');
      await othersGoOn('Child/In');
      await watch.after(() => write(file, good), isStack('in-sync'));
    }
  });

  it('defect 25: a nested template that is gone, and comes back', async () => {
    const file = path.join(app, 'child/template.yaml');
    const failed = await watch.after(() => fs.rename(file, `${file}.away`), isStack('failed'));
    expect(message(failed)).toContain('child/template.yaml');
    await othersGoOn('Ts');
    await watch.after(() => fs.rename(`${file}.away`, file), isStack('in-sync'));
    await othersGoOn('Child/In');
  });

  it('a deployment that CloudFormation refuses: first cause told, code of others goes on, mended in the template', async () => {
    const bad = TEMPLATE.replace('Outputs:', '  Bad: {Type: AWS::SQS::NoSuchThing}\nOutputs:');
    const failed = await watch.after(() => write('template.yaml', bad), isStack('failed'), 60_000);
    expect(message(failed)).toMatch(/Bad|NoSuchThing/);
    await othersGoOn('Py');
    await watch.after(() => write('template.yaml', TEMPLATE), isStack('in-sync'), 60_000);
    await othersGoOn('Ts');
  });

  it('a source folder that is deleted, and restored', async () => {
    const folder = path.join(app, 'py');
    const failed = await watch.after(() => fs.rm(folder, { recursive: true }), isResource('Py', 'failed'));
    expect(message(failed)).toContain(folder);
    await othersGoOn('Ts');
    version++;
    await watch.after(() => write('py/app.py', python(version)), isResource('Py', 'in-sync'));
    expect(await invoke(cloud.endpoint, outputs['Py']!)).toBe(version);
    await othersGoOn('Py');
  });

  it('expired credentials: tried again by itself', async () => {
    proxy.fault(
      { service: 'lambda' },
      {
        kind: 'error',
        status: 403,
        code: 'ExpiredTokenException',
        message: 'The security token included in the request is expired',
      },
      { times: Infinity },
    );
    version++;
    const failed = await watch.after(() => write('py/app.py', python(version)), isResource('Py', 'failed'), 60_000);
    expect(message(failed)).toContain('expired');
    expect(failed.error?.hint).toContain('sso login');
    await watch.after(async () => proxy.clear(), isResource('Py', 'in-sync'), 60_000);
    expect(await invoke(cloud.endpoint, outputs['Py']!)).toBe(version);
  });

  it('a network that is lost and comes back', async () => {
    await proxy.close();
    version++;
    const failed = await watch.after(() => write('ts/app.ts', typescript(version)), isResource('Ts', 'failed'), 60_000);
    expect(message(failed)).toContain('cannot be reached');
    await watch.after(() => proxy.open(), isResource('Ts', 'in-sync'), 60_000);
    expect(await invoke(cloud.endpoint, outputs['Ts']!)).toBe(version);
  });

  it('an endpoint that answers 500, for code and for a deployment', async () => {
    proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'error', status: 500 }, { times: Infinity });
    version++;
    await watch.after(() => write('py/app.py', python(version)), isResource('Py', 'failed'), 60_000);
    await watch.after(async () => proxy.clear(), isResource('Py', 'in-sync'), 60_000);
    expect(await invoke(cloud.endpoint, outputs['Py']!)).toBe(version);
    proxy.fault({ operation: 'UpdateStack' }, { kind: 'error', status: 500 }, { times: Infinity });
    const changed = TEMPLATE.replace('Handler: app.handler}', 'Handler: app.handler, MemorySize: 256}');
    await watch.after(() => write('template.yaml', changed), isStack('failed'), 60_000);
    await othersGoOn('Ts');
    await watch.after(async () => proxy.clear(), isStack('in-sync'), 60_000);
  });

  it('is in sync with everything at the end, and was never started again', async () => {
    for (const id of ['Py', 'Ts', 'Child/In'] as const) await othersGoOn(id);
    await poll(async () => (watch.lines.some(({ event }) => event === 'stopped') ? undefined : true));
    expect((await watch.stop()).code).toBe(0);
    expect(watch.lines.filter(({ event }) => event === 'ready').length).toBe(1);
  });
});
