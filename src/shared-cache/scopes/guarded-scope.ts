import { createWriteStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { note } from '../../console/reporter.ts';
import type { Reporter } from '../../console/reporter.ts';
import { errorMessage } from '../../errors.ts';
import type { ObjectOrigin } from '../../package/object-store.ts';
import { createAbort } from '../../support/abort.ts';
import { createPatience } from './patience.ts';
import { chunksOf } from './scope.ts';
import type { CacheScope, NewContent, ScopeContent } from './scope.ts';

/** The conditions under which a scope is used. */
export interface GuardOptions {
  reporter: Reporter;
  signal: AbortSignal;
  /** How long to wait for an answer (ms). */
  timeoutMs: number;
}

/** A zip that was fetched. */
export interface FetchedZip {
  /** In hex. */
  sha256: string;
  size: number;
  origin: ObjectOrigin | undefined;
  /** The zip, if it is small: it is not in the target yet. */
  content: Buffer | undefined;
}

/** How much of a zip is read (bytes), and how long making it took (ms), beyond which waiting does not pay. */
interface FetchLimits {
  most: number;
  worthMs: number;
}

/**
 * A scope that cannot hold a run up: after the first failure, or when its answers have cost as much as one time-out without
 * any use, it is left alone, and reported once. Rejects only when the run is aborted.
 */
export interface GuardedScope {
  readonly name: string;
  /** Reads an entry; undefined if there is none, or the scope is left alone. */
  read(name: string): Promise<string | undefined>;
  /** Describes a zip with its hash, for which it is read only if the scope does not know that; undefined as for `read`. */
  describe(name: string, how: FetchLimits): Promise<{ size: number; sha256: string } | undefined>;
  /** Fetches a zip, a small one into memory, others into `target`. */
  fetch(name: string, how: FetchLimits & { target: string }): Promise<FetchedZip | undefined>;
  /** Adds an object: `taken` if the name exists already; undefined if it could not be written. */
  add(name: string, content: NewContent): Promise<'added' | 'taken' | undefined>;
}

/** The least speed (bytes per second) at which an upload is not given up. */
const SLOWEST_UPLOAD = 256 * 1024;

/** Zips up to this size are held in memory until they are unpacked: a stream for each file takes longer than its content (bytes). */
const MOST_IN_MEMORY = 1024 * 1024;

/** Guards a scope. */
export function guardScope(scope: CacheScope, options: GuardOptions): GuardedScope {
  const { signal: outer, timeoutMs } = options;
  const reading = createBreaker(options, (reason) => `${scope.name}: ${reason}; building here without it`);
  const writing = createBreaker(options, (reason) => `${scope.name}: nothing is written: ${reason}`);
  const patience = createPatience(timeoutMs);
  /** Without a target only the hash is wanted. */
  const fetch = (name: string, limits: FetchLimits & { target?: string }): Promise<FetchedZip | undefined> =>
    reading.run(timeoutMs + limits.worthMs, async (signal) => {
      const { target, most, worthMs } = limits;
      const found = await scope.open(name, signal);
      if (found === undefined) return undefined;
      const meter = createMeter(most);
      const slow = setTimeout(() => {
        // at this speed the rest takes longer than building
        const restMs = (timeoutMs / Math.max(1, meter.size())) * (most - meter.size());
        if (restMs > worthMs) stopReading(found.body, new TooSlow('the download is slower than building'));
      }, timeoutMs);
      let content: Buffer | undefined;
      try {
        if (most <= MOST_IN_MEMORY) content = await collect(found.body, meter);
        else await pipeline(chunksOf(found.body), meter.stream, targetOf(target), { signal });
      } catch (error) {
        // its hash is wrong, too; the scope is not to blame
        if (!(error instanceof Oversized)) throw error;
      } finally {
        clearTimeout(slow);
      }
      return { sha256: meter.sha256(), size: meter.size(), origin: found.origin, content };
    });
  return {
    name: scope.name,
    read: (name) =>
      reading.run(timeoutMs, async (signal) => {
        const answer = await patience.wait(() => scope.read(name, signal));
        if (answer === undefined && patience.isSpent()) throw new TooSlow('it answers slowly');
        if (answer !== undefined) patience.renew();
        return answer;
      }),
    describe: async (name, limits) => {
      const known = await reading.run(timeoutMs, (signal) => scope.describe(name, signal));
      if (known === undefined) return undefined;
      const { size, sha256 } = known;
      if (sha256 !== undefined) return { size, sha256 };
      // one of another size is wrong anyway
      return size === limits.most ? fetch(name, limits) : { size, sha256: '' };
    },
    fetch,
    add: (name, content) => {
      const size = 'text' in content ? content.text.length : content.size;
      const limit = timeoutMs + (size / SLOWEST_UPLOAD) * 1000;
      outer.throwIfAborted();
      return writing.run(limit, async (signal) => ((await scope.add(name, content, signal)) ? 'added' : 'taken'));
    },
  };
}

class TooSlow extends Error {}
class Oversized extends Error {}

interface Breaker {
  /** Runs `work` for at most `limitMs`; undefined after a failure, now or before. */
  run<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined>;
}

function createBreaker({ reporter, signal: outer }: GuardOptions, describe: (reason: string) => string): Breaker {
  const broken = createAbort();
  const fail = (reason: string): void => {
    if (broken.signal.aborted) return;
    note(reporter, 'warning', `Build cache ${describe(reason)}`);
    broken.abort(new TooSlow(reason));
  };
  return {
    run: async (limitMs, work) => {
      outer.throwIfAborted();
      if (broken.signal.aborted) return undefined;
      const own = createAbort();
      const stop = startLimit(limitMs, () => own.abort(new TooSlow(`no answer within ${seconds(limitMs)} s`)));
      const signal = AbortSignal.any([outer, broken.signal, own.signal]);
      try {
        return await Promise.race([work(signal), rejectOnAbort(signal)]);
      } catch (error) {
        outer.throwIfAborted();
        fail(errorMessage(signal.aborted ? signal.reason : error));
        return undefined;
      } finally {
        stop();
      }
    },
  };
}

/** A timer that is later than this was held up by this process (ms). */
const LATE_MS = 50;

/** Calls `end` after `ms`. While this process computes it takes no answer: that time does not count. */
function startLimit(ms: number, end: () => void): () => void {
  let due = performance.now() + ms;
  const check = (): void => {
    const late = performance.now() - due;
    if (late < LATE_MS) return end();
    const rest = Math.min(late, ms);
    due = performance.now() + rest;
    timer = setTimeout(check, rest);
  };
  let timer = setTimeout(check, ms);
  return () => clearTimeout(timer);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

interface Meter {
  stream: Transform;
  /** Counts and hashes a chunk. Throws beyond `most` bytes. */
  add(chunk: Buffer): void;
  size(): number;
  sha256(): string;
}

/** Counts and hashes what passes; ends with an error beyond `most` bytes. */
function createMeter(most: number): Meter {
  const hash = createHash('sha256');
  let size = 0;
  const add = (chunk: Buffer): void => {
    size += chunk.length;
    hash.update(chunk);
    if (size > most) throw new Oversized();
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        add(chunk);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return { stream, add, size: () => size, sha256: () => hash.copy().digest('hex') };
}

function targetOf(file: string | undefined): Writable {
  return file === undefined ? new Writable({ write: (_chunk, _encoding, done) => done() }) : createWriteStream(file);
}

function stopReading(body: ScopeContent['body'], reason: Error): void {
  if (!Buffer.isBuffer(body)) body.destroy(reason);
}

async function collect(body: ScopeContent['body'], meter: Meter): Promise<Buffer> {
  if (Buffer.isBuffer(body)) {
    meter.add(body);
    return body;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    meter.add(chunk as Buffer);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
