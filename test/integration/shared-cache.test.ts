import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { zipSync } from 'fflate';
import type { ZipOptions } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildStoreDir } from '../../src/builder/build-options.ts';
import { openSourceHasher } from '../../src/builder/cache/source-hash.ts';
import { BudgetSpentError } from '../../src/builder/cache/work-budget.ts';
import type { WorkBudget } from '../../src/builder/cache/work-budget.ts';
import type { Acceptance } from '../../src/shared-cache/acceptance.ts';
import { openFileScope } from '../../src/shared-cache/scopes/file-scope.ts';
import { guardScope } from '../../src/shared-cache/scopes/guarded-scope.ts';
import { forgetEntries, openLocalMemory } from '../../src/shared-cache/local-memory.ts';
import type { CacheScope } from '../../src/shared-cache/scopes/scope.ts';
import { hashInputs, inputPlace } from '../../src/shared-cache/shared-inputs.ts';
import { scopeStatus } from '../../src/shared-cache/scopes/scope-status.ts';
import { openSharedCache } from '../../src/shared-cache/shared-cache.ts';
import type { CacheSummary, WrittenBuilds } from '../../src/shared-cache/summary.ts';
import { writeBuilds } from '../../src/shared-cache/write-builds.ts';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { makePipe } from '../support/special-files.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Bundled:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [src/app.ts] } }
    Properties: { CodeUri: bundled, Handler: src/app.handler, Runtime: nodejs22.x }
  Installed:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: installed, Handler: app.handler, Runtime: nodejs22.x }
`;

const LOCK = { name: 'installed', lockfileVersion: 3, packages: { '': {}, 'node_modules/dep': { version: '1.0.0' } } };

const APP: Readonly<Record<string, string>> = {
  'template.yaml': TEMPLATE,
  '.git/HEAD': 'ref: refs/heads/main\n',
  'bundled/src/app.ts': "import { answer } from '../../common/answer';\nexport const handler = async () => answer;\n",
  'bundled/tsconfig.json': '{ "extends": "../common/base.json" }',
  'common/base.json': '{}',
  'common/answer.ts': 'export const answer: number = 42;\n',
  'installed/package.json': JSON.stringify({ name: 'installed', version: '1.0.0', dependencies: { dep: '1.0.0' } }),
  'installed/package-lock.json': JSON.stringify(LOCK),
  // on Linux one name
  'installed/back\\slash.txt': '',
  'installed/app.js': "exports.handler = async () => require('dep');\n",
};

/** An npm that installs `dep` from nowhere. */
const NPM = `#!/bin/sh
case "$1" in
  --version) echo 11.0.0 ;;
  *) /bin/mkdir -p node_modules/dep && echo 'module.exports = 7' > node_modules/dep/index.js &&
     echo '{"name":"dep","version":"1.0.0"}' > node_modules/dep/package.json ;;
esac
`;

/** A make that copies. */
const MAKE = '#!/bin/sh\n/bin/cp app.js "$ARTIFACTS_DIR"\n';

interface RunOptions {
  /** Scopes, the first of which is written. */
  scopes: readonly CacheScope[];
  write?: boolean;
  /** Without tools: PATH leads nowhere. */
  npm?: boolean;
  secret?: string;
  accept?: Acceptance;
  machine?: { platform?: string; libc?: string };
  timeoutMs?: number;
  dependencyLayer?: boolean;
  buildInSource?: boolean;
}

interface Run {
  app: BuiltApp;
  notes: string[];
  summary: CacheSummary;
  written: WrittenBuilds | undefined;
  ms: number;
}

/** Builds the application in a folder as one run of the command does. */
async function run(dir: string, options: RunOptions): Promise<Run> {
  const { scopes, secret, accept = 'any', machine = {}, timeoutMs = 10_000, npm = true } = options;
  const { dependencyLayer = false, buildInSource = false } = options;
  const notes: string[] = [];
  const reporter = {
    report: (event: { type: string; text?: string }) => void (event.type === 'note' && notes.push(event.text ?? '')),
  };
  const { signal } = new AbortController();
  const guarded = scopes.map((scope) => guardScope(scope, { reporter, signal, timeoutMs }));
  const [first] = guarded;
  const storeDir = buildStoreDir(dir);
  const memory = openLocalMemory(path.join(storeDir, 'shared'));
  const settings = {
    scopes: guarded,
    memory: options.write ? forgetEntries(memory) : memory,
    secret,
    accept,
    isWriting: options.write === true,
    machine: { version: '0', platform: 'linux', architecture: 'x64', libc: 'glibc 2.36', ...machine },
    reporter,
  };
  const cache = openSharedCache(settings);
  const tools = await tempFolder(npm ? { npm: NPM, make: MAKE } : {});
  for (const name of await fs.readdir(tools)) await fs.chmod(path.join(tools, name), 0o755);
  const started = performance.now();
  const env = { PATH: tools, HOME: await tempFolder() };
  const app = await buildApp(dir, { env, sharedBuilds: cache, dependencyLayer, buildInSource });
  const ms = performance.now() - started;
  await settings.memory.save();
  const written =
    options.write && first ? await writeBuilds(cache, { ...settings, scope: first, storeDir, signal }) : undefined;
  return { app, notes, summary: cache.summary, written, ms };
}

async function checkout(files: Readonly<Record<string, string>> = {}): Promise<string> {
  return path.join(await tempFolder(prefixed('work/app', { ...APP, ...files })), 'work/app');
}

function prefixed(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

/** A folder with what one checkout built and wrote. */
async function fill(options: Partial<RunOptions> = {}, files: Readonly<Record<string, string>> = {}) {
  const folder = await tempFolder();
  const scope = openFileScope('file:cache', folder);
  const dir = await checkout(files);
  const filled = await run(dir, { scopes: [scope], write: true, ...options });
  expect(filled.app.failures).toEqual([]);
  return { folder, scope, dir, filled };
}

let first: Awaited<ReturnType<typeof fill>>;
beforeAll(async () => {
  first = await fill();
});

/** A copy of that folder, for one test. */
async function filledCache() {
  const folder = await tempFolder();
  await fs.cp(first.folder, folder, { recursive: true });
  return { ...first, folder, scope: openFileScope('file:cache', folder) };
}

interface Stored {
  file: string;
  entry: { kind: string; code: { sha256: string; size: number }; madeBy: { platform: string; tools: object } };
}

/** The entries that npm was needed for: of the function, and of its packages alone. */
async function installedEntries(folder: string): Promise<Stored[]> {
  const found: Stored[] = [];
  for (const name of await fs.readdir(path.join(folder, 'ac'))) {
    const file = path.join(folder, 'ac', name);
    const entry = JSON.parse(await fs.readFile(file, 'utf8')) as Stored['entry'];
    if (entry.kind === 'build' && 'npm' in entry.madeBy.tools) found.push({ file, entry });
  }
  expect(found).toHaveLength(2);
  return found;
}

const zipsOf = async (folder: string): Promise<string[]> =>
  (await installedEntries(folder)).map(({ entry }) => path.join(folder, 'cas', entry.code.sha256));

describe('a build that another checkout has made', () => {
  it('is taken without a tool, and is the same: files, handler, inputs, zip', async () => {
    const { scope, filled } = await filledCache();
    const dir = await checkout();
    const taken = await run(dir, { scopes: [scope], npm: false });
    expect(taken.app.failures).toEqual([]);
    expect(taken.app.commands).toEqual([]);
    expect(taken.summary).toMatchObject({ hits: 2, taken: 2, misses: 0 });
    for (const id of ['Bundled', 'Installed']) expect(await taken.app.files(id)).toEqual(await filled.app.files(id));
    expect(taken.app.result.handlers).toEqual(filled.app.result.handlers);
    const paths = taken.app.inputs('Bundled').map(({ path: place }) => path.relative(dir, place));
    expect(paths).toContain(path.join('common', 'answer.ts'));
    expect(filled.written).toMatchObject({ written: 2, notShared: {} });
  });

  it('is not asked for again, and one that is built here is not either', async () => {
    const { scope, dir } = await filledCache();
    let reads = 0;
    const counting: CacheScope = { ...scope, read: (...how) => (reads++, scope.read(...how)) };
    const other = await checkout();
    await run(other, { scopes: [counting], npm: false });
    expect(reads).toBeGreaterThan(0);
    reads = 0;
    for (const place of [other, dir]) {
      const again = await run(place, { scopes: [counting], npm: false });
      expect([again.app.outcomes, reads]).toEqual([{ Bundled: 'unchanged', Installed: 'unchanged' }, 0]);
    }
  });

  it.each([
    ['a file outside the code folder', { 'common/answer.ts': 'export const answer = 43;\n' }, 'Bundled'],
    ['a file that would be found first', { 'common/answer.tsx': 'export const answer = 44;\n' }, 'Bundled'],
    ['a base of tsconfig.json', { 'common/base.json': '{ "compilerOptions": { "strict": true } }' }, 'Bundled'],
    ['the lock file', { 'installed/package-lock.json': JSON.stringify({ ...LOCK, version: '2' }) }, 'Installed'],
    [
      'a property of the build',
      { 'template.yaml': TEMPLATE.replace('[src/app.ts] }', '[src/app.ts], Minify: false }') },
      'Bundled',
    ],
    [
      'the runtime',
      {
        'template.yaml': TEMPLATE.replace(
          'app.handler, Runtime: nodejs22.x }\n',
          'app.handler, Runtime: nodejs20.x }\n',
        ),
      },
      'Bundled',
    ],
  ])('is another one after a change of %s', async (_what, files, id) => {
    const { scope } = await filledCache();
    const changed = await run(await checkout(files), { scopes: [scope], write: true });
    expect(changed.summary).toMatchObject({ hits: 1, misses: 1 });
    expect(changed.written).toMatchObject({ written: 1 });
    // both states are found from then on
    for (const state of [files, {}]) {
      const found = await run(await checkout(state), { scopes: [scope], npm: false });
      expect([found.app.failures, found.summary.hits, id]).toEqual([[], 2, id]);
    }
  });

  it('brings its dependency layer', async () => {
    const { scope, filled } = await fill({ dependencyLayer: true });
    const taken = await run(await checkout(), { scopes: [scope], npm: false, dependencyLayer: true });
    expect(taken.app.failures).toEqual([]);
    expect(await taken.app.layerFiles('Installed')).toEqual(await filled.app.layerFiles('Installed'));
    expect(Object.keys(await taken.app.files('Installed'))).not.toContain('node_modules/dep/index.js');
  });

  it('is taken as a stream if its zip is large', async () => {
    const data = { 'installed/data.txt': randomBytes(1_000_000).toString('base64') };
    const { scope, filled } = await fill({}, data);
    const taken = await run(await checkout(data), { scopes: [scope], npm: false });
    expect([taken.app.failures, taken.summary.hits]).toEqual([[], 2]);
    expect(await taken.app.files('Installed')).toEqual(await filled.app.files('Installed'));
  });

  it('is known as long as its place is given: another place is asked, and gets what it lacks', async () => {
    const { scope } = await filledCache();
    const dir = await checkout();
    expect((await run(dir, { scopes: [scope], npm: false })).summary).toMatchObject({ hits: 2 });
    const other = openFileScope('file:other', await tempFolder());
    const built = await run(dir, { scopes: [other], write: true });
    expect([built.summary, built.written]).toMatchObject([{ hits: 0, misses: 2 }, { written: 2 }]);
    const taken = await run(await checkout(), { scopes: [other], npm: false });
    expect(taken.summary).toMatchObject({ hits: 2 });
  });

  it('is taken from the first place that has it', async () => {
    const { scope } = await filledCache();
    const empty = openFileScope('file:empty', await tempFolder());
    const taken = await run(await checkout(), { scopes: [empty, scope], npm: false });
    expect(taken.summary).toMatchObject({ hits: 2 });
  });
});

describe('packages that another checkout has installed', () => {
  const edited = { 'installed/app.js': "exports.handler = async () => require('dep') + 1;\n" };

  it.each([false, true])('serve edited code without a tool (dependency layer: %s)', async (dependencyLayer) => {
    const { scope, filled } = await (dependencyLayer ? fill({ dependencyLayer }) : filledCache());
    const dir = await checkout(edited);
    const taken = await run(dir, { scopes: [scope], npm: false, dependencyLayer, write: true });
    expect(taken.app.failures).toEqual([]);
    expect(taken.summary).toMatchObject({ hits: 1, misses: 1, packagesTaken: 1 });
    const [files, before] = [await taken.app.files('Installed'), await filled.app.files('Installed')];
    expect(files).toEqual({ ...before, 'app.js': edited['installed/app.js'] });
    if (dependencyLayer)
      expect(await taken.app.layerFiles('Installed')).toEqual(await filled.app.layerFiles('Installed'));
    expect(taken.written).toMatchObject({ written: 1, packagesWritten: 0 });
    // the next checkout finds build and packages, this one asks for nothing again
    const silent: CacheScope = { ...scope, read: () => Promise.reject(new Error('it was asked')) };
    const again = await run(dir, { scopes: [silent], npm: false, dependencyLayer });
    expect([again.app.outcomes['Installed'], again.notes]).toEqual(['unchanged', []]);
    const next = await run(await checkout(edited), { scopes: [scope], npm: false, dependencyLayer });
    expect(next.summary.hits).toBe(2);
  });

  it.each([
    ['another lock file', { 'installed/package-lock.json': JSON.stringify({ ...LOCK, version: '2' }) }],
    ['other settings of npm', { 'installed/.npmrc': 'legacy-peer-deps=true\n' }],
    [
      'another architecture',
      { 'template.yaml': TEMPLATE.replace('CodeUri: installed,', 'CodeUri: installed, Architectures: [arm64],') },
    ],
  ])('are others with %s', async (_what, files) => {
    const { scope } = await filledCache();
    const { app, summary } = await run(await checkout({ ...edited, ...files }), { scopes: [scope] });
    expect([app.failures, app.commands.length, summary.packagesTaken]).toEqual([[], 1, 0]);
  });

  it('are shared also if the code is not', async () => {
    const script = APP['installed/package.json']?.replace('{', '{"scripts":{"prepack":"true"},') ?? '';
    const { filled, scope } = await fill({}, { 'installed/package.json': script });
    expect(filled.written).toMatchObject({ written: 1, packagesWritten: 1 });
    const taken = await run(await checkout(edited), { scopes: [scope], npm: false });
    expect([taken.app.failures, taken.summary.packagesTaken]).toEqual([[], 1]);
  });

  it('of another platform are not written again as those of this one', async () => {
    const { scope } = await filledCache();
    const how = { scopes: [scope], npm: false, write: true, machine: { libc: 'musl' } };
    const { notes, written } = await run(await checkout(edited), how);
    expect(written).toMatchObject({ written: 0, packagesWritten: 0 });
    expect(notes).toContain('Installed: not shared, because its packages were installed on linux x64 (glibc 2.36)');
  });
});

describe('poisoning', () => {
  const replaceZip = async (folder: string): Promise<void> => {
    const evil = zipSync({ 'app.js': Buffer.from('evil') });
    for (const file of await zipsOf(folder)) await fs.writeFile(file, evil);
  };
  /** The writer of an entry can name any zip; it must unpack safely. */
  const enterZip = async (folder: string, zip: Uint8Array): Promise<void> => {
    const sha256 = createHash('sha256').update(zip).digest('hex');
    await fs.writeFile(path.join(folder, 'cas', sha256), zip);
    for (const { file, entry } of await installedEntries(folder))
      await fs.writeFile(file, JSON.stringify({ ...entry, code: { sha256, size: zip.length } }));
  };
  /** Changes what the entries that name files say. */
  const nameFile = async (folder: string, named: string, excludes: string[] = []): Promise<void> => {
    for (const name of await fs.readdir(path.join(folder, 'ac'))) {
      const file = path.join(folder, 'ac', name);
      const entry = JSON.parse(await fs.readFile(file, 'utf8')) as { kind: string; inputs?: object[] };
      entry.inputs?.push({ path: named, excludes });
      if (entry.kind === 'inputs') await fs.writeFile(file, JSON.stringify(entry));
      else await fs.rm(file);
    }
  };
  const link = (target: string): [Buffer, ZipOptions] => [
    Buffer.from(target),
    { os: 3, attrs: (0o120777 << 16) >>> 0 },
  ];
  /** A folder in the zip, and the way from there to the top of it. */
  const [DEEP, UP] = ['a/'.repeat(30), '../'.repeat(30)];
  const NAMED =
    /an entry was refused, because it names files that are outside the repository, cannot be read or are too many/;
  const attacks: [string, (folder: string) => Promise<void>, RegExp, Partial<RunOptions>?][] = [
    ['a replaced zip', replaceZip, /Installed was refused, because its zip (?:has another hash|is truncated)/],
    [
      'a zip of the same size',
      async (folder) => {
        for (const file of await zipsOf(folder)) await fs.writeFile(file, (await fs.readFile(file)).fill(1, 40, 50));
      },
      /its zip has another hash/,
    ],
    [
      'a truncated zip',
      async (folder) => {
        for (const file of await zipsOf(folder)) await fs.truncate(file, 100);
      },
      /its zip is truncated or has another size/,
    ],
    [
      'a larger zip than announced',
      async (folder) => {
        for (const file of await zipsOf(folder)) await fs.appendFile(file, Buffer.alloc(100_000));
      },
      /its zip is truncated or has another size/,
    ],
    [
      'a zip that leads out of its folder',
      (folder) => enterZip(folder, zipSync({ '../../../evil.js': Buffer.from('evil') })),
      /cannot be unpacked|leads out/,
    ],
    [
      'a link that leads out of its folder',
      (folder) => enterZip(folder, zipSync({ link: link('../../../../etc') })),
      /the link "link" leads out of its folder/,
    ],
    [
      'a link that leads out of its folder through another link',
      (folder) => enterZip(folder, zipSync({ [`${DEEP}up`]: link(UP), [`${DEEP}out`]: link(`up/../${UP}app.js`) })),
      /the link "a\/.*\/out" leads out of its folder/,
    ],
    [
      'a file in the place of a folder',
      (folder) => enterZip(folder, zipSync({ lib: Buffer.from('file'), 'lib/app.js': Buffer.from('evil') })),
      /cannot be unpacked: E/,
    ],
    [
      'a link in the place of a folder',
      (folder) => enterZip(folder, zipSync({ lib: link('app.js'), 'lib/app.js': Buffer.from('evil') })),
      /cannot be unpacked: E/,
    ],
    [
      'a file with too long a name',
      (folder) => enterZip(folder, zipSync({ ['n'.repeat(5000)]: Buffer.from('evil') })),
      /cannot be unpacked: E/,
    ],
    [
      'an entry of another key',
      async (folder) => {
        for (const { file, entry } of await installedEntries(folder))
          await fs.writeFile(file, JSON.stringify({ ...entry, key: '0'.repeat(64) }));
      },
      /an entry was refused, because it is for another build/,
    ],
    [
      'half an entry',
      async (folder) => {
        for (const { file } of await installedEntries(folder)) await fs.truncate(file, 60);
      },
      /an entry was refused, because it is damaged/,
    ],
    [
      'an entry that names a file outside the repository',
      (folder) => nameFile(folder, `${'../'.repeat(40)}etc/passwd`),
      NAMED,
    ],
    [
      'an entry that names a device outside the repository',
      (folder) => nameFile(folder, `${'../'.repeat(40)}dev/zero`),
      NAMED,
    ],
    ['an entry that names a file that cannot be read', (folder) => nameFile(folder, 'n'.repeat(5000)), NAMED],
    [
      'an entry with a pattern that takes long to match',
      (folder) => nameFile(folder, 'app.js', ['*a'.repeat(40)]),
      /an entry was refused, because it is damaged/,
    ],
    [
      'an entry without a signature',
      async () => {},
      /an entry was refused, because it has no signature/,
      { secret: 'ours' },
    ],
    [
      'an entry of another platform',
      async () => {},
      /a build was made on linux x64 \(glibc 2\.36\), which --build-cache-accept refuses/,
      { accept: 'same-platform', machine: { platform: 'darwin', libc: 'none' } },
    ],
  ];

  it.each(attacks)('%s: built here, and reported once', async (_what, attack, message, options = {}) => {
    const { folder, scope, filled } = await filledCache();
    await attack(folder);
    const victim = await run(await checkout(), { scopes: [scope], ...options });
    expect(victim.app.failures).toEqual([]);
    expect(victim.app.commands).toHaveLength(1);
    expect(await victim.app.files('Installed')).toEqual(await filled.app.files('Installed'));
    // of the build, and where that has words of its own, of its packages
    expect(victim.notes.filter((text) => message.test(text)).length, victim.notes.join('\n')).toBeGreaterThan(0);
    expect(new Set(victim.notes).size).toBe(victim.notes.length);
    expect(victim.summary.packagesTaken).toBe(0);
  });

  it('an entry cannot have more hashed than any build reads', async () => {
    const dir = await checkout();
    const hasher = openSourceHasher(path.join(await tempFolder(), 'index.json'));
    const place = inputPlace(path.join(dir, 'installed'), dir);
    const named = Array.from({ length: 4 }, () => ({ path: '.', excludes: [] }));
    const hash = (budget: WorkBudget) => hashInputs(named, place, { hasher, budget });
    await expect(hash({ items: 19, bytes: 1e9 })).rejects.toThrow(BudgetSpentError);
    await expect(hash({ items: 20, bytes: 10 })).rejects.toThrow(BudgetSpentError);
    expect(await hash({ items: 20, bytes: 1e9 })).toBe(await hashInputs(named, place, { hasher }));
  });

  it('a wrong signature is refused, the right one accepted', async () => {
    const { scope } = await fill({ secret: 'ours' });
    const right = await run(await checkout(), { scopes: [scope], npm: false, secret: 'ours' });
    expect([right.summary.hits, right.notes]).toEqual([2, []]);
    const wrong = await run(await checkout(), { scopes: [scope], secret: 'theirs' });
    expect(wrong.summary.hits).toBe(0);
    expect(wrong.notes).toEqual([expect.stringContaining('its signature is wrong')]);
  });

  it('a writer reports that entries with another signature are in the way', async () => {
    const { scope } = await fill({ secret: 'old' });
    const { notes, written } = await run(await checkout(), { scopes: [scope], write: true, secret: 'new' });
    expect(written).toMatchObject({ written: 0, failed: 2 });
    expect(notes.filter((text) => text.includes('some builds cannot be added'))).toHaveLength(1);
  });

  it('nothing that is there is replaced', async () => {
    const { folder, scope } = await filledCache();
    const [{ file } = { file: '' }] = await installedEntries(folder);
    await fs.truncate(file, 60);
    const before = await fs.readdir(path.join(folder, 'ac'));
    const writer = await run(await checkout(), { scopes: [scope], write: true });
    expect(writer.written).toMatchObject({ written: 0 });
    expect((await fs.stat(file)).size).toBe(60);
    expect(await fs.readdir(path.join(folder, 'ac'))).toEqual(before);
  });
});

describe('a build of another platform', () => {
  it('is taken, and reported', async () => {
    const { scope } = await filledCache();
    const taken = await run(await checkout(), { scopes: [scope], npm: false, machine: { libc: 'musl' } });
    expect(taken.summary.hits).toBe(2);
    expect(taken.notes).toEqual(['Build cache: using builds that were made on linux x64 (glibc 2.36)']);
  });

  it('cannot write to the terminal', async () => {
    const { folder, scope } = await filledCache();
    for (const { file, entry } of await installedEntries(folder))
      await fs.writeFile(
        file,
        JSON.stringify({ ...entry, madeBy: { ...entry.madeBy, platform: '\u001b]0;mine\u0007' } }),
      );
    const { notes } = await run(await checkout(), { scopes: [scope], npm: false });
    expect(notes).toEqual([expect.stringContaining('made on \uFFFD]0;mine\uFFFD x64')]);
  });

  it('with other tools is refused only with same-tools, and not where the tools are missing', async () => {
    const { folder, scope } = await filledCache();
    for (const { file, entry } of await installedEntries(folder))
      await fs.writeFile(file, JSON.stringify({ ...entry, madeBy: { ...entry.madeBy, tools: { npm: '9.0.0' } } }));
    const refused = await run(await checkout(), { scopes: [scope], accept: 'same-tools' });
    expect(refused.notes).toEqual([expect.stringContaining('made with npm 9.0.0, and here is 11.0.0')]);
    const withoutNpm = await run(await checkout(), { scopes: [scope], accept: 'same-tools', npm: false });
    expect(withoutNpm.summary.hits).toBe(2);
  });
});

describe('what the files of the project do not decide', () => {
  const noLock = { 'installed/package-lock.json': '' };
  it.each([
    [
      'packages without a lock file',
      {},
      ['installed/package-lock.json'],
      {},
      /Installed: not shared, because package.json has no lock/,
    ],
    [
      'a script of the package',
      { 'installed/package.json': APP['installed/package.json']?.replace('{', '{"scripts":{"prepare":"true"},') ?? '' },
      [],
      {},
      /has the script prepare/,
    ],
    [
      'a file with secrets',
      { 'installed/.npmignore': '', 'installed/.env': 'TOKEN=1\n' },
      [],
      {},
      /Installed: not shared, because it packs \.env/,
    ],
    ['a build in its source', noLock, ['installed/package-lock.json'], { buildInSource: true }, /--build-in-source/],
    [
      'a makefile',
      {
        'template.yaml': TEMPLATE.replace(
          '    Properties: { CodeUri: installed',
          '    Metadata: { BuildMethod: makefile }\n    Properties: { CodeUri: installed',
        ),
        'installed/Makefile': 'build-Installed:\n\tcp app.js $(ARTIFACTS_DIR)\n',
      },
      [],
      {},
      /make may use anything/,
    ],
    [
      'a base of tsconfig.json in a package without a lock file',
      {
        'bundled/package.json': '{}',
        'bundled/tsconfig.json': '{ "extends": "base/tsconfig.json" }',
        'bundled/node_modules/base/package.json': '{ "name": "base", "version": "1.0.0" }',
        'bundled/node_modules/base/tsconfig.json': '{}',
      },
      [],
      {},
      /Bundled: not shared, because package.json has no lock/,
    ],
  ])('%s is not shared, and reported', async (_what, files, removed, options, message) => {
    const dir = await checkout(files);
    for (const name of removed) await fs.rm(path.join(dir, name));
    const scope = openFileScope('file:cache', await tempFolder());
    const { notes, written } = await run(dir, { scopes: [scope], write: true, ...options });
    expect(
      notes.filter((text) => message.test(text)),
      notes.join('\n'),
    ).toHaveLength(1);
    const reported = Object.entries(written?.notShared ?? {}).map(([ids, why]) => `${ids}: not shared, because ${why}`);
    expect(reported).toContainEqual(expect.stringMatching(message));
  });
});

describe('a cache that does not work', () => {
  const broken = (what: Partial<CacheScope>): CacheScope => ({ ...openFileScope('file:gone', '/nowhere'), ...what });
  const never = (): Promise<never> => new Promise(() => {});

  it.each([
    ['does not answer', broken({ read: never }), /file:gone: no answer within 0\.3 s; building here without it/],
    ['fails', broken({ read: () => Promise.reject(new Error('it is on fire')) }), /file:gone: it is on fire/],
  ])('and %s costs one time-out, and is reported once', async (_what, scope, message) => {
    let reads = 0;
    const counting: CacheScope = { ...scope, read: (...how) => (reads++, scope.read(...how)) };
    const { app, notes } = await run(await checkout(), { scopes: [counting], timeoutMs: 300 });
    expect(app.failures).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(message)]);
    expect(reads).toBeLessThanOrEqual(2);
  });

  it('because it is no folder is reported once; one that is missing cannot be listed', async () => {
    const folder = await tempFolder({ file: '' });
    const { app, notes } = await run(await checkout(), {
      scopes: [openFileScope('file:file', path.join(folder, 'file'))],
    });
    expect(app.failures).toEqual([]);
    expect(notes).toEqual(['Build cache file:file: it is not a folder; building here without it']);
    for (const name of ['file', 'missing']) {
      const status = scopeStatus(openFileScope(name, path.join(folder, name)), new AbortController().signal);
      await expect(status).rejects.toThrow('there is no such folder');
    }
  });

  it('because pipes are in place of its entries counts as empty', async () => {
    const { folder, scope } = await filledCache();
    for (const { file } of await installedEntries(folder)) {
      await makePipe(file);
    }
    const { app, notes } = await run(await checkout(), { scopes: [scope] });
    expect([app.failures, notes]).toEqual([[], []]);
  });

  it('whose downloads end in the middle is left alone', async () => {
    const { scope } = await filledCache();
    const cut: CacheScope = {
      ...scope,
      open: async (...how) => {
        const content = await scope.open(...how);
        return content && { body: new Readable().destroy(new Error('the connection was cut')) };
      },
    };
    const { app, notes } = await run(await checkout(), { scopes: [cut] });
    expect(app.failures).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('the connection was cut')]);
  });

  it('is not what a busy process looks like: time in which it took no answer does not count', async () => {
    const folder = await tempFolder({ 'ac/one': 'an entry' });
    const notes: string[] = [];
    const reporter = { report: () => void notes.push('left alone') };
    const guard = guardScope(openFileScope('file:cache', folder), {
      reporter,
      signal: new AbortController().signal,
      timeoutMs: 100,
    });
    const answer = guard.read('ac/one');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    expect([await answer, notes]).toEqual(['an entry', []]);
  });

  it('and takes nothing from a writer is reported once', async () => {
    const refusing = broken({ read: async () => undefined, add: () => Promise.reject(new Error('Access denied')) });
    const { notes, written } = await run(await checkout(), { scopes: [refusing], write: true });
    expect(notes).toEqual(['Build cache file:gone: nothing is written: Access denied']);
    expect(written).toMatchObject({ written: 0 });
  });
});

it('two writers at once leave one entry for each build', async () => {
  const folder = await tempFolder();
  const scope = openFileScope('file:cache', folder);
  const runs = await Promise.all([1, 2, 3].map(async () => run(await checkout(), { scopes: [scope], write: true })));
  expect(runs.map(({ app }) => app.failures)).toEqual([[], [], []]);
  // two for each function, and one for the packages
  expect(await fs.readdir(path.join(folder, 'ac'))).toHaveLength(5);
  expect(await fs.readdir(path.join(folder, 'cas'))).toHaveLength(3);
  const taken = await run(await checkout(), { scopes: [scope], npm: false });
  expect(taken.summary.hits).toBe(2);
});

it('a file that is saved after the build is not shared as what was built', async () => {
  const scope = openFileScope('file:cache', await tempFolder());
  const dir = await checkout();
  const saving: CacheScope = {
    ...scope,
    add: async (...how) => {
      await writeFiles(dir, { 'common/answer.ts': 'export const answer = 1;\n', 'installed/app.js': '// saved\n' });
      return scope.add(...how);
    },
  };
  const { written } = await run(dir, { scopes: [saving], write: true });
  expect(written).toMatchObject({ written: 0 });
});

it.each([true, false])(
  'a zip that has expired comes back with the next writer (that took it before: %s)',
  async (before) => {
    const { folder, scope } = await filledCache();
    const dir = await checkout();
    if (before) await run(dir, { scopes: [scope], npm: false });
    for (const file of await zipsOf(folder)) await fs.rm(file);
    const writer = await run(dir, { scopes: [scope], write: true });
    expect(writer.summary).toMatchObject({ hits: 1, misses: 1 });
    const taken = await run(await checkout(), { scopes: [scope], npm: false });
    expect(taken.summary.hits).toBe(2);
  },
);
