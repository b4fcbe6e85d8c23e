import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { spawn } from '../../src/support/process/spawn.ts';

const DIST = path.resolve('dist');

// a part that fails when it is loaded is otherwise seen only by who needs it
it('each part of the bundle can be loaded by itself', async () => {
  const parts = (await fs.readdir(DIST)).filter((name) => name.endsWith('.cjs'));
  expect(parts.length).toBeGreaterThan(20);
  const script = `for (const part of ${JSON.stringify(parts)}) {
    const names = require(require('node:path').join(${JSON.stringify(DIST)}, part));
    for (const name of Object.keys(names)) if (names[name] === undefined) console.error(part, name);
  }`;
  const { stdout, stderr, code } = await spawn(process.execPath, ['-e', script], {});
  expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: '', code: 0 });
});

it('a watch loads nothing of its page before somebody asks for it', async () => {
  const names = await fs.readdir(DIST);
  const watch = names.find((name) => name.startsWith('watch-application-'));
  expect(names.some((name) => name.startsWith('ui-server-'))).toBe(true);
  const script = `require(require('node:path').join(${JSON.stringify(DIST)}, '${watch}'));
    console.log(Object.keys(require.cache).filter((file) => /ui-(server|commands)-/.test(file)).join());`;
  const { stdout, stderr } = await spawn(process.execPath, ['-e', script], {});
  expect({ stdout, stderr }).toEqual({ stdout: '\n', stderr: '' });
});
