/**
 * Thousands of saves of an application that is watched, with faults in between. `npm run soak` makes 10,000
 * (`SOAK_SAVES=N`: N); `npm test` 200. A failure prints its seed: `SOAK_SEED=N` repeats the same saves.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapLimit } from '../../src/support/map-limit.ts';
import { poll } from '../support/cloud.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { descendants, noneLeft } from '../support/processes.ts';
import { createRandom, type Random } from '../support/random.ts';
import { FULL_SIZE, recordReliability } from '../support/reliability.ts';
import { difference, FUNCTIONS, RESOURCES, soakFiles } from '../support/soak-app.ts';
import { createSaves, type Saves } from '../support/soak-saves.ts';
import { watchedApps, type WatchedApp } from '../support/watched-app.ts';
import type { WatchCli } from '../support/watch-cli.ts';

const SAVES = Number(process.env['SOAK_SAVES'] ?? (FULL_SIZE ? 10_000 : 200));
const SEED = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
/** Seconds that a function is busy after each update. */
const BUSY = FULL_SIZE ? '0-5' : '0-1';
/** Of 1,000 calls, how many meet each fault. */
const FAULTS_PER_THOUSAND = 50;
/** Times in which everything is in sync after the last save, with faults and Lambda's pace (ms). */
const SETTLES_WITHIN = 180_000;

/** Counts what passes a proxy and lets some calls fail. Calls are dropped once they are counted: a soak makes many. */
function createFaults(proxy: FaultProxy, random: Random) {
  /** `repeated`: updates with the code that the function got by the update before, whose answer had arrived. */
  const figures = { calls: 0, updates: new Map<string, number>(), faults: new Map<string, number>(), repeated: 0 };
  const lastCode = new Map<string, string>();
  const kinds = [
    { kind: 'throttle' },
    { kind: 'error', status: 500 },
    { kind: 'reset', when: 'before' },
    { kind: 'reset', when: 'after-answer' },
    { kind: 'truncate' },
  ] as const;
  let unanswered: ProxiedCall[] = [];
  const setRules = (): void => {
    for (const [index, fault] of kinds.entries()) {
      // each kind has its share of the calls that no other kind took
      const among = 1_000 - (FAULTS_PER_THOUSAND / kinds.length) * index;
      proxy.fault({ when: () => random(among) < FAULTS_PER_THOUSAND / kinds.length }, fault, { times: Infinity });
    }
  };
  const count = (): void => {
    const updates = proxy.calls.filter(({ operation }) => operation === 'UpdateFunctionCode');
    figures.calls += proxy.calls.length;
    for (const { fault } of proxy.calls) {
      if (fault !== undefined) figures.faults.set(fault, (figures.faults.get(fault) ?? 0) + 1);
    }
    proxy.clear();
    setRules();
    unanswered.push(...updates);
    for (const { path: url, status, body, fault } of unanswered) {
      if (status === undefined || status >= 300) continue;
      const name = decodeURIComponent(url.split('/')[3] ?? '');
      figures.updates.set(name, (figures.updates.get(name) ?? 0) + 1);
      const code = createHash('sha256').update(body).digest('hex');
      if (lastCode.get(name) === code) figures.repeated++;
      if (fault === undefined) lastCode.set(name, code);
      else lastCode.delete(name);
    }
    unanswered = unanswered.filter(({ status, fault }) => status === undefined && fault === undefined);
  };
  setRules();
  return { figures, count };
}

/** Resident memory of a process (MB). */
function residentMemory(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

interface Soaked {
  made: Map<string, number>;
  /** The least resident memory in each quarter of the saves (MB): a single look depends on when V8 collected garbage. */
  memory: number[];
}

/** Makes the saves: now one alone, now several at once, now while updates run and now after them. */
async function soak(watch: WatchCli, saves: Saves, tools: { random: Random; count: () => void }): Promise<Soaked> {
  const made = new Map<string, number>();
  const samples: number[] = [];
  for (let save = 0; save < SAVES;) {
    for (let burst = 1 + tools.random(8); burst > 0 && save < SAVES; burst--, save++) {
      const kind = saves.next();
      made.set(kind, (made.get(kind) ?? 0) + 1);
    }
    const wait = tools.random(100);
    if (wait >= 98) await settle(watch, 10_000);
    else await delay(wait < 40 ? wait : wait * 8);
    samples.push(residentMemory(watch.pid));
    tools.count();
    if (FULL_SIZE && samples.length % 100 === 0) console.log(`${save} saves, ${samples.at(-1)?.toFixed(0)} MB`);
  }
  const quarter = samples.length / 4;
  const least = (n: number): number => Math.round(Math.min(...samples.slice(n * quarter, (n + 1) * quarter)));
  return { made, memory: [0, 1, 2, 3].map(least) };
}

/** The resources (and the stack) whose last state is not `in-sync`. */
function unsettled({ lines }: WatchCli): string[] {
  const last = new Map<string, string>();
  for (const { event, resource = 'stack', state, error } of lines) {
    if (event === 'resource' || event === 'stack') last.set(resource, `${state ?? ''} ${error?.message ?? ''}`.trim());
  }
  return [...last].filter(([, state]) => state !== 'in-sync').map(([name, state]) => `${name}: ${state}`);
}

/** Waits until everything is in sync and stays so for a moment, at most `most` ms; gives what is not. */
async function settle(watch: WatchCli, most: number): Promise<string[]> {
  const isSettled = async (): Promise<true | undefined> => {
    if (unsettled(watch).length > 0) return undefined;
    const count = watch.lines.length;
    await delay(700);
    return watch.lines.length === count ? true : undefined;
  };
  await poll(isSettled, most).catch(() => {});
  return unsettled(watch);
}

async function differences(app: WatchedApp): Promise<string[]> {
  const found = await mapLimit(RESOURCES, 4, (resource) =>
    difference(app, resource).catch((error: unknown) => `${resource}: ${String(error)}`),
  );
  return found.filter((text) => text !== undefined).map((text) => text.slice(0, 1_000));
}

describe('a soak', { timeout: FULL_SIZE ? 4 * 3_600_000 : 600_000 }, () => {
  const apps = watchedApps({ SAM_SYNC_CLOUD_STATE_DELAY: BUSY });

  it(`${SAVES} saves over ${FUNCTIONS.length} functions, a layer, an API and a state machine, with faults`, async () => {
    console.log(`SOAK_SEED=${SEED}`);
    const app = await apps.ready(soakFiles());
    const { watch, proxy } = app;
    const saves = createSaves(app.dir, createRandom(SEED));
    proxy.clear();
    const faults = createFaults(proxy, createRandom(SEED + 1));
    const { made, memory } = await soak(watch, saves, { random: createRandom(SEED + 2), count: faults.count });
    saves.repair();
    const why = (): string => `SOAK_SEED=${SEED}\n${trail(watch)}`;
    const { figures } = faults;

    // a save is noticed before its event is there
    await delay(1_000);
    expect(await settle(watch, SETTLES_WITHIN), why()).toEqual([]);
    const lost = await differences(app);
    expect(lost, why()).toEqual([]);
    faults.count();
    const tooMany = FUNCTIONS.filter(
      ({ name }) => (figures.updates.get(app.output(name)) ?? 0) > (saves.states.get(name) ?? 0),
    );
    expect(tooMany, why()).toEqual([]);
    const [, second = 0, , last = 0] = memory;
    if (FULL_SIZE) expect(last, memory.join()).toBeLessThan(second * 1.2);

    const children = await descendants(watch.pid);
    expect(await watch.stop(), watch.stderr()).toEqual({ code: 0 });
    await noneLeft(children);
    expect(watch.stderr()).not.toMatch(/^ {4}at |defect of sam-sync|MaxListeners/m);
    report({ app, saves, made, memory, figures });
  });
});

/** The last events, and the failures before. */
function trail({ lines, stderr }: WatchCli): string {
  const shown = lines.filter(({ state }, index) => state === 'failed' || index > lines.length - 40).slice(-80);
  return [...shown.map((line) => JSON.stringify(line).slice(0, 400)), stderr().slice(-2_000)].join('\n');
}

interface Outcome extends Soaked {
  app: WatchedApp;
  saves: Saves;
  figures: ReturnType<typeof createFaults>['figures'];
}

function report({ app, saves, made, memory, figures }: Outcome): void {
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  const artifacts = fs.readdirSync(path.join(app.dir, '.aws-sam', 'sam-sync', 'artifacts')).length;
  recordReliability('test/reliability/soak.test.ts', {
    class: 'Soak',
    injected: `saves of a watched application (${FUNCTIONS.length} functions of four runtimes, a layer, an API, a state machine), while 5 % of the calls fail and each function is busy for ${BUSY} s after an update`,
    times: sum(made.values()),
    lost: 0,
    command: `SOAK_SAVES=${SAVES} SOAK_SEED=${SEED} npm run soak`,
    notes: [
      `Saves: ${list(made)}. Seed ${SEED}.`,
      `Faults: ${sum(figures.faults.values())} of ${figures.calls} calls (${list(figures.faults)}).`,
      `Updates of code: ${sum(figures.updates.values())}, for ${sum(saves.states.values())} saved states; no function more often than it changed; ${figures.repeated} with the same code as the update before.`,
      `Least resident memory of the watch in each quarter of the saves: ${memory.join(', ')} MB. Artifacts on disk at the end: ${artifacts}.`,
      'At the end each resource served its last save, nothing was reported as failed, and the watch ended with exit code 0 and no process left.',
    ],
  });
}
