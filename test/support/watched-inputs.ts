import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { planTriggers } from '../../src/watch/sources/triggers.ts';
import type { BuiltApp } from './build-app.ts';

/** Whether a watch that knows the inputs of a build builds it again when something comes to a path. */
export function isNoticed(app: BuiltApp, id: string, place: string, folder = false): boolean {
  const triggers = planTriggers({
    root: app.root,
    syncMethod: () => 'code',
    built: new Map([[id, app.inputs(id)]]),
    templateFiles: [],
    optionFiles: [],
    excludes: {},
  });
  return triggers.effectsOf([{ path: path.join(app.options.projectDir, place), folder }]).ids.has(id);
}

/** Which of the new paths a watcher reports: the topmost folder that was not there, or the file. */
export async function arrivals(
  dir: string,
  files: Readonly<Record<string, string>>,
): Promise<{ place: string; folder: boolean }[]> {
  const told = await Promise.all(
    Object.keys(files).map(async (file) => {
      const folders = path
        .dirname(file)
        .split('/')
        .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
      for (const folder of folders)
        if (!(await fs.stat(path.join(dir, folder)).catch(() => undefined))) return { place: folder, folder: true };
      return { place: file, folder: false };
    }),
  );
  return [...new Map(told.map((one) => [one.place, one])).values()];
}
