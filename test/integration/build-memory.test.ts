import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openBuildMemory } from '../../src/builder/cache/build-memory.ts';
import type { RememberedBuild } from '../../src/builder/cache/build-memory.ts';
import { isSettled, startReading } from '../../src/builder/cache/input-stamp.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import { exists } from '../../src/support/files.ts';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { poll } from '../support/cloud.ts';
import { fakeFunction, fakeStack } from '../support/stack-builder.ts';
import { makePipe } from '../support/special-files.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What happens to a remembered function, and what the next build makes of it: its files, or why it fails. */
interface Row {
  change(code: string): Promise<void>;
  expected: (app: BuiltApp, id: string) => Promise<void>;
  runtime?: string;
}

const CODE = { 'app.py': 'A', 'lib/more.py': 'B' };
const files = (expected: Record<string, string>): Row['expected'] => {
  return async (app, id) => {
    expect(await app.files(id)).toEqual({ ...CODE, 'requirements.txt': `# ${id}\n`, ...expected });
    expect(app.outcomes[id]).toBe('done');
  };
};
const fails = (message: RegExp): Row['expected'] => {
  return async (app, id) =>
    expect(app.failures.find(({ ids }) => ids.includes(id))).toMatchObject({ message: expect.stringMatching(message) });
};
const write = (name: string, text: string): Row['change'] => {
  return async (code) => fs.writeFile(path.join(code, name), text);
};

const onUnix: Record<string, Row> = {
  Executable: {
    change: (code) => fs.chmod(path.join(code, 'app.py'), 0o755),
    expected: async (app, id) => {
      const { mode } = await fs.stat(path.join(app.result.folders.get(id)?.path ?? '', 'app.py'));
      expect(mode & 0o111).not.toBe(0);
    },
  },
  Pipe: { change: (code) => makePipe(path.join(code, 'pipe')), expected: fails(/is a named pipe, not a file/) },
  Retargeted: {
    change: async (code) => {
      await fs.rm(path.join(code, 'link.py'), { force: true });
      await fs.symlink(path.join(code, 'lib', 'more.py'), path.join(code, 'link.py'));
    },
    expected: files({ 'link.py': 'B' }),
  },
  FolderReplaced: {
    change: async (code) => {
      await fs.rename(path.join(code, 'lib'), `${code}-lib`);
      await fs.writeFile(path.join(`${code}-lib`, 'more.py'), 'X');
      await fs.symlink(`${code}-lib`, path.join(code, 'lib'));
    },
    expected: files({ 'lib/more.py': 'X' }),
  },
};
const ROWS: Record<string, Row> = {
  Saved: { change: write('app.py', 'longer'), expected: files({ 'app.py': 'longer' }) },
  SameSizeAndTime: {
    change: async (code) => {
      const { atime, mtime } = await fs.stat(path.join(code, 'app.py'));
      await write('app.py', 'Z')(code);
      await fs.utimes(path.join(code, 'app.py'), atime, mtime);
    },
    expected: files({ 'app.py': 'Z' }),
  },
  New: { change: write('lib/new.py', 'N'), expected: files({ 'lib/new.py': 'N' }) },
  Removed: {
    change: (code) => fs.rm(path.join(code, 'lib'), { recursive: true }),
    expected: async (app, id) =>
      expect(await app.files(id)).toEqual({ 'app.py': 'A', 'requirements.txt': `# ${id}\n` }),
  },
  Renamed: {
    change: (code) => fs.rename(path.join(code, 'app.py'), path.join(code, 'b.py')),
    expected: async (app, id) =>
      expect(await app.files(id)).toEqual({ 'b.py': 'A', 'lib/more.py': 'B', 'requirements.txt': `# ${id}\n` }),
  },
  Manifest: {
    change: write('requirements.txt', '-r missing.txt\n'),
    expected: fails(/missing\.txt, which does not exist/),
  },
  NodeSaved: {
    runtime: 'nodejs22.x',
    change: write('app.py', 'js'),
    expected: files({ 'app.py': 'js' }),
  },
  ...(process.platform === 'win32' ? {} : onUnix),
};

it('what is remembered of a build is used as long as nothing in its inputs changed', async () => {
  const ids = Object.keys(ROWS);
  const all = [...ids, 'Same', 'Unbuilt'];
  const template = `Resources:\n${all
    .map(
      (id) =>
        `  ${id}: { Type: AWS::Serverless::Function, Properties: { CodeUri: ${id}, Handler: app.handler, Runtime: ${ROWS[id]?.runtime ?? 'python3.12'} } }\n`,
    )
    .join('')}`;
  const sources = all.flatMap((id) =>
    Object.entries({ ...CODE, 'requirements.txt': `# ${id}\n` }).map(
      ([name, text]) => [`${id}/${name}`, text] as const,
    ),
  );
  const dir = await tempFolder({ 'template.yaml': template, ...Object.fromEntries(sources) });
  const store = path.join(dir, '.aws-sam/sam-sync');
  await buildApp(dir);
  // files that were written just now may change again without a trace
  await poll(async () => {
    await buildApp(dir);
    const text = await fs.readFile(path.join(store, 'build-memory.json'), 'utf8').catch(() => '');
    return all.every((id) => new RegExp(`[/\\\\]${id}"`).test(text)) ? true : undefined;
  });
  // nothing is hashed again, so that nothing is saved
  await fs.rm(path.join(store, 'source-index.json'));
  const again = await buildApp(dir);
  expect(new Set(Object.values(again.outcomes))).toEqual(new Set(['unchanged']));
  expect(again.inputs('Same').map((input) => input.path)).toContain(path.join(dir, 'Same'));
  expect(await exists(path.join(store, 'source-index.json'))).toBe(false);

  for (const [id, { change }] of Object.entries(ROWS)) await change(path.join(dir, id));
  await fs.rm(path.dirname(again.result.folders.get('Unbuilt')?.path ?? dir), { recursive: true });
  const after = await buildApp(dir);
  for (const [id, { expected }] of Object.entries(ROWS)) await expected(after, id);
  expect([after.outcomes['Same'], after.outcomes['Unbuilt']]).toEqual(['unchanged', 'done']);
  expect(after.failures.map(({ ids: failed }) => failed[0]).sort()).toEqual(
    ids.filter((id) => ['Pipe', 'Manifest'].includes(id)).sort(),
  );
});

it('a build is not remembered with other settings, and one of a damaged file not at all', async () => {
  const dir = await tempFolder({ 'code/app.py': 'A' });
  const file = path.join(dir, 'memory.json');
  const code = path.join(dir, 'code');
  const { definitions } = planBuild(
    fakeStack({ functions: [fakeFunction({ id: 'F', code: { kind: 'folder', path: code } })] }),
    { projectDir: dir, stackName: 's', dependencyLayer: false, buildInSource: false, env: {} },
  );
  const [definition] = definitions;
  if (definition === undefined) throw new Error('no build was planned');
  const entry = { key: 'a'.repeat(32), facts: { bytes: '1', sourceMaps: true }, made: '1:2' };
  const build: RememberedBuild = {
    artifact: entry,
    installed: { ...entry, key: 'b'.repeat(32) },
    hasLayer: true,
    inputs: [{ path: code, excludes: ['.git'] }],
    label: 'pip',
    layerSkipped: { level: 'info', reason: 'too large' },
  };
  const memory = openBuildMemory(file);
  const hourAhead = Date.now() + 3_600_000;
  memory.add(definition, ['python', 2, 'PIP_PRE=1'], { ...build, start: startReading(code) });
  expect(memory.find(definition, ['python', 2, 'PIP_PRE=1'])).toBe(undefined); // its file was written just now
  memory.add(definition, ['python', 2, 'PIP_PRE=1'], { ...build, start: { ...startReading(code), since: hourAhead } });
  await memory.save();
  // another folder of the same name was read, as if a link or a folder above had led there
  const start = { ...startReading(dir), codeDir: code, since: hourAhead };
  memory.add(definition, ['nodejs', 1], { ...build, start });
  expect(memory.find(definition, ['nodejs', 1])).toBe(undefined);
  const next = openBuildMemory(file);
  expect(next.find(definition, ['python', 2, 'PIP_PRE=1'])).toEqual({ ...build, isRecent: true });
  expect(next.find(definition, ['python', 3, 'PIP_PRE=1'])).toBe(undefined);
  expect(next.find(definition, ['python', 2])).toBe(undefined);
  expect(next.find({ ...definition, key: 'other' }, ['python', 2, 'PIP_PRE=1'])).toBe(undefined);
  const text = await fs.readFile(file, 'utf8');
  for (const [part, damage] of [
    ['a'.repeat(32), '../../elsewhere'],
    ['b'.repeat(32), 'x'],
    ['hasLayer', 'has'],
    ['inputs', 'other'],
  ] as const) {
    await fs.writeFile(file, text.replace(part, damage));
    expect(openBuildMemory(file).find(definition, ['python', 2, 'PIP_PRE=1']), part).toBe(undefined);
  }
});

it('a build is not remembered if a link on the way to an included file is new', async () => {
  const dir = await tempFolder({ 'code/app.py': 'A', 'one/requirements.txt': '# one' });
  const code = path.join(dir, 'code');
  const included = path.join(dir, 'link', 'requirements.txt');
  const inputs = [code, included].map((place) => ({ path: place, excludes: [] }));
  const written = Date.now();
  await poll(async () => (Date.now() > written + 50 ? true : undefined));
  await fs.symlink(path.join(dir, 'one'), path.join(dir, 'link'), 'junction');
  // what was written up to 2 s before the start may change again without a trace: all of it but the link is older
  const start = { ...startReading(code), since: written + 2_020 };
  expect(
    isSettled([...inputs.slice(0, 1), { path: path.join(dir, 'one/requirements.txt'), excludes: [] }], start),
  ).toBe(true);
  expect(isSettled(inputs, start)).toBe(false);
});
