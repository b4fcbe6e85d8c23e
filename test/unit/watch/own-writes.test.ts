import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BuildEnd, BuildObserver } from '../../../src/builder/build-observer.ts';
import { createOwnWrites } from '../../../src/watch/sources/own-writes.ts';
import type { PathChange } from '../../../src/files/path-change.ts';
import { tempFolder } from '../../support/temp-folder.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A resource in a folder of its own, and what is said of the changes in it. */
async function start() {
  const dir = await tempFolder({ 'app.js': '0' });
  const reported: string[] = [];
  const due: string[] = [];
  const own: string[] = [];
  const name = (target: string): string => path.relative(dir, target);
  const writes = createOwnWrites({
    partsOf: () => [{ path: dir, direct: false, isExcluded: () => false }],
    onChange: (changes) => void reported.push(...changes.map((change) => name(change.path))),
    onDue: (paths) => void due.push(...paths.map(name)),
    onOwn: (ids, paths) => void own.push(`${ids.join(' ')}: ${paths.map(name).join(' ')}`),
  });
  const take = (list: string[]): string[] => list.splice(0);
  let count = 0;
  return {
    dir,
    writes,
    own,
    due: () => take(due),
    reported: () => take(reported),
    write: (file: string, text = `${++count} ${'x'.repeat(count)}`): void =>
      fs.writeFileSync(path.join(dir, file), text),
    /** What of these changes is acted on at once. */
    seen: (...files: (string | PathChange)[]): string[] =>
      writes
        .filter(files.map((file) => (typeof file === 'string' ? { path: path.join(dir, file), folder: false } : file)))
        .map((change) => name(change.path)),
    build: (
      work: (observer: BuildObserver) => void,
      end: BuildEnd | (() => BuildEnd) = 'unverified',
      key = 'F',
    ): void => {
      const observer = writes.observe({ key, ids: [key], codeDir: dir });
      work(observer);
      observer.ended(typeof end === 'string' ? end : end());
    },
  };
}

describe('defect 25: a build that writes something new into its source each time', () => {
  /** A build of `F` that writes these, as its tools would; gives what is acted on because of it. */
  const buildWriting = (app: Awaited<ReturnType<typeof start>>, ...files: string[]): string[] => {
    const seen: string[] = [];
    app.build(({ beforeTool }) => {
      beforeTool();
      for (const file of files) app.write(file);
      seen.push(...app.seen(...files));
    });
    return [...seen, ...app.reported(), ...app.seen(...files)];
  };

  it('is repeated twice, then only when it is quiet, each time after a longer while, and that is said once', async () => {
    const app = await start();
    expect(buildWriting(app, 'stamp')).toEqual(['stamp', 'stamp']);
    expect(buildWriting(app, 'stamp')).toEqual(['stamp']);
    const waits = [2_000, 8_000, 32_000, 128_000];
    for (const wait of waits) {
      expect(buildWriting(app, 'stamp')).toEqual([]);
      vi.advanceTimersByTime(wait - 1);
      expect(app.due()).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(app.due()).toEqual(['stamp']);
    }
    expect(app.own).toEqual(['F: stamp']);
  });

  it('whatever the names of what it writes', async () => {
    const app = await start();
    const acted = Array.from({ length: 6 }, (_, n) => buildWriting(app, `out-${n}`).length);
    expect(acted).toEqual([2, 2, 1, 0, 0, 0]);
    expect(app.own).toHaveLength(1);
  });

  it('starts no second build after the next save, and each save of others counts at once', async () => {
    const app = await start();
    for (let n = 0; n < 4; n++) buildWriting(app, 'stamp');
    app.write('app.js');
    expect(app.seen('app.js')).toEqual(['app.js']);
    expect(buildWriting(app, 'stamp')).toEqual([]);
    // the file that the build writes too
    app.write('stamp');
    expect(app.seen('stamp')).toEqual(['stamp']);
  });

  it('no longer counts as such once it leaves its source alone', async () => {
    const app = await start();
    for (let n = 0; n < 4; n++) buildWriting(app, 'stamp');
    expect(buildWriting(app)).toEqual([]);
    expect(buildWriting(app, 'stamp')).toEqual(['stamp', 'stamp']);
  });

  it('is no reason to forget it when a build was given up before it wrote', async () => {
    const app = await start();
    for (let n = 0; n < 4; n++) buildWriting(app, 'stamp');
    app.build(({ beforeTool }) => beforeTool(), 'aborted');
    expect(buildWriting(app, 'stamp')).toEqual([]);
  });
});

describe('what a build wrote is known by its content', () => {
  it('the same as before: nothing, also if its folder was made again', async () => {
    const app = await start();
    const make = (): string[] => {
      app.build(({ beforeTool }) => {
        beforeTool();
        fs.rmSync(path.join(app.dir, 'out'), { recursive: true, force: true });
        fs.mkdirSync(path.join(app.dir, 'out'));
        app.write('out/a', 'same');
      });
      return [...app.reported(), ...app.seen({ path: path.join(app.dir, 'out'), folder: true }, 'out/a')];
    };
    expect(make()).toEqual(['out/a']);
    expect(make()).toEqual([]);
    expect(make()).toEqual([]);
    expect(app.own).toEqual([]);
  });

  it('verified by the build itself: nothing, in the folder that it verifies', async () => {
    const app = await start();
    for (let n = 0; n < 5; n++) {
      app.build(({ beforeSource, beforeTool }) => {
        beforeSource();
        beforeTool();
        app.write('compiled.js');
        beforeSource();
      }, 'verified');
    }
    expect([...app.reported(), ...app.seen('compiled.js'), ...app.own]).toEqual([]);
  });

  it('but not what was saved after it was verified', async () => {
    const app = await start();
    app.build(({ beforeSource, beforeTool }) => {
      for (const step of [beforeSource, beforeTool, beforeSource]) step();
      app.write('app.js');
    }, 'verified');
    expect(app.reported()).toEqual(['app.js']);
  });

  it('but not what was read before a tool ran, which the build does not verify', async () => {
    const app = await start();
    app.build(({ beforeSource, beforeTool }) => {
      beforeTool();
      app.write('requirements.txt');
      beforeSource();
    }, 'verified');
    expect(app.reported()).toEqual(['requirements.txt']);
  });

  it('a save from just before a build that is reported during it', async () => {
    const app = await start();
    app.build(({ beforeTool }) => {
      beforeTool();
      app.write('app.js');
    });
    app.reported();
    app.write('app.js');
    app.build(({ beforeTool }) => {
      beforeTool();
      expect(app.seen('app.js')).toEqual([]);
    });
    expect(app.reported()).toEqual(['app.js']);
  });
});

it('two builds that write into the same folder do not start each other forever', async () => {
  const app = await start();
  const dirty = new Set(['A', 'B']);
  let builds = 0;
  while (dirty.size > 0 && builds < 100) {
    const [key = ''] = dirty;
    dirty.delete(key);
    builds++;
    app.build(
      ({ beforeTool }) => {
        beforeTool();
        app.write(`by-${key}`);
      },
      'unverified',
      key,
    );
    if ([...app.reported(), ...app.seen(`by-${key}`)].length > 0) for (const each of ['A', 'B']) dirty.add(each);
  }
  expect(builds).toBeLessThan(12);
});

/** The same numbers in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it.each(['nothing', 'the same each time', 'something new each time'])(
  'whenever people save and notifications come, the last save is what is built; the build writes %s',
  async (writing) => {
    const app = await start();
    const random = createRandom(writing.length);
    const read = (): string => fs.readFileSync(path.join(app.dir, 'app.js'), 'utf8');
    for (let round = 0; round < 40; round++) {
      const unreported: string[] = [];
      let saves = 1 + random(6);
      let isDirty = false;
      let built = '';
      let builds = 0;
      const maybeSave = (): void => {
        if (saves === 0 || random(3) > 0) return;
        saves--;
        app.write('app.js');
        unreported.push('app.js');
      };
      const report = (): void => {
        if (app.seen(...unreported.splice(0)).length > 0) isDirty = true;
      };
      const maybeReport = (): void => void (random(2) === 0 && report());
      const build = (): void => {
        const isAborted = random(4) === 0;
        const verifies = random(2) === 0;
        // one that was given up begins again
        isDirty = isAborted;
        builds++;
        let isVerified = false;
        app.build(
          ({ beforeSource, beforeTool }) => {
            if (verifies) beforeSource();
            for (const step of [beforeTool, maybeSave, maybeReport]) step();
            built = read();
            for (const step of [maybeSave, maybeReport]) step();
            if (writing !== 'nothing') {
              app.write('stamp', writing.startsWith('the same') ? 'same' : undefined);
              unreported.push('stamp');
            }
            for (const step of [maybeReport, maybeSave, maybeReport]) step();
            if (!verifies) return;
            beforeSource();
            isVerified = read() === built && writing !== 'something new each time';
            for (const step of [maybeSave, maybeReport]) step();
          },
          () => {
            if (isAborted) return 'aborted';
            return isVerified ? 'verified' : 'unverified';
          },
        );
        if (app.reported().length > 0) isDirty = true;
      };
      for (let quiet = 0; quiet < 6;) {
        maybeSave();
        maybeReport();
        if (saves === 0) report();
        if (isDirty) build();
        else if (saves === 0) {
          vi.advanceTimersByTime(3_600_000);
          if (app.due().length > 0) isDirty = true;
          quiet++;
        }
      }
      expect(built, `round ${round}`).toBe(read());
      expect(builds).toBeLessThan(30);
    }
  },
);
