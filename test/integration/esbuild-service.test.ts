import * as esbuild from 'esbuild';
import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { useEsbuild, wakeEsbuild } from '../../src/builder/tools/esbuild-service.ts';
import { tempFolder } from '../support/temp-folder.ts';

it('the process of esbuild ends without work, not during it, and starts again when a file is saved', async () => {
  let [stops, transforms] = [0, 0];
  const counted: typeof esbuild = {
    ...esbuild,
    stop: async () => {
      stops++;
      await esbuild.stop();
    },
    transform: ((input: string) => {
      transforms++;
      return esbuild.transform(input);
    }) as typeof esbuild.transform,
  };
  const use = async (input: string): Promise<string> =>
    useEsbuild(counted, async () => (await counted.transform(input, { loader: 'ts' })).code);
  let finish = (): void => {};
  const held = useEsbuild(counted, () => new Promise<void>((resolve) => (finish = resolve)));
  expect(await use('let a = 1')).toBe('let a = 1;\n');
  expect(stops).toBe(0);
  wakeEsbuild();
  expect(transforms).toBe(1);
  finish();
  await held;
  await expect.poll(() => stops, { timeout: 20_000 }).toBe(1);
  wakeEsbuild();
  wakeEsbuild();
  expect(transforms).toBe(2);
  expect(await use('let b = 2')).toBe('let b = 2;\n');
  await expect.poll(() => stops, { timeout: 20_000 }).toBe(2);
});

/** An esbuild of its own, whose binary notes the ID of each process in a file. */
async function loadNoted(): Promise<{ noted: typeof esbuild; pids: () => Promise<number[]> }> {
  const require = createRequire(import.meta.url);
  const binary = createRequire(require.resolve('esbuild')).resolve(
    `@esbuild/${process.platform}-${process.arch}/bin/esbuild`,
  );
  const dir = await tempFolder({ esbuild: `#!/bin/sh\necho $$ >> "\${0%/*}/pids"\nexec '${binary}' "$@"\n` });
  await fs.chmod(path.join(dir, 'esbuild'), 0o755);
  process.env['ESBUILD_BINARY_PATH'] = path.join(dir, 'esbuild');
  try {
    delete require.cache[require.resolve('esbuild')];
    const noted = require('esbuild') as typeof esbuild;
    const pids = async (): Promise<number[]> =>
      (await fs.readFile(path.join(dir, 'pids'), 'utf8')).trim().split('\n').map(Number);
    return { noted, pids };
  } finally {
    delete process.env['ESBUILD_BINARY_PATH'];
  }
}

it.skipIf(process.platform === 'win32')(
  'work whose process of esbuild is killed runs again, all of it with one new process; a process that never runs is reported',
  async () => {
    const { noted, pids } = await loadNoted();
    let waiting = 0;
    const kill = async (): Promise<void> => {
      process.kill((await pids()).at(-1) ?? 0, 'SIGKILL');
    };
    const build = (hangs: () => boolean): Promise<string> =>
      useEsbuild(noted, async () => {
        const setup = (one: esbuild.PluginBuild): void =>
          one.onResolve({ filter: /.*/ }, async () => {
            if (!hangs()) return undefined;
            if (++waiting % 2 === 0) await kill();
            return new Promise(() => {});
          });
        const plugins = [{ name: 'waits', setup }];
        const stdin = { contents: "import './app.js'", resolveDir: await tempFolder({ 'app.js': 'app()' }) };
        const options = { stdin, plugins, bundle: true, write: false, logLevel: 'silent' } as const;
        return (await noted.build(options)).outputFiles[0]?.text ?? '';
      });
    const once = (): (() => boolean) => {
      let isFirst = true;
      return () => isFirst && !(isFirst = false);
    };
    const texts = await Promise.all([build(once()), build(once())]);
    for (const text of texts) expect(text).toContain('app()');
    expect(await pids()).toHaveLength(2);
    // without work
    await kill();
    expect(await build(() => false)).toContain('app()');
    const failures = await Promise.allSettled([build(() => true), build(() => true)]);
    for (const failure of failures)
      expect(failure).toMatchObject({
        reason: { message: expect.stringMatching(/^The process of esbuild does not run: The service was stopped/) },
      });
    await noted.stop();
  },
);
