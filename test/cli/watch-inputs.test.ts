import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { callRestApi, poll } from '../support/cloud.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

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

interface Part {
  resource: string;
  files: Readonly<Record<string, string>>;
}

const python = (name: string): string =>
  `Type: AWS::Serverless::Function, Properties: {Runtime: python3.11, CodeUri: ${name}, Handler: app.handler`;
const node = (name: string): string =>
  `Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x, CodeUri: ${name}, Handler: app.handler`;

// code lies below src, where --base-dir points; definitions are found from the template
const PARTS = {
  Editable: {
    resource: `{${python('editable')}}}`,
    files: {
      'src/editable/app.py':
        'import lent\ndef handler(event, context):\n    print("lent", lent.VALUE)\n    return lent.VALUE\n',
      'src/editable/requirements.txt': '-e ../lent\n',
      'src/lent/pyproject.toml':
        '[build-system]\nrequires = ["setuptools==80.9.0"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "lent"\nversion = "1.0"\n[tool.setuptools.packages.find]\nwhere = ["src"]\n',
      'src/lent/src/lent/__init__.py': 'VALUE = 1\n',
    },
  },
  Local: {
    resource: `{${node('local')}}}`,
    files: {
      'src/local/package.json': '{"name": "local", "version": "1.0.0", "dependencies": {"shared": "file:../shared"}}',
      'src/local/app.js': "exports.handler = async () => require('shared').value;\n",
      'src/shared/package.json': '{"name": "shared", "version": "1.0.0", "main": "index.js"}',
      'src/shared/index.js': 'exports.value = 1;\n',
    },
  },
  One: {
    resource: `{${node('one')}}, Metadata: {BuildMethod: esbuild}}`,
    files: {
      'src/one/app.ts': "import { common } from '../common/common';\nexport const handler = async () => common;\n",
      'src/common/common.ts': 'export const common = 1;\n',
    },
  },
  Two: {
    resource: `{${node('two')}, LoggingConfig: {LogGroup: shared}}, Metadata: {BuildMethod: esbuild}}`,
    files: { 'src/two/app.ts': 'export const handler = async () => 1;\n' },
  },
  Made: {
    resource: `{${python('made')}, LoggingConfig: {LogGroup: shared}}, Metadata: {BuildMethod: makefile}}`,
    files: {
      'src/made/Makefile': 'build-Made:\n\tcp app.py "$(ARTIFACTS_DIR)"\n',
      'src/made/app.py': 'def handler(event, context):\n    return 1\n',
      'src/made/data/notes.txt': '1',
    },
  },
  Included: {
    resource: `{Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionBody:
      {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: api/included.yaml}}}}}`,
    files: { 'api/included.yaml': OPENAPI },
  },
} satisfies Record<string, Part>;

/** An application of these resources. */
function filesOf(...ids: (keyof typeof PARTS)[]): Record<string, string> {
  const lines = (what: (id: keyof typeof PARTS) => string) => ids.map((id) => `  ${id}: ${what(id)}\n`).join('');
  const resources = `Resources:\n${lines((id) => PARTS[id].resource)}`;
  const outputs = `Outputs:\n${lines((id) => `{Value: !Ref ${id}}`)}`;
  const files: Record<string, string> = {
    'template.yaml': `Transform: AWS::Serverless-2016-10-31\n${resources}${outputs}`,
  };
  for (const id of ids) Object.assign(files, PARTS[id].files);
  return files;
}

describe('what a resource is made of', () => {
  const apps = watchedApps();

  /** An application of these resources that is in sync and watched. */
  const open = async (ids: (keyof typeof PARTS)[], args: readonly string[] = []) => {
    const app = await apps.ready(filesOf(...ids), ['--base-dir', 'src', ...args]);
    const { watch } = app;
    return {
      ...app,
      /** What was reported beside log lines. */
      reportedSince: (from: number) => watch.lines.slice(from).filter(({ event }) => event !== 'log'),
      /** Saves a file; the resources that were synced because of it. */
      syncedBy: async (file: string, change: string | ((text: string) => string), id: string): Promise<string[]> => {
        const from = watch.lines.length;
        await watch.write(file, change);
        await watch.seen(({ resource, changed }) => resource === id && changed === true, from, 90_000);
        await watch.quiet();
        return watch.lines.slice(from).flatMap(({ resource, changed }) => (changed && resource ? [resource] : []));
      },
    };
  };

  it('defect 24: what is saved during the first deployment is brought after it', async () => {
    const app = await apps.create(filesOf('Two'));
    const held = app.proxy.hold({ operation: 'DescribeStackEvents' });
    const watch = await app.start(['--base-dir', 'src']);
    await held.arrived;
    // the stack is being created, of what was there before
    await watch.write('src/two/app.ts', 'export const handler = async () => 22;\n');
    held.release();
    await watch.seen(({ event }) => event === 'ready');
    await poll(async () => ((await app.answer('Two')) === 22 ? true : undefined));
  });

  it('code that is shared outside of CodeUri: the function that imports it and no other', async () => {
    const { syncedBy, answer } = await open(['One', 'Two']);
    expect(await syncedBy('src/common/common.ts', 'export const common = 2;\n', 'One')).toEqual(['One']);
    expect(await answer('One')).toBe(2);
  });

  it('what begins to be shared is watched from then on, what is shared no more is not', async () => {
    const { watch, syncedBy, answer, reportedSince } = await open(['One', 'Two']);
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
    expect(reportedSince(from)).toEqual([]);
  });

  it('a local Python package (-e ../lent)', async () => {
    const { syncedBy, answer } = await open(['Editable', 'Made']);
    expect(await syncedBy('src/lent/src/lent/__init__.py', 'VALUE = 2\n', 'Editable')).toEqual(['Editable']);
    expect(await answer('Editable')).toBe(2);
  });

  it('a local npm package (file:../shared)', async () => {
    const { syncedBy, answer } = await open(['Local', 'Made']);
    expect(await syncedBy('src/shared/index.js', 'exports.value = 2;\n', 'Local')).toEqual(['Local']);
    expect(await answer('Local')).toBe(2);
  });

  it('a Makefile and what it copies', async () => {
    const { syncedBy, answer } = await open(['Made']);
    await syncedBy('src/made/app.py', (text) => text.replace('1', '2'), 'Made');
    expect(await answer('Made')).toBe(2);
    const makefile = 'build-Made:\n\tsed \'s/2/3/\' app.py > "$(ARTIFACTS_DIR)/app.py"\n';
    await syncedBy('src/made/Makefile', makefile, 'Made');
    expect(await answer('Made')).toBe(3);
  });

  it('an included definition', async () => {
    const { syncedBy, cloud, output } = await open(['Included', 'Two']);
    expect(await syncedBy('api/included.yaml', OPENAPI.replace('pong', 'PONG'), 'Included')).toEqual(['Included']);
    const { body } = await callRestApi(cloud.endpoint, { id: output('Included'), stage: 'dev', path: '/ping' });
    expect(body).toEqual({ answer: 'PONG' });
  });

  it('an included definition that is broken: reported with its place in it, and synced when it is fixed', async () => {
    const { watch, cloud, output } = await open(['Included']);
    const broken = OPENAPI.replace('openapi: 3.0.1', 'openapi: }');
    const failed = await watch.after(() => watch.write('api/included.yaml', broken), isStack('failed'));
    expect(failed.error?.message).toMatch(/^api\/included\.yaml:1:10: Invalid YAML/);
    await watch.after(
      () => watch.write('api/included.yaml', OPENAPI.replace('pong', 'again')),
      isResource('Included', 'in-sync'),
    );
    const { body } = await callRestApi(cloud.endpoint, { id: output('Included'), stage: 'dev', path: '/ping' });
    expect(body).toEqual({ answer: 'again' });
  });

  it('--watch-exclude', async () => {
    const { watch, reportedSince } = await open(['Made'], ['--watch-exclude', 'Made=data/**']);
    const from = watch.lines.length;
    await watch.write('src/made/data/notes.txt', '2');
    await watch.write('src/made/data/deep/more.txt', '2');
    await watch.quiet();
    expect(reportedSince(from)).toEqual([]);
  });

  it('--tail: log lines as they come, with the function, also where two share a log group', async () => {
    const { watch, answer } = await open(['Editable', 'Two', 'Made'], ['--tail']);
    const said = await watch.after(
      () => answer('Editable'),
      ({ event, text }) => event === 'log' && String(text).includes('lent 1'),
    );
    expect(said.resource).toBe('Editable');
    for (const name of ['Two', 'Made']) {
      const line = await watch.after(
        () => answer(name),
        ({ event, text, resource }) =>
          event === 'log' && resource !== 'Editable' && String(text).startsWith('REPORT RequestId'),
      );
      expect(line.resource).toBe(name);
    }
  });

  it('rebuilds nothing that was there: a folder moved away and back', async () => {
    const { dir, watch } = await open(['One', 'Two']);
    const folder = path.join(dir, 'src/common');
    await fs.rm(path.join(dir, 'src/two/app.ts'));
    await watch.after(
      () => watch.write('src/two/app.ts', "export { common as handler } from '../common/common';\n"),
      isResource('Two', 'in-sync'),
    );
    const failed = await watch.after(() => fs.rename(folder, `${folder}.away`), isResource('Two', 'failed'));
    expect(failed.error?.message).toContain('common');
    await watch.after(() => fs.rename(`${folder}.away`, folder), isResource('Two', 'in-sync'));
  });
});
