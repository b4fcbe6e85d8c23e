import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { isResource } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Large:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, CodeUri: ., Handler: app.handler}
Outputs:
  Large: {Value: !Ref Large}
`;

const apps = watchedApps();

/** Writes files of a few bytes, so many to a folder. */
async function fill(folder: string, count: number, perFolder: number): Promise<void> {
  for (let n = 0; n < count; n += perFolder) {
    const sub = path.join(folder, `d${n / perFolder}`);
    await fs.mkdir(sub, { recursive: true });
    await Promise.all(
      Array.from({ length: perFolder }, (_, i) => fs.writeFile(path.join(sub, `m${i}.js`), `exports.n = ${n + i};\n`)),
    );
  }
}

/** The watches that the kernel keeps for a process; undefined where it is not Linux. */
async function inotifyWatches(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const folder = `/proc/${pid}/fdinfo`;
  const texts = await Promise.all(
    (await fs.readdir(folder)).map((name) => fs.readFile(path.join(folder, name), 'utf8').catch(() => '')),
  );
  return texts.join('\n').match(/^inotify wd:/gm)?.length ?? 0;
}

it('5,000 source files beside 20,000 in node_modules: a watch for each folder of source only', async () => {
  const app = await apps.create({
    'template.yaml': TEMPLATE,
    'package.json': '{"name": "large", "version": "1.0.0"}',
    'app.js': "exports.handler = async () => require('./lib/d3/m7.js').n;\n",
  });
  const { dir } = app;
  await fill(path.join(dir, 'lib'), 5_000, 25);
  await fill(path.join(dir, 'node_modules'), 20_000, 25);
  const watch = await app.ready();
  const ready = await watch.seen(({ event }) => event === 'ready');
  // lib, its 200 folders, the project and the one that it is in
  expect(ready['folders']).toBeLessThanOrEqual(203);
  expect((await inotifyWatches(watch.pid)) ?? 0).toBeLessThanOrEqual(Number(ready['folders']));

  await watch.save('lib/d3/m7.js', 'exports.n = -1;\n', 'Large');
  expect(await app.answer('Large')).toBe(-1);

  // installing packages is nobody's change
  const from = watch.lines.length;
  await fill(path.join(dir, 'node_modules', 'new'), 500, 25);
  await watch.quiet();
  expect(watch.lines.slice(from)).toEqual([]);
  // a folder that is made is watched as well
  await watch.after(() => fill(path.join(dir, 'lib', 'more'), 500, 25), isResource('Large', 'in-sync'));
  await watch.quiet();
  await watch.save('lib/more/d9/m1.js', 'exports.n = -2;\n', 'Large');
  await watch.stop();
});
