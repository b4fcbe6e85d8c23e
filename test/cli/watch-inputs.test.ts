import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callRestApi, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { isResource, isStack, startWatch } from '../support/watch-cli.ts';
import type { WatchCli } from '../support/watch-cli.ts';

const OPENAPI = `openapi: 3.0.1
info: {title: t, version: "1"}
paths:
  /ping:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"answer": "pong"}'}}}
`;

// code lies below src, where --base-dir points; definitions are found from the template
const FILES = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Editable:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: editable, Handler: app.handler}
  Local:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, CodeUri: local, Handler: app.handler}
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: one, Handler: app.handler}
  Two:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: two, Handler: app.handler, LoggingConfig: {LogGroup: shared}}
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Runtime: python3.11, CodeUri: made, Handler: app.handler, LoggingConfig: {LogGroup: shared}}
  Included:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DefinitionBody:
        Fn::Transform: {Name: AWS::Include, Parameters: {Location: api/included.yaml}}
Outputs:
  Editable: {Value: !Ref Editable}
  Local: {Value: !Ref Local}
  One: {Value: !Ref One}
  Two: {Value: !Ref Two}
  Made: {Value: !Ref Made}
  Api: {Value: !Ref Included}
`,
  'api/included.yaml': OPENAPI,
  'src/editable/app.py':
    'import lent\ndef handler(event, context):\n    print("lent", lent.VALUE)\n    return lent.VALUE\n',
  'src/editable/requirements.txt': '-e ../lent\n',
  'src/lent/pyproject.toml':
    '[build-system]\nrequires = ["setuptools==80.9.0"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "lent"\nversion = "1.0"\n[tool.setuptools.packages.find]\nwhere = ["src"]\n',
  'src/lent/src/lent/__init__.py': 'VALUE = 1\n',
  'src/local/package.json': '{"name": "local", "version": "1.0.0", "dependencies": {"shared": "file:../shared"}}',
  'src/local/app.js': "exports.handler = async () => require('shared').value;\n",
  'src/shared/package.json': '{"name": "shared", "version": "1.0.0", "main": "index.js"}',
  'src/shared/index.js': 'exports.value = 1;\n',
  'src/one/app.ts': "import { common } from '../common/common';\nexport const handler = async () => common;\n",
  'src/two/app.ts': 'export const handler = async () => 1;\n',
  'src/common/common.ts': 'export const common = 1;\n',
  'src/made/Makefile': 'build-Made:\n\tcp app.py "$(ARTIFACTS_DIR)"\n',
  'src/made/app.py': 'def handler(event, context):\n    return 1\n',
  'src/made/data/notes.txt': '1',
};

describe('what a resource is made of', () => {
  let cloud: TestCloud;
  let proxy: FaultProxy;
  let app: string;
  let watch: WatchCli;
  let outputs: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    app = await fs.mkdtemp(path.join(await fs.realpath('/tmp'), 'sam-sync-inputs-'));
    await writeFiles(app, FILES);
    const held = proxy.hold({ operation: 'DescribeStackEvents' });
    const args = ['--stack-name', 'inputs', '--base-dir', 'src', '--tail', '--watch-exclude', 'Made=data/**'];
    watch = await startWatch(app, { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint }, args);
    await held.arrived;
    // the stack is being created, of what was there before
    await watch.write('src/two/app.ts', 'export const handler = async () => 22;\n');
    held.release();
    await watch.seen(({ event }) => event === 'ready', 0, 120_000);
    outputs = (await watch.seen(({ event }) => event === 'outputs'))['outputs'] as Record<string, string>;
  });
  afterAll(async () => {
    await watch?.stop('SIGKILL');
    await proxy?.stop();
    await cloud?.stop();
    await fs.rm(app, { recursive: true, force: true });
  });

  const answer = (name: string) => invoke(cloud.endpoint, outputs[name]!);
  /** What was told beside log lines. */
  const toldSince = (from: number) => watch.lines.slice(from).filter(({ event }) => event !== 'log');
  /** Saves a file; the resources that were synced because of it. */
  const syncedBy = async (file: string, change: string | ((text: string) => string), id: string): Promise<string[]> => {
    const from = watch.lines.length;
    await watch.write(file, change);
    await watch.seen(({ resource, changed }) => resource === id && changed === true, from, 90_000);
    await watch.quiet();
    return watch.lines.slice(from).flatMap(({ resource, changed }) => (changed && resource ? [resource] : []));
  };

  it('defect 24: what is saved during the first deployment is brought after it', async () => {
    await poll(async () => ((await answer('Two')) === 22 ? true : undefined));
  });

  it('code that is shared outside of CodeUri: the function that imports it and no other', async () => {
    expect(await syncedBy('src/common/common.ts', 'export const common = 2;\n', 'One')).toEqual(['One']);
    expect(await answer('One')).toBe(2);
  });

  it('what begins to be shared is watched from then on, what is shared no more is not', async () => {
    await syncedBy('src/two/app.ts', "export { handler } from '../one/app';\n", 'Two');
    expect((await syncedBy('src/common/common.ts', 'export const common = 3;\n', 'Two')).sort()).toEqual([
      'One',
      'Two',
    ]);
    expect([await answer('One'), await answer('Two')]).toEqual([3, 3]);
    await syncedBy('src/one/app.ts', 'export const handler = async () => 4;\n', 'One');
    await watch.quiet();
    const from = watch.lines.length;
    await watch.write('src/common/common.ts', 'export const common = 5;\n');
    await watch.quiet();
    expect(toldSince(from)).toEqual([]);
  });

  it('a local Python package (-e ../lent)', async () => {
    expect(await syncedBy('src/lent/src/lent/__init__.py', 'VALUE = 2\n', 'Editable')).toEqual(['Editable']);
    expect(await answer('Editable')).toBe(2);
  });

  it('a local npm package (file:../shared)', async () => {
    expect(await syncedBy('src/shared/index.js', 'exports.value = 2;\n', 'Local')).toEqual(['Local']);
    expect(await answer('Local')).toBe(2);
  });

  it('a Makefile and what it copies', async () => {
    await syncedBy('src/made/app.py', (text) => text.replace('1', '2'), 'Made');
    expect(await answer('Made')).toBe(2);
    const makefile = 'build-Made:\n\tsed \'s/2/3/\' app.py > "$(ARTIFACTS_DIR)/app.py"\n';
    await syncedBy('src/made/Makefile', makefile, 'Made');
    expect(await answer('Made')).toBe(3);
  });

  it('an included definition', async () => {
    expect(await syncedBy('api/included.yaml', OPENAPI.replace('pong', 'PONG'), 'Included')).toEqual(['Included']);
    const { body } = await callRestApi(cloud.endpoint, { id: outputs['Api']!, stage: 'dev', path: '/ping' });
    expect(body).toEqual({ answer: 'PONG' });
  });

  it('an included definition that is broken: reported with its place in it, and synced when it is fixed', async () => {
    const broken = OPENAPI.replace('openapi: 3.0.1', 'openapi: }');
    const failed = await watch.after(() => watch.write('api/included.yaml', broken), isStack('failed'));
    expect(failed.error?.message).toMatch(/^api\/included\.yaml:1:10: Invalid YAML/);
    await watch.after(
      () => watch.write('api/included.yaml', OPENAPI.replace('pong', 'again')),
      isResource('Included', 'in-sync'),
    );
    const { body } = await callRestApi(cloud.endpoint, { id: outputs['Api']!, stage: 'dev', path: '/ping' });
    expect(body).toEqual({ answer: 'again' });
  });

  it('--watch-exclude', async () => {
    const from = watch.lines.length;
    await watch.write('src/made/data/notes.txt', '2');
    await watch.write('src/made/data/deep/more.txt', '2');
    await watch.quiet();
    expect(toldSince(from)).toEqual([]);
  });

  it('--tail: log lines as they come, with the function', async () => {
    const line = await watch.after(
      () => answer('Editable'),
      ({ event, text }) => event === 'log' && String(text).includes('lent 2'),
    );
    expect(line.resource).toBe('Editable');
  });

  it.each(['Two', 'Made'])('--tail: the lines of %s, which shares a log group, have its name', async (name) => {
    const line = await watch.after(
      () => answer(name),
      ({ event, text }) => event === 'log' && String(text).startsWith('REPORT RequestId'),
    );
    expect(line.resource).toBe(name);
  });

  it('rebuilds nothing that was there: a folder moved away and back', async () => {
    const folder = path.join(app, 'src/common');
    await fs.rm(path.join(app, 'src/two/app.ts'));
    await watch.after(
      () => watch.write('src/two/app.ts', "export { common as handler } from '../common/common';\n"),
      isResource('Two', 'in-sync'),
    );
    const failed = await watch.after(() => fs.rename(folder, `${folder}.away`), isResource('Two', 'failed'));
    expect(failed.error?.message).toContain('common');
    await watch.after(() => fs.rename(`${folder}.away`, folder), isResource('Two', 'in-sync'));
  });
});
