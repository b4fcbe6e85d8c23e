/** Saves as editors, tools and git make them, over the application of the soak test. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Random } from './random.ts';
import {
  API_FILE,
  apiSource,
  FUNCTIONS,
  handlerSource,
  LAYER_FILE,
  layerSource,
  MACHINE_FILE,
  machineSource,
  partSource,
  SHARED_FILE,
  sharedSource,
  template,
  type SoakFunction,
} from './soak-app.ts';

/** Saves in a folder, each with new content unless its kind says otherwise. */
export interface Saves {
  /** Makes one save; gives its kind. */
  next(): string;
  /** Gives each function a handler again that has none. */
  repair(): void;
  /** How often each function's files were in another state than before. */
  readonly states: ReadonlyMap<string, number>;
}

/** Kinds of save, and how often each is made. */
const KINDS: readonly (readonly [kind: string, weight: number])[] = [
  ['change', 520],
  ['replace', 120],
  ['create', 60],
  ['delete', 40],
  ['rename', 60],
  ['delete handler', 10],
  ['same content', 50],
  ['back and forth', 40],
  ['slow write', 40],
  ['shared file', 8],
  ['layer', 10],
  ['definition', 28],
  ['branch', 12],
  ['template', 2],
];
const BRANCHES = ['main', 'feature', 'fix'];

/** Starts a repository in the folder, which has the application. */
export function createSaves(dir: string, random: Random): Saves {
  const states = new Map(FUNCTIONS.map(({ name }) => [name, 0]));
  let version = 0;
  const place = (file: string): string => path.join(dir, file);
  const touch = (file: string, times = 1): void => {
    const [owner = ''] = file.split('/');
    const names = file === SHARED_FILE ? FUNCTIONS.filter(isBundled).map(({ name }) => name) : [owner];
    for (const name of names) if (states.has(name)) states.set(name, (states.get(name) ?? 0) + times);
  };
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=soak', '-c', 'user.email=soak@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
    }).trim();
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(place(file)), { recursive: true });
    fs.writeFileSync(place(file), text, file.endsWith('bootstrap') ? { mode: 0o755 } : {});
    touch(file);
  };
  const parts = (fn: SoakFunction): string[] =>
    fs
      .readdirSync(place(fn.name))
      .filter((name) => /^part\d/.test(name))
      .sort();
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const handlerOf = (fn: SoakFunction): string => `${fn.name}/${fn.handler}`;
  const change = (fn: SoakFunction): void => write(handlerOf(fn), handlerSource(fn, ++version));

  const make: Record<string, (fn: SoakFunction) => void> = {
    change,
    replace: (fn) => {
      const temporary = `${handlerOf(fn)}.${version}.tmp`;
      write(temporary, handlerSource(fn, ++version));
      fs.chmodSync(place(temporary), 0o755);
      fs.renameSync(place(temporary), place(handlerOf(fn)));
      touch(temporary);
    },
    create: (fn) => {
      if (isBundled(fn)) return write(`${fn.name}/${partOf(dir, fn)}`, partSource(fn, ++version));
      // functions stay small
      if (parts(fn).length > 5) return make['delete']?.(fn);
      write(`${fn.name}/part${++version}.txt`, partSource(fn, version));
    },
    delete: (fn) => {
      const [part] = isBundled(fn) ? [] : parts(fn);
      if (part === undefined) return change(fn);
      fs.rmSync(place(`${fn.name}/${part}`));
      touch(`${fn.name}/${part}`);
    },
    rename: (fn) => {
      if (isBundled(fn)) return moveModule(fn);
      const [part] = parts(fn);
      if (part === undefined) return make['create']?.(fn);
      fs.renameSync(place(`${fn.name}/${part}`), place(`${fn.name}/part${++version}.txt`));
      touch(`${fn.name}/${part}`);
    },
    'delete handler': (fn) => {
      fs.rmSync(place(handlerOf(fn)));
      touch(handlerOf(fn));
    },
    'same content': (fn) => fs.writeFileSync(place(handlerOf(fn)), fs.readFileSync(place(handlerOf(fn)))),
    'back and forth': (fn) => {
      const before = fs.readFileSync(place(handlerOf(fn)), 'utf8');
      change(fn);
      write(handlerOf(fn), before);
    },
    'slow write': (fn) => {
      const text = handlerSource(fn, ++version);
      const file = fs.openSync(place(handlerOf(fn)), 'w');
      fs.writeSync(file, text.slice(0, 12));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + random(90));
      fs.writeSync(file, text.slice(12));
      fs.closeSync(file);
      // empty, half, whole
      touch(handlerOf(fn), 3);
    },
    'shared file': () => write(SHARED_FILE, sharedSource(++version)),
    layer: () => write(LAYER_FILE, layerSource(++version)),
    definition: () =>
      random(2) === 0 ? write(API_FILE, apiSource(++version)) : write(MACHINE_FILE, machineSource(++version)),
    branch: () => {
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', `save ${version}`);
      const before = git('rev-parse', 'HEAD');
      const current = git('rev-parse', '--abbrev-ref', 'HEAD');
      git('checkout', '--quiet', pick(BRANCHES.filter((branch) => branch !== current)));
      // a file that git replaces is gone for a moment
      for (const file of git('diff', '--name-only', '--no-renames', before, 'HEAD').split('\n')) touch(file, 2);
    },
    template: () => write('template.yaml', template(++version)),
  };

  /** `./part` is a file or a folder with an index. */
  function moveModule(fn: SoakFunction): void {
    const from = partOf(dir, fn);
    const to = from === 'part.ts' ? 'part/index.ts' : 'part.ts';
    fs.mkdirSync(path.dirname(place(`${fn.name}/${to}`)), { recursive: true });
    fs.renameSync(place(`${fn.name}/${from}`), place(`${fn.name}/${to}`));
    touch(`${fn.name}/${to}`);
  }

  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'start');
  for (const branch of BRANCHES.slice(1)) git('branch', branch);

  const total = KINDS.reduce((sum, [, weight]) => sum + weight, 0);
  return {
    states,
    next: () => {
      const fn = pick(FUNCTIONS);
      let at = random(total);
      const [kind] = KINDS.find(([, weight]) => (at -= weight) < 0) ?? ['change'];
      // only a new handler, as long as there is none
      if (!fs.existsSync(place(handlerOf(fn)))) {
        change(fn);
        return 'create handler';
      }
      make[kind]?.(fn);
      return kind;
    },
    repair: () => {
      for (const fn of FUNCTIONS) if (!fs.existsSync(place(handlerOf(fn)))) change(fn);
    },
  };
}

const isBundled = ({ runtime }: SoakFunction): boolean => runtime === 'esbuild';

function partOf(dir: string, fn: SoakFunction): string {
  return fs.existsSync(path.join(dir, fn.name, 'part.ts')) ? 'part.ts' : 'part/index.ts';
}
