import { expect, it } from 'vitest';
import { createPacer, type Pacer, type PacerClock } from '../../../src/aws/pacer.ts';
import { describeQuota, quotasOf, type Quota } from '../../../src/aws/quotas.ts';

const GENERAL: Quota = { service: 'S', perSecond: 10, burst: 4 };
const SLOW: Quota = { service: 'S', operations: ['Slow'], perSecond: 0.2, burst: 1 };

/** A clock that the test moves. */
function createClock() {
  let time = 0;
  let timers: { at: number; callback: () => void }[] = [];
  const clock: PacerClock = {
    now: () => time,
    after: (ms, callback) => {
      const timer = { at: time + ms, callback };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
  };
  return {
    clock,
    timers: () => timers.length,
    /** Lets the time pass, timer by timer. */
    advance: async (ms: number): Promise<void> => {
      const end = time + ms;
      for (;;) {
        await new Promise(setImmediate);
        const next = timers.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        timers = timers.filter((timer) => timer !== next);
        time = next.at;
        next.callback();
      }
      time = end;
    },
  };
}

/** A pacer, and the calls that it has started. */
function open() {
  const { clock, timers, advance } = createClock();
  const long: string[] = [];
  const pacer = createPacer(clock, (quota) => void long.push(`${clock.now() / 1_000} s: ${describeQuota(quota)}`));
  const started: string[] = [];
  return {
    pacer,
    long,
    started,
    timers,
    call: (name: string, quotas: readonly Quota[], options?: { signal?: AbortSignal; again?: boolean }) =>
      pacer.admit(quotas, options).then(() => void started.push(`${name} ${(clock.now() / 1_000).toFixed(1)}`)),
    pass: advance,
  };
}

it('calls start at once up to the burst, then in order at a little less than the documented rate', async () => {
  const { call, pass, started } = open();
  for (const name of 'abcdefgh') void call(name, [GENERAL]);
  await pass(500);
  expect(started).toEqual(['a 0.0', 'b 0.0', 'c 0.0', 'd 0.0', 'e 0.1', 'f 0.2', 'g 0.3', 'h 0.4']);
});

it('a pause fills the bucket again, never beyond the burst', async () => {
  const { call, pass, started } = open();
  for (const name of 'abcd') void call(name, [GENERAL]);
  await pass(60_000);
  for (const name of 'efghi') void call(name, [GENERAL]);
  await pass(1_000);
  expect(started.slice(4)).toEqual(['e 60.0', 'f 60.0', 'g 60.0', 'h 60.0', 'i 60.1']);
});

it('a call that waits for a slow quota holds up no call of a faster one', async () => {
  const { call, pass, started } = open();
  for (const name of ['slow1', 'slow2', 'slow3']) void call(name, [SLOW, GENERAL]);
  for (const name of ['fast1', 'fast2', 'fast3']) void call(name, [GENERAL]);
  await pass(12_000);
  expect(started).toEqual(['slow1 0.0', 'fast1 0.0', 'fast2 0.0', 'fast3 0.0', 'slow2 5.4', 'slow3 10.8']);
});

it('calls without a quota do not wait', async () => {
  const { call, pass, started } = open();
  for (let index = 0; index < 100; index++) void call('free', []);
  await pass(0);
  expect(started).toHaveLength(100);
});

it('after a refusal the refused call starts first, and its calls slow down for a while', async () => {
  const { pacer, call, pass, started } = open();
  for (const name of 'abcde') void call(name, [SLOW, GENERAL]);
  await pass(100);
  pacer.refuse([SLOW, GENERAL]);
  void call('a', [SLOW, GENERAL], { again: true });
  await pass(40_000);
  // 5.4 s / 0.5 at first
  expect(started).toEqual(['a 0.0', 'a 10.9', 'b 19.7', 'c 27.4', 'd 34.4']);
});

it('refusals of calls that were under way at the same time slow down once; many in a row to an eighth at least', async () => {
  const { pacer, call, pass, started } = open();
  for (let beat = 0; beat < 20; beat++) {
    for (let index = 0; index < 10; index++) pacer.refuse([GENERAL]);
    await pass(1_000);
  }
  for (let index = 0; index < 100; index++) void call('', [GENERAL]);
  await pass(1_000);
  expect(started.length).toBeGreaterThan(0);
  expect(started.length).toBeLessThan(4);
  // nobody else uses the account any more
  await pass(60_000);
  expect(started).toHaveLength(100);
});

it.each([
  ['Lambda', 'UpdateFunctionCode', 150],
  ['API Gateway', 'PutRestApi', 20],
  ['API Gateway', 'CreateDeployment', 12],
])('three runs at once share an account: %s %s', async (service, operation, calls) => {
  const { clock, advance } = createClock();
  const quota = quotasOf(service, operation)[0] ?? SLOW;
  const server = { level: quota.burst, at: 0 };
  const serves = (): boolean => {
    server.level = Math.min(quota.burst, server.level + ((clock.now() - server.at) / 1_000) * quota.perSecond);
    server.at = clock.now();
    if (server.level < 1) return false;
    server.level -= 1;
    return true;
  };
  const attempts: number[] = [];
  const call = async (pacer: Pacer, latency: number): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await pacer.admit([quota], { again: attempt > 1 });
      await new Promise<void>((resolve) => void clock.after(latency, resolve));
      if (serves()) return void attempts.push(attempt);
      pacer.refuse([quota]);
    }
  };
  const runs = [31, 47, 83].map((latency) => {
    const pacer = createPacer(clock, () => {});
    return Promise.all(Array.from({ length: calls }, (_, index) => call(pacer, latency + (index % 7) * 5)));
  });
  const least = (3 * calls - quota.burst) / quota.perSecond;
  await advance(least * 1.6 * 1_000);
  expect(attempts).toHaveLength(3 * calls);
  expect(Math.max(...attempts)).toBeLessThan(15);
  await Promise.all(runs);
});

it('ends with the signal while it waits, and leaves its place to the next one', async () => {
  const { call, pass, started, timers } = open();
  const abort = new AbortController();
  void call('a', [SLOW]);
  const interrupted = call('b', [SLOW], { signal: abort.signal });
  void call('c', [SLOW]);
  await pass(100);
  abort.abort(new Error('Ctrl-C'));
  await expect(interrupted).rejects.toThrow('Ctrl-C');
  await expect(call('d', [SLOW], { signal: abort.signal })).rejects.toThrow('Ctrl-C');
  await pass(6_000);
  expect(started).toEqual(['a 0.0', 'c 5.4']);
  expect(timers()).toBe(0);
});

it('says once that calls wait for long, and again when they wait another time', async () => {
  const { call, pass, long } = open();
  for (let index = 0; index < 3; index++) void call('', [SLOW, GENERAL]);
  for (let index = 0; index < 8; index++) void call('', [GENERAL]);
  await pass(60_000);
  expect(long).toEqual(['0 s: S quota: Slow, 1 per 5 s']);
  for (let index = 0; index < 60; index++) void call('', [GENERAL]);
  await pass(60_000);
  expect(long.slice(1)).toEqual(['60 s: S quota: 10 per second']);
});

it.each([
  ['Lambda', 'GetFunction', ['100 per second']],
  ['Lambda', 'UpdateFunctionCode', ['15 per second']],
  ['Lambda', 'PublishVersion', ['15 per second']],
  ['API Gateway', 'GetStages', ['10 per second']],
  ['API Gateway', 'CreateDeployment', ['1 per 5 s', '10 per second']],
  ['API Gateway', 'PutRestApi', ['1 per second', '10 per second']],
  ['API Gateway', 'CreateRestApi', ['1 per 3 s', '10 per second']],
  ['Step Functions', 'UpdateStateMachine', ['1 per second']],
  ['CloudFormation', 'DescribeStacks', ['5 per second']],
  ['S3', 'PutObject', []],
])('%s %s', (service, operation, rates) => {
  expect(quotasOf(service, operation).map((quota) => describeQuota(quota).replace(/.*[:,] /, ''))).toEqual(rates);
});
