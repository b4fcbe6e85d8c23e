import { describe, expect, it } from 'vitest';
import { toAwsError } from '../../../src/aws/service-errors.ts';
import { mayBeStale, recentSends, sendAndRecord } from '../../../src/cloud/recent-sends.ts';
import type { SyncFacts } from '../../../src/cloud/sync-state.ts';

const RESOURCE = 'arn:machine';
const empty = (): Pick<SyncFacts, 'sent'> => ({ sent: {} });
const send = (facts: Pick<SyncFacts, 'sent'>, from: string, to: string): Promise<void> =>
  sendAndRecord(facts, { shown: { resource: RESOURCE, value: from }, value: to }, () => Promise.resolve());
const doubts = (facts: Pick<SyncFacts, 'sent'>, value: string, later = 0): boolean =>
  mayBeStale(facts, { resource: RESOURCE, value }, Date.now() + later);

describe('what a service shows after we sent something', () => {
  it('is doubtful if it was there before', async () => {
    const facts = empty();
    expect(doubts(facts, 'a')).toBe(false);
    await send(facts, 'a', 'b');
    expect(doubts(facts, 'a')).toBe(true);
    await send(facts, 'b', 'c');
    expect(['a', 'b', 'c'].map((value) => doubts(facts, value))).toEqual([true, true, false]);
  });

  it('is believed if it was never there: somebody else made it', async () => {
    const facts = empty();
    await send(facts, 'a', 'b');
    expect(doubts(facts, 'x')).toBe(false);
    expect(mayBeStale(facts, { resource: 'arn:other', value: 'a' })).toBe(false);
  });

  it('is believed later, and nothing is kept of it', async () => {
    const facts = empty();
    await send(facts, 'a', 'b');
    expect(doubts(facts, 'a', 60_000)).toBe(false);
    expect(recentSends(facts.sent)).toEqual(facts.sent);
    expect(recentSends(facts.sent, Date.now() + 60_000)).toEqual({});
  });
});

describe('what failed', () => {
  const failing = async (error: unknown): Promise<boolean> => {
    const facts = empty();
    const fail = async (): Promise<void> => {
      throw error;
    };
    const change = { shown: { resource: RESOURCE, value: 'a' }, value: 'b' };
    await expect(sendAndRecord(facts, change, fail)).rejects.toBe(error);
    return doubts(facts, 'a');
  };
  const failure = (name: string, $metadata: object): unknown =>
    toAwsError(Object.assign(new Error(name), { name, $metadata }), { service: 'S', operation: 'O' });

  it.each([
    ['a refusal', failure('ValidationException', { httpStatusCode: 400, attempts: 1 }), false],
    ['a refusal of the second try', failure('ConflictException', { httpStatusCode: 409, attempts: 2 }), true],
    ['a fault of the service', failure('InternalFailure', { httpStatusCode: 500, attempts: 1 }), true],
    ['an interruption', new Error('stop'), true],
  ])('%s may have arrived: %s', async (_, error, expected) => {
    expect(await failing(error)).toBe(expected);
  });
});
