import { describe, expect, it } from 'vitest';
import type { BuildInput } from '../../../src/builder/build-result.ts';
import type { CodeSource, FunctionResource, Stack } from '../../../src/model/stack.ts';
import { planTriggers } from '../../../src/watch/sources/triggers.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';

const fn = (id: string, code: CodeSource): FunctionResource => ({ id, code }) as unknown as FunctionResource;
const folder = (path: string): CodeSource => ({ kind: 'folder', path });
const tree = (path: string, ...excludes: string[]): BuildInput => ({ path, excludes });

function stackOf(
  path: string,
  dir: string,
  template: string,
  functions: FunctionResource[],
  children: Stack[] = [],
): Stack {
  const source = parseTemplate(template, 'x');
  return {
    path,
    templateFile: `${dir}/template.yaml`,
    source,
    resolved: source,
    functions,
    layers: [],
    webFunctions: [],
    children,
  } as unknown as Stack;
}

const CHILD = stackOf(
  'Child',
  '/app/child',
  `Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {DefinitionUri: defs/api.yaml}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.asl.json}}
`,
  [fn('Child/Image', { kind: 'image', context: '/app/child/image' })],
);
const ROOT = stackOf(
  '',
  '/app',
  `Resources:
  Job: {Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: job.py}}}
  Api: {Type: AWS::Serverless::Api, Properties: {DefinitionBody: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: api/body.yaml}}}}}
`,
  [
    fn('Py', folder('/app/py')),
    fn('Node', folder('/app/node')),
    fn('Bundle', folder('/app/bundle')),
    fn('Zip', { kind: 'file', path: '/app/fn.zip' }),
    fn('Inline', { kind: 'inline' }),
    fn('Shared1', folder('/app/shared')),
    fn('Shared2', folder('/app/shared')),
    fn('Whole', folder('/app/whole')),
    fn('Other', folder('/app/other')),
  ],
  [CHILD],
);
const BUILT = new Map<string, BuildInput[]>([
  ['Py', [tree('/app/py', '.venv', '*.egg-info'), tree('/app/requirements.txt'), tree('/libs/common', 'build')]],
  ['Node', [tree('/app/node', '/node_modules')]],
  [
    'Bundle',
    [
      tree('/app/bundle/app.ts'),
      tree('/packages/util/src/index.ts'),
      { ...tree('/app/bundle'), direct: true },
      { ...tree('/packages/util/lib'), direct: true, stems: ['a', 'b.min'] },
    ],
  ],
]);
const SYNCABLE = [
  'Py',
  'Node',
  'Bundle',
  'Zip',
  'Shared1',
  'Shared2',
  'Whole',
  'Child/Image',
  'Child/Api',
  'Child/Flow',
];

const triggers = planTriggers({
  root: ROOT,
  syncMethod: (id) => (SYNCABLE.includes(id) ? 'code' : id === 'Other' ? undefined : 'deploy'),
  built: BUILT,
  templateFiles: ['/app/template.yaml', '/app/child/template.yaml', '/app/api/body.yaml'],
  optionFiles: ['/app/samconfig.toml'],
  excludes: { Py: ['data.db', '*.sqlite'], 'Child/Image': ['cache'], 'Child/Flow': ['flow'] },
});

function effects(path: string, isFolder = false): string {
  const { ids, deploy, templates, options } = triggers.effectsOf([{ path, folder: isFolder }]);
  return [
    ...[...ids].sort(),
    ...(deploy ? ['(deploy)'] : []),
    ...(templates ? ['(templates)'] : []),
    ...(options ? ['(options)'] : []),
  ].join(' ');
}

describe('what a change concerns', () => {
  it.each<[string, string, string, boolean?]>([
    ['source', '/app/py/sub/mod.py', 'Py'],
    ['a manifest outside', '/app/requirements.txt', 'Py'],
    ['a local package outside', '/libs/common/mod.py', 'Py'],
    ['what its build leaves out', '/app/py/.venv/lib/x.py', ''],
    ['what its build leaves out, by pattern', '/app/py/x.egg-info/PKG', ''],
    ['excludes of one input are not those of another', '/libs/common/build/x', ''],
    ['compiled files', '/app/py/__pycache__/mod.cpython-313.pyc', ''],
    ['version control', '/app/py/.git/index', ''],
    ['build results', '/app/whole/.aws-sam/x', ''],
    ['editors: vim', '/app/py/.app.py.swp', ''],
    ['editors: vim probing', '/app/py/4913', ''],
    ['editors: backups', '/app/py/app.py~', ''],
    ['editors: Emacs locks', '/app/py/.#app.py', ''],
    ['--watch-exclude', '/app/py/data.db', ''],
    ['--watch-exclude, a glob', '/app/py/x/y.sqlite', ''],
    ['--watch-exclude of one resource is not that of others', '/app/node/data.db', 'Node'],
    ['defect 23: --watch-exclude of images', '/app/child/image/cache/x', ''],
    ['defect 23: --watch-exclude of definitions', '/app/child/flow.asl.json', ''],
    ['node_modules that are installed', '/app/node/node_modules/x/index.js', ''],
    ['node_modules that are taken as they are', '/app/whole/node_modules/x/index.js', 'Whole'],
    ['a bundle: its inputs', '/packages/util/src/index.ts', 'Bundle'],
    ['a bundle: not the file beside', '/packages/util/src/other.ts', ''],
    ['a bundle: names in its folder', '/app/bundle/new.ts', 'Bundle'],
    ['a bundle: not further below', '/app/bundle/test/new.ts', ''],
    ['a bundle: a name with another ending', '/packages/util/lib/a.ts', 'Bundle'],
    ['a bundle: a folder of a name', '/packages/util/lib/a', 'Bundle', true],
    ['a bundle: a name with a dot', '/packages/util/lib/b.min.js', 'Bundle'],
    ['a bundle: not other names in the folder', '/packages/util/lib/b.js', ''],
    ['a bundle: not names that only begin so', '/packages/util/lib/ab.js', ''],
    ['a bundle: the folder itself', '/packages/util/lib', 'Bundle', true],
    ['defect 26: shared code changes those that use it', '/app/shared/x.js', 'Shared1 Shared2'],
    ['a zip', '/app/fn.zip', 'Zip'],
    ['an image context', '/app/child/image/Dockerfile', 'Child/Image'],
    ['defect 23: a definition in a folder of a nested stack', '/app/child/defs/api.yaml', 'Child/Api'],
    ['a file that only a deployment updates', '/app/job.py', '(deploy)'],
    ['the template', '/app/template.yaml', '(templates)'],
    ['a nested template', '/app/child/template.yaml', '(templates)'],
    ['an included file', '/app/api/body.yaml', '(templates)'],
    ['the samconfig', '/app/samconfig.toml', '(options)'],
    ['code of a resource that was not asked for (--resource-id)', '/app/other/x.py', ''],
    ['nothing', '/app/readme.md', ''],
    ['a folder that goes, with all below', '/app/child', 'Child/Api Child/Flow Child/Image (templates)', true],
    ['the folder of a resource', '/app/py', 'Py', true],
  ])('%s: %s', (_name, path, expected, isFolder) => expect(effects(path, isFolder)).toBe(expected));

  it('watches folders that matter and no others', () => {
    const watched = [
      '/app/py',
      '/app/py/sub',
      '/app/py/.venv',
      '/app/py/.git',
      '/app/bundle',
      '/app/bundle/test',
      '/app',
      '/app/node/node_modules',
      '/app/whole/node_modules/x',
    ];
    expect(watched.filter((dir) => triggers.isWatched(dir))).toEqual([
      '/app/py',
      '/app/py/sub',
      '/app/bundle',
      '/app/whole/node_modules/x',
    ]);
  });

  it('starts from files and folders that need not exist', () => {
    expect(triggers.roots).toEqual(
      expect.arrayContaining(['/app/py', '/app/fn.zip', '/packages/util/src/index.ts', '/app/samconfig.toml']),
    );
  });
});

describe('roots', () => {
  const planned = (built: BuildInput[] | undefined, excludes: string[] = []) => {
    const { roots, wasRead } = planTriggers({
      root: stackOf('', '/app', 'Resources: {}', [fn('F', folder('/app/f'))]),
      syncMethod: () => 'code',
      built: new Map(built === undefined ? [] : [['F', built]]),
      templateFiles: [],
      optionFiles: ['/app/f/options.toml'],
      excludes: { F: excludes },
    });
    return { roots, read: roots.filter(wasRead) };
  };

  it('are not those in a watched folder, unless a folder on the way is left out', () => {
    const file = tree('/app/f/sub/requirements.txt');
    const options = '/app/f/options.toml';
    expect(planned([tree('/app/f'), file]).roots).toEqual(['/app/f']);
    expect(planned([file, tree('/app/f', 'x')]).roots).toEqual(['/app/f']);
    expect(planned([tree('/app/f', 'sub'), file]).roots).toEqual(['/app/f', file.path]);
    expect(planned([tree('/app/f', '*.txt', '*.toml'), file]).roots).toEqual(['/app/f', file.path, options]);
    expect(planned([tree('/app/f'), file], ['sub']).roots).toEqual(['/app/f', file.path]);
    expect(planned([{ ...tree('/app/f'), direct: true }, file]).roots).toEqual(['/app/f', file.path, options]);
  });

  it('of code that was not built were not read', () => {
    // the options were read, wherever they are
    const options = '/app/f/options.toml';
    expect(planned(undefined)).toEqual({ roots: ['/app/f', options], read: [options] });
    expect(planned([tree('/app/f')])).toEqual({ roots: ['/app/f'], read: ['/app/f'] });
  });
});
