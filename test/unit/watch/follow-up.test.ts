import { describe, expect, it } from 'vitest';
import { createFollowUp } from '../../../src/watch/loop/follow-up.ts';
import type { LoopEvent } from '../../../src/watch/loop/watch-tasks.ts';
import { poll } from '../../support/cloud.ts';

const ended = (behind: boolean): LoopEvent => ({
  type: 'ended',
  resource: { id: 'L', outcome: 'synced', behind },
  ms: 1,
});
const idle: LoopEvent = { type: 'idle' };
const queued: LoopEvent = { type: 'queued', ids: ['L'] };
const failed: LoopEvent = {
  type: 'deploy-ended',
  end: { outcome: 'failed', failure: { message: 'no' }, culprits: [], toSync: [], effects: () => false },
  ms: 1,
};

/** How often it has deployed after these events. It goes on working: one more sync makes it deploy once more. */
async function deployments(...events: LoopEvent[]): Promise<number> {
  let count = 0;
  const followUp = createFollowUp(() => void count++, 5);
  for (const event of events) followUp.note(event);
  // timers of one duration fire in the order in which they were set
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = count;
  followUp.note(ended(true));
  followUp.note(idle);
  await poll(async () => (count > before ? true : undefined));
  followUp.stop();
  return before;
}

describe('a deployment after code syncs', () => {
  it.each([
    ['follows what left values behind, once it is idle', [ended(true), idle, idle], 1],
    ['follows nothing else', [ended(false), idle], 0],
    ['waits while something goes on', [ended(true), idle, queued], 0],
    ['comes when that is over', [ended(true), idle, queued, ended(false), idle], 1],
    ['does not follow the one that was made meanwhile, or failed', [ended(true), idle, failed, idle], 0],
  ])('%s', async (_, events, expected) => {
    expect(await deployments(...events)).toBe(expected);
  });
});
