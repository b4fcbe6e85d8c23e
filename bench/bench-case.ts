import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { startTestCloud } from '../test/support/cloud.ts';
import type { TestCloud } from '../test/support/cloud.ts';
import { startFaultProxy } from '../test/support/fault-proxy.ts';
import type { FaultProxy } from '../test/support/fault-proxy.ts';
import { functions, python, writeApp } from './apps.ts';
import { startFarEndpoint } from './far-endpoint.ts';
import { median, measure, ROOT } from './measure.ts';
import type { Goal, Row, SubjectResult } from './rows.ts';
import { baseEnv, calmPeer, syncCommand } from './tools.ts';
import type { Workplace } from './tools.ts';

/** Some rows of the result that share their set-up. */
export interface BenchCase {
  name: string;
  /** What it measures, in a few words. */
  about: string;
  /** Seconds that the emulator keeps a function `InProgress` after an update; 0 unless given. */
  stateDelay?: number;
  /** Seconds that CloudFormation takes for an update of a stack, beside the work itself; 0 unless given. */
  stackDelay?: number;
  /** Milliseconds: calls go over TLS to an endpoint this far away. Otherwise they stay on loopback, without TLS. */
  roundTrip?: number;
  run(bench: Bench): Promise<Row[]>;
}

/** One measured run. Not every case knows everything. */
export interface Sample {
  ms: number;
  cpuMs?: number;
  peakBytes?: number;
  residentBytes?: number;
  diskBytes?: number;
  code?: number | null;
  /** Operations that were called, where the round itself knows: otherwise the proxy counts. */
  calls?: readonly string[];
  sentBytes?: number;
}

/** What is compared: a tool, the floor, or a tool in other circumstances. */
export interface Subject {
  name: string;
  /** So many of the rounds it takes part in. */
  rounds: number;
  /** It takes so long that it does without the first round, in which all gets warm. */
  slow?: boolean | undefined;
  /** What its calls go through. */
  proxy: FaultProxy;
  /** One run; what has to be there before it is prepared here, too, without being measured. */
  round(round: number): Promise<Sample>;
}

/** How a row is measured. */
interface Comparison {
  id: string;
  title: string;
  goals: readonly Goal[];
  subjects: readonly Subject[];
  /** Every call takes so much longer, in all rounds (ms). */
  latency?: number;
}

/** A proxy and the variables that lead a tool there. */
export interface Way {
  proxy: FaultProxy;
  env: Readonly<Record<string, string>>;
}

/** The emulator of a case and its folder. */
export interface Bench {
  /** Over all defaults, if given. */
  rounds: number | undefined;
  /** A folder that is not there yet. */
  folder(name: string): string;
  /**
   * The way to the emulator, a recording proxy for each name; templates hold the endpoint that they were deployed through, so
   * that a stack has to be reached by the same way always.
   */
  way(name: string): Promise<Way>;
  compare(comparison: Comparison): Promise<Row>;
  log(text: string): void;
}

/** How a case is run: the rounds, if they are given, and the circumstances of the case. */
interface Conditions extends Pick<BenchCase, 'stateDelay' | 'stackDelay' | 'roundTrip'> {
  rounds: number | undefined;
}

/** Where this run works. */
const WORK = path.join(ROOT, '.cache', 'bench', 'work', String(process.pid));

/**
 * Removes the folders of all cases, at the end: for five minutes after many files were removed, ext4 looks at each of their places again
 * for every file that it creates, which triples the system's share of a first sync.
 */
export async function removeFolders(): Promise<void> {
  await fs.rm(WORK, { recursive: true, force: true });
}

/** Runs a case with an emulator of its own. */
export async function withBench<T>(
  name: string,
  { rounds, stateDelay = 0, stackDelay = 0, roundTrip }: Conditions,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const base = path.join(WORK, name);
  // without the checks of every request, which tests add
  const settings = {
    SAM_SYNC_CLOUD_EXTENSION: '',
    SAM_SYNC_CLOUD_STACK_DELAY: String(stackDelay),
    SAM_SYNC_CLOUD_STATE_DELAY: String(stateDelay),
  };
  const cloud = await startTestCloud(settings);
  const ways = new Map<string, Promise<OpenWay>>();
  const log = (text: string): void => console.error(`${name}: ${text}`);
  try {
    const bench: Bench = {
      rounds,
      folder: (sub) => path.join(base, sub),
      way: async (to) => {
        const way = ways.get(to) ?? openWay(cloud, roundTrip);
        ways.set(to, way);
        return way;
      },
      compare: (comparison) => compare(comparison, { rounds, log }),
      log,
    };
    await calmPeer();
    // makes the managed bucket, which is in no row
    const place: Workplace = { dir: bench.folder('first'), env: (await bench.way('first')).env };
    await writeApp(place.dir, functions([python()], { seed: 'first' }));
    await mustSync(place, ['--stack-name', 'first']);
    return await work(bench);
  } finally {
    for (const way of ways.values()) await (await way).stop();
    await cloud.stop();
  }
}

interface OpenWay extends Way {
  stop(): Promise<void>;
}

async function openWay(cloud: TestCloud, roundTrip: number | undefined): Promise<OpenWay> {
  const proxy = await startFaultProxy(cloud.endpoint);
  const far = roundTrip === undefined ? undefined : await startFarEndpoint(proxy.endpoint, roundTrip);
  return {
    proxy,
    env: { ...baseEnv(), ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint, ...far?.env },
    stop: async () => {
      await far?.stop();
      await proxy.stop();
    },
  };
}

async function mustSync(place: Workplace, args: readonly string[]): Promise<void> {
  const { code, output } = await measure(syncCommand('ours', args, place));
  if (code !== 0) throw new Error(output);
}

interface Circumstances {
  rounds: number | undefined;
  log(text: string): void;
}

/** Lets the subjects take turns. */
async function compare(comparison: Comparison, circumstances: Circumstances): Promise<Row> {
  const { id, title, goals, latency = 0 } = comparison;
  const { log } = circumstances;
  const subjects = comparison.subjects.map((subject) => {
    const rounds = Math.min(subject.rounds, circumstances.rounds ?? subject.rounds);
    return { ...subject, rounds, samples: [] as Sample[], calls: {}, sent: 0 };
  });
  const most = Math.max(...subjects.map(({ rounds }) => rounds));
  // one more round than asked for: in the first, files and emulator get warm
  for (let round = 0; round <= most; round++) {
    // whoever is first in one round is last in the next
    for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
      const { slow = false } = subject;
      if (round > subject.rounds || (round === 0 && slow)) continue;
      const { proxy } = subject;
      proxy.clear();
      if (latency > 0) proxy.fault({}, { kind: 'delay', ms: latency }, { times: Infinity });
      const sample = await subject.round(round);
      log(`${id} ${round === 0 ? 'warm-up' : round}: ${subject.name} ${describe(sample)}`);
      Object.assign(subject, countCalls(sample, proxy));
      if (round > 0) subject.samples.push(sample);
      proxy.clear();
    }
  }
  return { id, title, goals, results: Object.fromEntries(subjects.map((subject) => [subject.name, sumUp(subject)])) };
}

function countCalls(sample: Sample, proxy: FaultProxy): { calls: Record<string, number>; sent: number } {
  const counts: Record<string, number> = {};
  const operations = sample.calls ?? proxy.calls.map(({ operation }) => operation);
  for (const operation of operations) counts[operation] = (counts[operation] ?? 0) + 1;
  return { calls: counts, sent: sample.sentBytes ?? proxy.calls.reduce((sum, { body }) => sum + body.length, 0) };
}

function describe({ ms, cpuMs, code }: Sample): string {
  const cpu = cpuMs === undefined ? '' : `, CPU ${Math.round(cpuMs)} ms`;
  return `${Math.round(ms)} ms${cpu}${code ? `, exit code ${code}` : ''}`;
}

function sumUp({
  samples,
  calls,
  sent,
}: {
  samples: readonly Sample[];
  calls: Readonly<Record<string, number>>;
  sent: number;
}): SubjectResult {
  const middle = (field: 'cpuMs' | 'residentBytes' | 'diskBytes'): number | undefined => {
    const known = samples.flatMap((sample) => sample[field] ?? []);
    return known.length === 0 ? undefined : median(known);
  };
  const peaks = samples.flatMap(({ peakBytes }) => peakBytes ?? []);
  return {
    rounds: samples.length,
    ms: median(samples.map(({ ms }) => ms)),
    range: [Math.min(...samples.map(({ ms }) => ms)), Math.max(...samples.map(({ ms }) => ms))],
    cpuMs: middle('cpuMs'),
    peakBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    residentBytes: middle('residentBytes'),
    diskBytes: middle('diskBytes'),
    code: samples.at(-1)?.code ?? undefined,
    calls,
    sentBytes: sent,
  };
}
