import { writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { poll } from '../support/cloud.ts';
import { createRandom } from '../support/random.ts';
import { watchedApps } from '../support/watched-app.ts';
import type { WatchedApp } from '../support/watched-app.ts';

const NAMES = Array.from({ length: 10 }, (_, n) => `Fn${n}`);

/** Even ones are Python, odd ones TypeScript that shares a file outside its folder. */
function appFiles(): Record<string, string> {
  const files: Record<string, string> = { 'shared/shared.ts': 'export const shared = 0;\n' };
  const resources = NAMES.map((name, n) => {
    if (n % 2 === 0) {
      files[`${name}/app.py`] = source(n, 0);
      return `  ${name}:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.11, CodeUri: ${name}, Handler: app.handler}\n`;
    }
    files[`${name}/app.ts`] = source(n, 0);
    return `  ${name}:\n    Type: AWS::Serverless::Function\n    Metadata: {BuildMethod: esbuild}\n    Properties: {Runtime: nodejs22.x, CodeUri: ${name}, Handler: app.handler}\n`;
  });
  const outputs = NAMES.map((name) => `  ${name}: {Value: !Ref ${name}}\n`);
  files['template.yaml'] =
    `Transform: AWS::Serverless-2016-10-31\nResources:\n${resources.join('')}Outputs:\n${outputs.join('')}`;
  return files;
}

function source(n: number, version: number): string {
  return n % 2 === 0
    ? `def handler(event, context):\n    return ${version}\n`
    : `import { shared } from '../shared/shared';\nexport const handler = async () => ${version} + shared;\n`;
}

const fileOf = (n: number): string => `Fn${n}/app.${n % 2 === 0 ? 'py' : 'ts'}`;

describe('a storm of saves over ten functions', () => {
  const apps = watchedApps();
  const answers = async ({ answer }: WatchedApp, expected: readonly number[]): Promise<void> => {
    for (const [n, name] of NAMES.entries()) {
      await poll(async () => ((await answer(name)) === expected[n] ? true : undefined)).catch(async () =>
        expect(await answer(name), name).toBe(expected[n]),
      );
    }
  };

  it('200 saves: each function ends with what was saved last, and none is updated more often than it changed', async () => {
    const app = await apps.ready(appFiles());
    const { watch, proxy, dir } = app;
    const random = createRandom(7);
    const last = NAMES.map(() => 0);
    const contents = NAMES.map(() => new Set<number>());
    proxy.clear();
    for (let save = 0; save < 200;) {
      // now one alone, now several at once, now the same again and again
      const burst = 1 + random(8);
      const one = random(10);
      for (let n = 0; n < burst && save < 200; n++, save++) {
        const which = burst > 5 ? one : random(10);
        last[which] = 1 + random(40);
        contents[which]?.add(last[which]);
        writeFileSync(path.join(dir, fileOf(which)), source(which, last[which]));
      }
      // sometimes at once, sometimes when the syncs have begun, sometimes when they are over
      const wait = random(4);
      if (wait > 1) await watch.quiet(wait === 2 ? 60 : 150);
    }
    await answers(app, last);
    const distinct = contents.reduce((sum, { size }) => sum + size, 0);
    expect(proxy.count('UpdateFunctionCode')).toBeLessThanOrEqual(Math.min(distinct, 200));
    await watch.quiet();
    const before = proxy.count();
    expect(watch.lines.filter(({ state }) => state === 'failed')).toEqual([]);
    await watch.quiet();
    expect(proxy.count()).toBe(before);
  });

  it('shared code outside of their folders changes exactly the functions that use it', async () => {
    const { watch, proxy } = await apps.ready(appFiles());
    const from = watch.lines.length;
    proxy.clear();
    await watch.write('shared/shared.ts', 'export const shared = 1000;\n');
    const users = NAMES.filter((_, n) => n % 2 === 1);
    for (const name of users) {
      await watch.seen(({ resource, state }) => resource === name && state === 'in-sync', from);
    }
    await watch.quiet();
    const synced = watch.lines.slice(from).flatMap(({ resource, changed }) => (changed && resource ? [resource] : []));
    expect(synced.sort()).toEqual(users);
    expect(proxy.count('UpdateFunctionCode')).toBe(5);
  });

  it('a branch switch and back is one sync each, or none if it is quick', async () => {
    const app = await apps.ready(appFiles());
    const { watch, proxy, dir } = app;
    proxy.clear();
    const before = await Promise.all(NAMES.map((_, n) => fs.readFile(path.join(dir, fileOf(n)), 'utf8')));
    await watch.atOnce(() => {
      for (const n of NAMES.keys()) writeFileSync(path.join(dir, fileOf(n)), source(n, 5));
      for (const n of NAMES.keys()) writeFileSync(path.join(dir, fileOf(n)), before[n]!);
    });
    await watch.quiet();
    expect(proxy.count('UpdateFunctionCode')).toBe(0);
    for (const n of NAMES.keys()) writeFileSync(path.join(dir, fileOf(n)), source(n, 77));
    await answers(
      app,
      NAMES.map(() => 77),
    );
    expect(proxy.count('UpdateFunctionCode')).toBe(10);
  });
});
