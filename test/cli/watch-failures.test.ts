import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchCli, WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

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

const FILES = {
  'template.yaml': TEMPLATE,
  'child/template.yaml': CHILD,
  'py/app.py': python(1),
  'ts/app.ts': typescript(1),
  'child/in/app.py': python(1),
};

// each test breaks something, sees it reported, and fixes it, without starting the watch again
describe('failures in one session', () => {
  const apps = watchedApps();

  /** An application with what is broken in it from the start, on which a watch begins. */
  const open = async (broken: Partial<typeof FILES> = {}, env: Readonly<Record<string, string>> = {}) => {
    const app = await apps.create({ ...FILES, ...broken });
    const watch = await app.start([], env);
    let version = 10;
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
      expect(await app.answer(id.replace('Child/', ''))).toBe(version);
    };
    return { ...app, watch, write, othersGoOn };
  };
  /** One that is in sync. */
  const begin = async (env?: Readonly<Record<string, string>>) => {
    const session = await open({}, env);
    await session.watch.seen(({ event }) => event === 'ready', 0, 60_000);
    return session;
  };
  /** It ended as it should, and was never started again. */
  const end = async (watch: WatchCli): Promise<void> => {
    expect((await watch.stop()).code).toBe(0);
    expect(watch.lines.filter(({ event }) => event === 'ready').length).toBe(1);
  };

  it('begins although template and code are broken, names file and line, and deploys when both are fixed', async () => {
    const { watch, write, answer, othersGoOn } = await open({
      'template.yaml': TEMPLATE.replace('Resources:', 'Resources: ['),
      'ts/app.ts': 'export const handler = async () => {{;\n',
    });
    const told = await watch.seen(isStack('failed'));
    expect(message(told)).toMatch(/template\.yaml:\d+/);
    const failed = await watch.after(() => write('template.yaml', TEMPLATE), isStack('failed'), 60_000);
    // the next thing that is broken
    expect(message(failed)).toContain('Ts');
    expect(message(await watch.seen(isResource('Ts', 'failed')))).toContain('app.ts');
    await watch.after(() => write('ts/app.ts', typescript(2)), isStack('in-sync'), 60_000);
    expect(await answer('Ts')).toBe(2);
    await othersGoOn('Py');
    await watch.seen(({ event }) => event === 'ready');
    await end(watch);
  });

  it('a failing build: told with the file, others go on, mended by the file alone', async () => {
    const { watch, write, othersGoOn } = await begin();
    const failed = await watch.after(
      () => write('ts/app.ts', 'import { x } from "./missing";\nx(;\n'),
      isResource('Ts', 'failed'),
    );
    expect(message(failed)).toContain('app.ts');
    await othersGoOn('Py');
    await othersGoOn('Ts');
    await end(watch);
  });

  it('a stack that somebody deleted, with the managed bucket: the next save creates both again', async () => {
    const { cloud, watch, write, answer } = await begin();
    await cloud.reset();
    await watch.after(() => write('py/app.py', python(5)), isStack('in-sync'), 60_000);
    expect(await answer('Py')).toBe(5);
    await end(watch);
  });

  it('a missing import: mended by making the file', async () => {
    const { watch, write, answer } = await begin();
    const text = 'import { x } from "./later";\nexport const handler = async () => x;\n';
    const failed = await watch.after(() => write('ts/app.ts', text), isResource('Ts', 'failed'));
    expect(message(failed)).toContain('./later');
    await watch.after(() => write('ts/later.ts', 'export const x = 77;\n'), isResource('Ts', 'in-sync'));
    expect(await answer('Ts')).toBe(77);
    await end(watch);
  });

  it('a requirement that does not exist', async () => {
    const { dir, watch, write, othersGoOn } = await begin();
    const failed = await watch.after(
      () => write('py/requirements.txt', 'no-such-package-of-ours==1.0\n'),
      isResource('Py', 'failed'),
      60_000,
    );
    expect(message(failed)).toContain('no-such-package-of-ours');
    await othersGoOn('Ts');
    await watch.after(() => fs.rm(path.join(dir, 'py/requirements.txt')), isResource('Py', 'in-sync'));
    await othersGoOn('Py');
    await end(watch);
  });

  it('defect 25: broken YAML, root and nested, blinds nothing', async () => {
    const { watch, write, othersGoOn } = await begin();
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
    await end(watch);
  });

  it('defect 25: a nested template that is gone, and comes back', async () => {
    const { dir, watch, othersGoOn } = await begin();
    const file = path.join(dir, 'child/template.yaml');
    const failed = await watch.after(() => fs.rename(file, `${file}.away`), isStack('failed'));
    expect(message(failed)).toContain('child/template.yaml');
    await othersGoOn('Ts');
    await watch.after(() => fs.rename(`${file}.away`, file), isStack('in-sync'));
    await othersGoOn('Child/In');
    await end(watch);
  });

  it('a deployment that CloudFormation refuses: first cause told, code of others goes on, mended in the template', async () => {
    const { watch, write, othersGoOn } = await begin();
    const bad = TEMPLATE.replace('Outputs:', '  Bad: {Type: AWS::SQS::NoSuchThing}\nOutputs:');
    const failed = await watch.after(() => write('template.yaml', bad), isStack('failed'), 60_000);
    expect(message(failed)).toMatch(/Bad|NoSuchThing/);
    await othersGoOn('Py');
    await watch.after(() => write('template.yaml', TEMPLATE), isStack('in-sync'), 60_000);
    await othersGoOn('Ts');
    await end(watch);
  });

  it('a template that CloudFormation would refuse: file and line, nothing is sent, others go on', async () => {
    const { watch, write, othersGoOn, proxy } = await begin();
    const bad = TEMPLATE.replace('  Child:', '    DependsOn: [Tss]\n  Child:').replace('{Location:', '{Locatoin:');
    const before = proxy.count('UpdateStack');
    const failed = await watch.after(() => write('template.yaml', bad), isStack('failed'), 60_000);
    expect(message(failed)).toContain(
      'template.yaml:10:17: DependsOn: Tss: the template has no resource Tss. Did you mean Ts?\n' +
        'template.yaml:13:18: AWS::Serverless::Application has no property Locatoin. Did you mean Location?',
    );
    await othersGoOn('Py');
    await watch.after(() => write('template.yaml', TEMPLATE), isStack('in-sync'), 60_000);
    expect(proxy.count('UpdateStack')).toBe(before);
    await end(watch);
  });

  it('a source folder that is deleted, and restored', async () => {
    const { dir, watch, write, answer, othersGoOn } = await begin();
    const folder = path.join(dir, 'py');
    const failed = await watch.after(() => fs.rm(folder, { recursive: true }), isResource('Py', 'failed'));
    expect(message(failed)).toContain(folder);
    await othersGoOn('Ts');
    await watch.after(() => write('py/app.py', python(5)), isResource('Py', 'in-sync'));
    expect(await answer('Py')).toBe(5);
    await othersGoOn('Py');
    await end(watch);
  });

  it('expired credentials: tried again by itself', async () => {
    const { watch, proxy, write, answer } = await begin();
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
    const failed = await watch.after(() => write('py/app.py', python(5)), isResource('Py', 'failed'), 60_000);
    expect(message(failed)).toContain('expired');
    expect(failed.error?.hint).toContain('sso login');
    await watch.after(async () => proxy.clear(), isResource('Py', 'in-sync'), 60_000);
    expect(await answer('Py')).toBe(5);
    await end(watch);
  });

  it('a network that is lost and comes back', async () => {
    const { watch, proxy, write, answer } = await begin();
    await proxy.close();
    const failed = await watch.after(() => write('ts/app.ts', typescript(5)), isResource('Ts', 'failed'), 60_000);
    expect(message(failed)).toContain('cannot be reached');
    await watch.after(() => proxy.open(), isResource('Ts', 'in-sync'), 60_000);
    expect(await answer('Ts')).toBe(5);
    await end(watch);
  });

  it('an endpoint that answers 500, for code and for a deployment', async () => {
    const { watch, proxy, write, answer, othersGoOn } = await begin({ AWS_MAX_ATTEMPTS: '2' });
    proxy.fault({ operation: 'UpdateFunctionCode' }, { kind: 'error', status: 500 }, { times: Infinity });
    await watch.after(() => write('py/app.py', python(5)), isResource('Py', 'failed'), 60_000);
    await watch.after(async () => proxy.clear(), isResource('Py', 'in-sync'), 60_000);
    expect(await answer('Py')).toBe(5);
    proxy.fault({ operation: 'UpdateStack' }, { kind: 'error', status: 500 }, { times: Infinity });
    const changed = TEMPLATE.replace('Handler: app.handler}', 'Handler: app.handler, MemorySize: 256}');
    await watch.after(() => write('template.yaml', changed), isStack('failed'), 60_000);
    await othersGoOn('Ts');
    await watch.after(async () => proxy.clear(), isStack('in-sync'), 60_000);
    await end(watch);
  });
});
