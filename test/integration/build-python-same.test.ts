import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import type { PackageIndex } from '../support/python-packages.ts';
import { pythonEnv, pythonTemplate } from '../support/python-env.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

// A function that needs `lib`, which needs `lib2` and a package of an index. How it says so is what is generated.
interface Project {
  tool: 'pip' | 'uv';
  /** Where the packages are named. */
  manifest: 'lock' | 'project' | 'requirements' | 'included';
  /** How the folders are found from each other. */
  layout: 'sources' | 'workspace' | 'inside';
  editable: boolean;
  /** The function's folder. */
  place: 'fn' | 'apps/deep/fn';
  architecture: 'x86_64' | 'arm64';
}

const uvProjects: fc.Arbitrary<Project> = fc.record({
  tool: fc.constant('uv'),
  manifest: fc.constantFrom('lock', 'project', 'requirements', 'included'),
  layout: fc.constantFrom('sources', 'workspace', 'inside'),
  editable: fc.boolean(),
  place: fc.constantFrom('fn', 'apps/deep/fn'),
  architecture: fc.constantFrom('x86_64', 'arm64'),
});
const pipProjects: fc.Arbitrary<Project> = fc.record({
  tool: fc.constant('pip'),
  manifest: fc.constantFrom('requirements', 'included'),
  layout: fc.constant('sources'),
  editable: fc.boolean(),
  place: fc.constantFrom('fn', 'apps/deep/fn'),
  architecture: fc.constantFrom('x86_64', 'arm64'),
});

/** One save: a file of a package, or of the function, or one that is removed (null). */
type Edit = readonly [file: 'lib' | 'lib2' | 'lib/env' | 'lib/build' | 'app' | 'lib/extra', value: string | null];
const edits: fc.Arbitrary<readonly Edit[]> = fc
  .uniqueArray(fc.constantFrom('lib', 'lib2', 'lib/env', 'lib/build', 'app', 'lib/extra'), {
    minLength: 2,
    maxLength: 2,
  })
  .map((files) => files.map((file) => [file, file === 'lib/extra' ? null : 'edited']));

/** Places of what is edited: in the project, and in the artifact. */
function placesOf(project: Project, [file]: Edit): { source: string; artifact: string } {
  const { place } = project;
  const lib = libFolder(project);
  const [name = '', module = '__init__'] = file.split('/');
  if (file === 'app') return { source: `${place}/app.py`, artifact: 'app.py' };
  return {
    source: `${name === 'lib2' ? lib.replace(/lib$/, 'lib2') : lib}/src/${name}/${module === '__init__' ? '' : `${module}/`}__init__.py`,
    artifact: `${name}/${module === '__init__' ? '' : `${module}/`}__init__.py`,
  };
}

const libFolder = ({ layout, place }: Project): string =>
  layout === 'inside' ? `${place}/packages/lib` : 'packages/lib';

function filesOf(project: Project): Record<string, string> {
  const { tool, manifest, layout, editable, place, architecture } = project;
  const lib = libFolder(project);
  const lib2 = `${lib}2`;
  const toLib = path.posix.relative(place, lib);
  const workspace = layout !== 'sources';
  const source = (to: string): string =>
    workspace ? '{ workspace = true }' : `{ path = "${to}", editable = ${editable} }`;
  const asProject = manifest === 'lock' || manifest === 'project';
  const members = `[tool.uv.workspace]\nmembers = ["packages/*"${asProject ? `, "${place}"` : ''}]\n`;
  const ownRoot = layout === 'inside' ? '[tool.uv.workspace]\nmembers = ["packages/*"]\n' : '';
  const requirements = `${editable ? '-e ' : ''}${toLib.startsWith('.') ? toLib : `./${toLib}`}\n${tool === 'pip' ? `${toLib}2\n` : ''}`;
  return {
    'template.yaml': pythonTemplate(place, { architecture, ...(tool === 'uv' && { method: 'python-uv' }) }),
    [`${place}/app.py`]: 'VALUE = "first"\n',
    ...localPackage(lib, 'lib', {
      value: 'first',
      dependencies: ['lib2', 'thing==1.0'],
      more: tool === 'uv' ? `[tool.uv.sources]\nlib2 = ${source('../lib2')}\n` : '',
    }),
    ...localPackage(lib2, 'lib2', { value: 'first' }),
    // names that other tools give to what they make
    [`${lib}/src/lib/env/__init__.py`]: 'VALUE = "first"\n',
    [`${lib}/src/lib/build/__init__.py`]: 'VALUE = "first"\n',
    [`${lib}/src/lib/extra/__init__.py`]: 'VALUE = "first"\n',
    ...(asProject && {
      [`${place}/pyproject.toml`]: `[project]\nname = "fn"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ["lib"]\n[tool.uv.sources]\nlib = ${source(toLib)}\n${ownRoot}`,
    }),
    ...(layout === 'workspace' && { 'pyproject.toml': members }),
    ...(layout === 'inside' && !asProject && { [`${place}/pyproject.toml`]: ownRoot }),
    ...(manifest === 'requirements' && { [`${place}/requirements.txt`]: requirements }),
    ...(manifest === 'included' && {
      [`${place}/requirements.txt`]: '-r more/deps.txt\n',
      [`${place}/more/deps.txt`]: requirements,
    }),
  };
}

/** What of an artifact would differ between machines, or lead out of it. */
function tracesOf(files: Record<string, string>, dir: string): string[] {
  const named = Object.keys(files).filter((name) =>
    /direct_url|uv_cache|uv_build|INSTALLER|REQUESTED|\.lock$|\.pth$/.test(name),
  );
  return [
    ...named.filter((name) => name !== 'uv.lock'),
    ...Object.keys(files).filter((name) => files[name]?.includes(dir)),
  ];
}

async function checkProject(project: Project, changes: readonly Edit[], index: PackageIndex): Promise<void> {
  const dir = await tempFolder(filesOf(project));
  const env = await pythonEnv({ caches: path.join(await tempFolder(), 'first'), index: index.url });
  if (project.manifest === 'lock') {
    const cwd = path.join(dir, project.layout === 'workspace' ? '.' : project.place);
    await promisify(execFile)('uv', ['lock', '--quiet'], { cwd, env: env });
  }
  const build = async (where: string, variables = env): Promise<Record<string, string>> => {
    const app = await buildApp(where, { env: variables });
    expect(app.failures).toEqual([]);
    return app.files('Fn');
  };
  const first = await build(dir);
  expect(first).toMatchObject({ 'thing.py': expect.any(String), 'lib2/__init__.py': 'VALUE = "first"\n' });
  for (const edit of changes) {
    const { source, artifact } = placesOf(project, edit);
    if (edit[1] === null) await fs.rm(path.join(dir, source));
    else await writeFiles(dir, { [source]: `VALUE = "${edit[1]}"\n` });
    const edited = await build(dir);
    expect(edited[artifact], `${artifact} after the edit of ${source}`).toBe(
      edit[1] === null ? undefined : `VALUE = "${edit[1]}"\n`,
    );
  }
  expect(await buildApp(dir, { env })).toMatchObject({ commands: [] });
  const now = await build(dir);
  expect(tracesOf(now, dir)).toEqual([]);
  // a second machine: another folder, nothing in any cache
  const second = await tempFolder();
  await fs.cp(dir, second, { recursive: true, filter: (file) => path.basename(file) !== '.aws-sam' });
  expect(
    await build(second, await pythonEnv({ caches: path.join(await tempFolder(), 'second'), index: index.url })),
  ).toEqual(now);
  await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
  expect(await build(dir)).toEqual(now);
  const sources = (await fs.readdir(path.join(dir, libFolder(project))))
    .filter((name) => name !== '__pycache__')
    .sort();
  expect(sources).toEqual(['backend.py', 'pyproject.toml', 'src']);
}

it.each([
  ['uv', uvProjects, 4],
  ['pip', pipProjects, 2],
] as const)(
  'after edits, on another machine and without caches, %s projects give the same',
  async (_tool, projects, numRuns) => {
    const index = await startIndex([
      { name: 'thing', version: '1.0', files: { 'thing.py': 'X = 1\n' }, scripts: { thing: 'thing:X' } },
    ]);
    await fc.assert(
      fc.asyncProperty(projects, edits, (project, changes) => checkProject(project, changes, index)),
      { numRuns, endOnFailure: true },
    );
  },
  400_000,
);
