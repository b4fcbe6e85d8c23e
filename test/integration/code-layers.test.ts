import {
  DeleteLayerVersionCommand,
  GetFunctionConfigurationCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
} from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dependencyLayerName } from '../../src/builder/dependency-layers/dependency-layer.ts';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import type { CodeApp } from '../support/code-app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { zipBytes } from '../support/zip-bytes.ts';

const HEAD = 'Transform: AWS::Serverless-2016-10-31';
const FN = 'Handler: app.handler, Runtime: python3.11, Timeout: 20';
const RAW = "Handler: app.handler, Runtime: python3.11, Timeout: 20, Role: 'arn:aws:iam::000000000000:role/x'";

const TEMPLATE = `
${HEAD}
Globals: {Function: {Layers: [!Ref Common]}}
Conditions: {Never: !Equals [a, b]}
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.11}
    Properties: {ContentUri: common, CompatibleRuntimes: [python3.11], Description: Common code, LicenseInfo: MIT}
  Plain: {Type: AWS::Lambda::LayerVersion, Properties: {Content: plain, LayerName: plain}}
  First: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, ${FN}, Layers: [!Sub "\${Plain}"]}}
  Second: {Type: AWS::Lambda::Function, Properties: {Code: fn, ${RAW}, Layers: [!If [Never, !Ref AWS::NoValue, !Ref Plain]]}}
  Layers: {Type: AWS::Serverless::Application, Properties: {Location: layers.yaml}}
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: child.yaml
      Parameters: {All: !Join [",", [!Ref Plain, !GetAtt Layers.Outputs.Far]]}
Outputs:
  First: {Value: !Ref First}
  Second: {Value: !Ref Second}
  Inner: {Value: !GetAtt Child.Outputs.Inner}
`;
const FILES = {
  'template.yaml': TEMPLATE,
  'layers.yaml': `${HEAD}
Resources: {Far: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: far}}}
Outputs: {Far: {Value: !Ref Far}}`,
  'child.yaml': `${HEAD}
Parameters: {All: {Type: CommaDelimitedList}}
Resources: {Inner: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, ${FN}, Layers: !Ref All}}}
Outputs: {Inner: {Value: !Ref Inner}}`,
  'fn/app.py': `
def value(name):
    try:
        return __import__(name).VALUE
    except ImportError:
        return None
def handler(event, context):
    return [value(name) for name in ('common', 'plain', 'far')]
`,
  'common/common.py': 'VALUE = "v1"\n',
  'plain/python/plain.py': 'VALUE = "v1"\n',
  'far/python/far.py': 'VALUE = "v1"\n',
};

let cloud: TestCloud;
let proxy: FaultProxy;
let aws: ReturnType<typeof clients>;
let env: Record<string, string>;

const outputsOf = (document: Record<string, unknown>) => document['outputs'] as Record<string, string>;
const layersOf = async (FunctionName: string | undefined) =>
  ((await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).Layers ?? []).map(({ Arn }) => Arn!);
const shortLayersOf = async (name: string | undefined) =>
  (await layersOf(name)).map((arn) =>
    arn
      .split(':')
      .slice(6)
      .join(':')
      .replace(/[0-9a-f]{10}/, ''),
  );
const versionsOf = async (LayerName: string) =>
  ((await aws.lambda.send(new ListLayerVersionsCommand({ LayerName }))).LayerVersions ?? []).map(
    ({ Version }) => Version,
  );
const operations = () => proxy.calls.map(({ operation }) => operation);

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  aws = clients(cloud.endpoint);
  env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
});
afterEach(async () => {
  proxy.clear();
  await cloud.reset();
});
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

describe('layers of the template', () => {
  let app: CodeApp;
  let names: Record<string, string>;
  const call = (name: string) => invoke(cloud.endpoint, names[name]!);

  beforeEach(async () => {
    app = await createCodeApp(env, FILES, { stackName: 'layers', dependencyLayer: false });
    names = outputsOf((await app.plain()).document);
  });
  afterEach(() => app.remove());
  /** Another version of the layer `plain`, by a code sync. */
  const syncPlain = async (version: string) => {
    await app.write({ 'plain/python/plain.py': `VALUE = "${version}"\n` });
    return app.code(['Plain']);
  };

  it('reach every function that uses them, in place, through every kind of reference', async () => {
    const before = await shortLayersOf(names['First']);
    expect(before).toEqual(['Common:1', 'plain:1']);
    expect(await call('Inner')).toEqual([null, 'v1', 'v1']);
    await app.write({
      'common/common.py': 'VALUE = "v2"\n',
      'plain/python/plain.py': 'VALUE = "v2"\n',
      'far/python/far.py': 'VALUE = "v2"\n',
    });
    const { exitCode, outcomes } = await app.code(['Common', 'Plain', 'Layers/Far']);
    expect(exitCode).toBe(0);
    expect(outcomes).toEqual({
      Common: 'synced',
      Plain: 'synced',
      'Layers/Far': 'synced',
      First: 'synced',
      Second: 'synced',
      'Child/Inner': 'synced',
    });
    expect(await shortLayersOf(names['First'])).toEqual(['Common:2', 'plain:2']);
    expect(await call('First')).toEqual(['v2', 'v2', null]);
    expect(await call('Second')).toEqual([null, 'v2', null]);
    expect(await call('Inner')).toEqual([null, 'v2', 'v2']);
    proxy.clear();
    expect((await app.code(['Common', 'Plain', 'Layers/Far'])).outcomes).toEqual({
      Common: 'unchanged',
      Plain: 'unchanged',
      'Layers/Far': 'unchanged',
    });
    expect(operations().filter((name) => /Update|Publish|Delete/.test(name))).toEqual([]);
  });

  it('are published as the template describes them, and marked', async () => {
    await app.write({ 'common/common.py': 'VALUE = "v2"\n' });
    await app.code(['Common']);
    const [arn = ''] = await layersOf(names['First']);
    const layer = arn.slice(0, arn.lastIndexOf(':'));
    const { LayerVersions } = await aws.lambda.send(new ListLayerVersionsCommand({ LayerName: layer }));
    expect(LayerVersions?.[0]).toMatchObject({
      CompatibleRuntimes: ['python3.11'],
      LicenseInfo: 'MIT',
      Description: expect.stringMatching(/^Common code \[sam-sync [0-9a-f]{8} [0-9a-f]{16}\]$/),
    });
  });

  it('defect 15: leave the version of CloudFormation and of others, and remove their own superseded ones', async () => {
    await syncPlain('v2');
    const Content = { ZipFile: zipBytes({ 'python/other.py': '' }) };
    await aws.lambda.send(new PublishLayerVersionCommand({ LayerName: 'plain', Content, Description: 'by hand' }));
    expect((await syncPlain('v3')).outcomes).toMatchObject({ Plain: 'synced', First: 'synced' });
    expect(await versionsOf('plain')).toEqual([4, 3, 1]);
    // back to what CloudFormation has: nothing is published
    const { results } = await syncPlain('v1');
    expect(results.find(({ id }) => id === 'Plain')).toMatchObject({ outcome: 'synced', detail: 'version 1' });
    expect(await versionsOf('plain')).toEqual([3, 1]);
    expect(await call('Second')).toEqual([null, 'v1', null]);
    expect(await app.plain()).toMatchObject({ exitCode: 0 });
  });

  it('leave no version of a run that was killed, although the next one deploys', async () => {
    await app.write({ 'plain/python/plain.py': 'VALUE = "v2"\n' });
    const held = proxy.hold({ operation: 'PublishLayerVersion' }, 'after-answer');
    const killed = await runCli(
      ['--stack-name', 'layers', '--no-dependency-layer', '--yes', '--code', '--resource-id', 'Plain'],
      {
        cwd: app.dir,
        env,
        onStart: (child) => void held.arrived.then(() => child.kill('SIGKILL')),
      },
    );
    expect(killed.signal).toBe('SIGKILL');
    held.release();
    const [left] = await versionsOf('plain');
    expect(left).toBe(2);
    await app.write({ 'template.yaml': TEMPLATE.replace('Timeout: 20', 'Timeout: 21') });
    expect(await app.plain()).toMatchObject({ exitCode: 0, way: 'deploy' });
    expect(await versionsOf('plain')).not.toContain(left);
    expect(await call('Second')).toEqual([null, 'v2', null]);
  });

  it('leave no superseded version once a function that failed has moved too', async () => {
    await syncPlain('before');
    const [before] = await versionsOf('plain');
    proxy.fault(
      { operation: 'UpdateFunctionCode', when: ({ path: at }) => at.includes(names['First'] ?? '') },
      { kind: 'error', status: 400, code: 'InvalidParameterValueException' },
    );
    await app.write({
      'fn/app.py': `${FILES['fn/app.py']}\n# with a layer that moves too\n`,
      'plain/python/plain.py': 'VALUE = "after"\n',
    });
    expect((await app.code()).outcomes).toMatchObject({ Plain: 'synced', First: 'failed' });
    expect(await versionsOf('plain')).toContain(before);
    const planned = await app.code([], { dryRun: true });
    expect(JSON.stringify(planned.results.find(({ id }) => id === 'Plain'))).toContain('"DeleteLayerVersion"');
    expect((await app.code()).outcomes).toMatchObject({ Plain: 'unchanged', First: 'synced' });
    expect(await versionsOf('plain')).not.toContain(before);
    expect(await call('First')).toMatchObject({ 1: 'after' });
  });

  it('stop only what needs them if they fail', async () => {
    await app.write({ 'plain/python/plain.py': 'VALUE = "v4"\n', 'common/common.py': 'VALUE = "v4"\n' });
    const isPlain = { when: (call: { path: string }) => /layers\/[^/]*plain\/versions/.test(call.path) };
    proxy.fault(
      { operation: 'PublishLayerVersion', ...isPlain },
      { kind: 'error', status: 400, code: 'CodeStorageExceededException' },
    );
    const { exitCode, outcomes, notes } = await app.code(['Plain', 'Common']);
    expect(exitCode).toBe(1);
    expect(outcomes).toEqual({
      Common: 'synced',
      Plain: 'failed',
      First: 'failed',
      Second: 'failed',
      'Child/Inner': 'failed',
    });
    expect(notes.join('\n')).toContain('First was not updated because its layer Plain failed');
    expect((await app.code()).exitCode).toBe(0);
    expect(await call('First')).toEqual(['v4', 'v4', null]);
  });

  it.each([
    ['cannot be compared with Lambda', { 'plain/python/plain.py': 'VALUE = "v5"\n' }, 'Plain'],
    ['cannot be built', { 'common/requirements.txt': '!\n' }, 'Common'],
  ])('hold back the functions that use them when they %s', async (_, files, layer) => {
    const handler = FILES['fn/app.py'];
    await app.write({ ...files, 'fn/app.py': `${handler}\n# for ${layer}\n` });
    const denied = { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'not allowed' } as const;
    const isPlain = ({ path: at }: { path: string }) => layer === 'Plain' && /layers\/[^/]*plain\/versions/.test(at);
    proxy.fault({ operation: 'ListLayerVersions', when: isPlain }, denied, { times: Infinity });
    const { exitCode, outcomes, notes } = await app.code();
    expect(exitCode).toBe(1);
    // Common is everybody's by Globals, but for raw functions
    const held = layer === 'Plain' ? ['First', 'Second', 'Child/Inner'] : ['First'];
    for (const id of [layer, ...held]) expect(outcomes).toMatchObject({ [id]: 'failed' });
    for (const id of held) {
      expect(notes.join('\n')).toContain(`${id} was not updated because its layer ${layer} failed`);
    }
    const updated = proxy.calls.filter(({ operation }) => operation === 'UpdateFunctionCode').map(({ path: at }) => at);
    for (const id of held.filter((name) => names[name])) expect(updated.join()).not.toContain(names[id]);
    proxy.clear();
    await fs.rm(path.join(app.dir, 'common/requirements.txt'), { force: true });
    expect((await app.code()).outcomes).toMatchObject(Object.fromEntries(held.map((id) => [id, 'synced'])));
  });

  it('keep the versions of functions that are left as they are', async () => {
    await syncPlain('v5');
    const before = await layersOf(names['First']);
    await app.write({
      'plain/python/plain.py': 'VALUE = "v6"\n',
      // the cloud has another runtime: only a deployment can change that
      'template.yaml': TEMPLATE.replace(`CodeUri: fn, ${FN}`, `CodeUri: fn, ${FN.replace('python3.11', 'python3.12')}`),
    });
    expect((await app.code()).outcomes).toMatchObject({ Plain: 'synced', First: 'failed', Second: 'synced' });
    expect(await layersOf(names['First'])).toEqual(before);
    expect(await versionsOf('plain')).toContain(Number(before[1]?.split(':').at(-1)));
    await app.write({ 'template.yaml': TEMPLATE });
    expect((await app.code()).outcomes).toMatchObject({ First: 'synced' });
    expect(await call('First')).toEqual(['v1', 'v6', null]);
    expect(await versionsOf('plain')).not.toContain(Number(before[1]?.split(':').at(-1)));
  });

  it('are found again by their content when everything that is remembered is lost', async () => {
    await syncPlain('v2');
    await fs.rm(path.join(app.dir, '.aws-sam/sam-sync/stacks'), { recursive: true });
    proxy.clear();
    const { outcomes } = await app.code(['Plain']);
    expect(outcomes).toEqual({ Plain: 'unchanged' });
    expect(operations()).not.toContain('PublishLayerVersion');
  });

  it('are replaced when somebody deleted the version that functions use', async () => {
    await syncPlain('v6');
    const current = (await layersOf(names['Second']))[0]!;
    await fs.rm(path.join(app.dir, '.aws-sam/sam-sync/stacks'), { recursive: true });
    const VersionNumber = Number(current.split(':').at(-1));
    await aws.lambda.send(new DeleteLayerVersionCommand({ LayerName: 'plain', VersionNumber }));
    expect((await app.code(['Plain'])).outcomes).toMatchObject({ Plain: 'synced', Second: 'synced' });
    expect(await call('Second')).toEqual([null, 'v6', null]);
  });
});

/** A package that is installed without network. */
const pkg = (name: string, value: string) => ({
  [`packages/${name}/pyproject.toml`]: `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "${name}"\nversion = "1.0"\n`,
  [`packages/${name}/backend.py`]: `
import base64, hashlib, os, zipfile
def build_wheel(directory, settings=None, metadata=None):
    name = '${name}-1.0-py3-none-any.whl'
    info = '${name}-1.0.dist-info'
    files = {'${name}.py': 'VALUE = "${value}"', info + '/METADATA': 'Metadata-Version: 2.1\\nName: ${name}\\nVersion: 1.0\\n', info + '/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'}
    def line(item):
        digest = base64.urlsafe_b64encode(hashlib.sha256(item[1].encode()).digest()).rstrip(b'=').decode()
        return f'{item[0]},sha256={digest},{len(item[1])}'
    files[info + '/RECORD'] = '\\n'.join([line(item) for item in files.items()] + [info + '/RECORD,,']) + '\\n'
    with zipfile.ZipFile(os.path.join(directory, name), 'w') as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
`,
});
const code = (version: string, ...names: string[]) =>
  `${names.map((name) => `import ${name}`).join('\n')}\ndef handler(event, context):\n    return [${[`"${version}"`, ...names.map((name) => `${name}.VALUE`)].join(', ')}]\n`;

describe('layers of dependencies', () => {
  let app: CodeApp;
  let names: Record<string, string>;
  const call = (name: string) => invoke(cloud.endpoint, names[name]!);
  const template = `
${HEAD}
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, ${FN}}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: b, ${FN}}}
Outputs:
  A: {Value: !Ref A}
  B: {Value: !Ref B}
`;
  const manifest = (fn: string, ...packages: string[]) => ({
    [`${fn}/requirements.txt`]: packages.map((name) => `${path.join(app.dir, 'packages', name)}\n`).join(''),
  });

  beforeEach(async () => {
    app = await createCodeApp(
      env,
      { 'template.yaml': template, ...pkg('alpha', 'a'), ...pkg('beta', 'b') },
      { stackName: 'deps' },
    );
    await app.write({
      'a/app.py': code('v1', 'alpha'),
      'b/app.py': code('v1'),
      ...manifest('a', 'alpha'),
      ...manifest('b'),
    });
    names = outputsOf((await app.plain()).document);
    expect(await call('A')).toEqual(['v1', 'a']);
  });
  afterEach(() => app.remove());

  it('stay where only code changed', async () => {
    await app.write({ 'a/app.py': code('v2', 'alpha') });
    proxy.clear();
    expect((await app.code(['A'])).results).toMatchObject([{ detail: 'code' }]);
    expect(operations()).not.toContain('PublishLayerVersion');
    expect(await call('A')).toEqual(['v2', 'a']);
    proxy.clear();
    expect((await app.code(['A'])).outcomes).toEqual({ A: 'unchanged' });
    expect(operations()).toHaveLength(2);
  });

  it('come before the code that needs them: no call in between fails, defect 11', async () => {
    await app.write({ 'a/app.py': code('v3', 'alpha', 'beta'), ...manifest('a', 'alpha', 'beta') });
    let isDone = false;
    const answers = new Set<string>();
    const calling = poll(async () => {
      answers.add(JSON.stringify(await call('A')));
      return isDone ? true : undefined;
    });
    const { results } = await app.code(['A']);
    isDone = true;
    await calling;
    expect(results).toMatchObject([{ id: 'A', outcome: 'synced', detail: 'layers, code' }]);
    expect(await call('A')).toEqual(['v3', 'a', 'b']);
    expect([...answers].every((answer) => ['["v1","a"]', '["v3","a","b"]'].includes(answer))).toBe(true);
    expect(await versionsOf(dependencyLayerName('deps', 'A'))).toEqual([2, 1]);
    expect((await app.code(['A'])).outcomes).toEqual({ A: 'unchanged' });
  });

  it('are made for a function that had none, and taken away when it has none any more', async () => {
    await app.write({ 'b/app.py': code('v2', 'beta'), ...manifest('b', 'beta') });
    expect((await app.code(['B'])).results).toMatchObject([{ detail: 'layers, code' }]);
    expect(await call('B')).toEqual(['v2', 'b']);
    expect(await app.plain()).toMatchObject({ way: 'deploy', exitCode: 0 });
    expect(await call('B')).toEqual(['v2', 'b']);
    // CloudFormation has made its own version: ours goes
    expect(await versionsOf(dependencyLayerName('deps', 'B'))).toEqual([2]);
    await app.write({ 'b/app.py': code('v3'), ...manifest('b') });
    expect((await app.code(['B'])).results).toMatchObject([{ detail: 'code, dependency layer removed' }]);
    expect(await call('B')).toEqual(['v3']);
    expect(await layersOf(names['B'])).toEqual([]);
    expect(await app.plain()).toMatchObject({ exitCode: 0 });
    expect(await call('B')).toEqual(['v3']);
  });

  it('defect 9: follow manifests that are swapped', async () => {
    await app.write({
      'a/app.py': code('v4', 'alpha'),
      'b/app.py': code('v4', 'beta'),
      ...manifest('a', 'alpha'),
      ...manifest('b', 'beta'),
    });
    expect((await app.plain()).exitCode).toBe(0);
    expect([await call('A'), await call('B')]).toEqual([
      ['v4', 'a'],
      ['v4', 'b'],
    ]);
    await app.write({
      'a/app.py': code('v5', 'beta'),
      'b/app.py': code('v5', 'alpha'),
      ...manifest('a', 'beta'),
      ...manifest('b', 'alpha'),
    });
    expect((await app.code()).outcomes).toEqual({ A: 'synced', B: 'synced' });
    expect([await call('A'), await call('B')]).toEqual([
      ['v5', 'b'],
      ['v5', 'a'],
    ]);
    await app.write({
      'a/app.py': code('v6', 'alpha'),
      'b/app.py': code('v6', 'beta'),
      ...manifest('a', 'alpha'),
      ...manifest('b', 'beta'),
    });
    expect((await app.plain()).exitCode).toBe(0);
    expect([await call('A'), await call('B')]).toEqual([
      ['v6', 'a'],
      ['v6', 'b'],
    ]);
  });

  it('are switched off and on', async () => {
    const off = { dependencyLayer: false };
    expect((await app.code(['A'], off)).results).toMatchObject([{ detail: 'code, dependency layer removed' }]);
    expect(await layersOf(names['A'])).toEqual([]);
    expect(await call('A')).toEqual(['v1', 'a']);
    expect((await app.code(['A'])).results).toMatchObject([{ detail: 'layers, code' }]);
    expect(await call('A')).toEqual(['v1', 'a']);
    expect((await app.plain(off)).way).toBe('deploy');
    expect(await call('A')).toEqual(['v1', 'a']);
  });
});
