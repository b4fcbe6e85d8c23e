import { describe, expect, it } from 'vitest';
import { initialLoopState } from '../../../src/watch/loop/loop-state.ts';
import type { LoopDecision, LoopInput, LoopState } from '../../../src/watch/loop/loop-state.ts';
import type { SyncedResource } from '../../../src/watch/loop/results.ts';
import { advanceLoop } from '../../../src/watch/loop/watch-loop.ts';

const TIMES = { firstRetry: 2, longestRetry: 5, quiet: 9 };

/** What is decided, in short: `sync1 A`, `deploy2`, `abort1`, `retry in 2`, `A synced`, `A,B queued` … */
function short(decision: LoopDecision): string {
  switch (decision.do) {
    case 'sync':
      return `sync${decision.work} ${decision.ids.join()}`;
    case 'read':
      return `read${decision.work}`;
    case 'deploy':
      return `deploy${decision.work}${decision.force ? ' force' : ''}`;
    case 'abort':
      return `abort${decision.work}`;
    case 'start-timer':
      return `${decision.timer} in ${decision.ms}`;
    case 'stop-timer':
      return `no ${decision.timer}`;
    case 'renew':
      return `renew ${[...decision.kinds].join()}`;
    case 'report': {
      const { event } = decision;
      if (event.type === 'ended') return `${event.resource.id} ${event.resource.outcome} ${event.ms}`;
      if (event.type === 'deploy-ended') return `stack ${event.end.outcome} ${event.ms}`;
      return 'ids' in event ? `${event.ids.join()} ${event.type}` : event.type;
    }
    case 'clear':
      return decision.do;
  }
}

/** A loop that gets one input each millisecond; each gives what is decided. Nothing is deployed that begins with `New`. */
function open({ setsDirectly = false } = {}) {
  let state: LoopState = initialLoopState(TIMES);
  let now = 0;
  const send = (input: LoopInput): string[] => {
    now++;
    const touchedBy = (id: string): Set<string> => new Set(id === 'L' ? ['L', 'A'] : [id]);
    const isDeployed = (id: string): boolean => !id.startsWith('New');
    const step = advanceLoop(state, input, { now, touchedBy, isDeployed, setsDirectly: () => setsDirectly });
    state = step.state;
    return step.decisions.map(short);
  };
  return {
    send,
    state: () => state,
    changed: (ids: string, deploy = false) => send({ type: 'changed', ids: ids.split(' ').filter(Boolean), deploy }),
    committed: (work: number) => send({ type: 'committed', work }),
    aborted: (work: number) => send({ type: 'aborted', work }),
    synced: (work: number, ...results: SyncedResource[]) => send({ type: 'synced', work, results }),
    deployed: () => send({ type: 'deployed', end: { outcome: 'deployed', results: [], toSync: [] } }),
    failedDeploy: (on: string, transient?: 'connection') =>
      send({
        type: 'deployed',
        end: {
          outcome: 'failed',
          failure: { message: 'no', transient },
          causes: [],
          toSync: [],
          retryOn: (id) => on.includes(id),
        },
      }),
  };
}

const ok = (id: string, more: Partial<SyncedResource> = {}): SyncedResource => ({ id, outcome: 'synced', ...more });
const failed = (id: string, more: object = {}): SyncedResource => ({
  id,
  outcome: 'failed',
  failure: { message: 'broken', ...more },
});

describe('the loop', () => {
  it('syncs a save: queued, building, updating, synced', () => {
    const { changed, committed, synced } = open();
    expect(changed('A')).toEqual(['A queued', 'A building', 'sync1 A']);
    expect(committed(1)).toEqual(['A updating']);
    expect(synced(1, ok('A'))).toEqual(['A synced 2']);
  });

  it('leaves its state as it is and gives a new one', () => {
    const before = initialLoopState();
    const facts = {
      now: 1,
      touchedBy: (id: string) => new Set([id]),
      isDeployed: () => true,
      setsDirectly: () => false,
    };
    const { state } = advanceLoop(before, { type: 'changed', ids: ['A'], deploy: true }, facts);
    expect(before).toEqual(initialLoopState());
    expect(state).not.toEqual(before);
  });

  it('measures a resource from its first change, however often its build is aborted', () => {
    const { changed, aborted, synced } = open();
    changed('A');
    expect(changed('A')).toEqual(['A queued', 'abort1']);
    expect(aborted(1)).toEqual(['A queued', 'A building', 'sync2 A']);
    expect(synced(2, ok('A'))).toEqual(['A synced 3']);
  });

  it('lets a build finish that was aborted twice in a row', () => {
    const { changed, aborted, synced } = open();
    changed('A');
    for (const work of [1, 2]) {
      expect(changed('A')).toContain(`abort${work}`);
      aborted(work);
    }
    expect(changed('A')).toEqual(['A queued']);
    expect(synced(3, ok('A'))).toEqual(['A synced 6', 'A building', 'sync4 A']);
    expect(changed('A')).toContain('abort4');
  });

  it('knows which updates in the cloud have no result', () => {
    const { changed, committed, synced, aborted, state } = open();
    changed('A B');
    committed(1);
    committed(2);
    synced(1, ok('A'));
    aborted(2);
    expect([...state().updating]).toEqual(['B']);
  });

  it('waits with a layer and its function for each other', () => {
    const { changed, synced } = open();
    expect(changed('A')).toContain('sync1 A');
    expect(changed('L')).toEqual(['L queued']);
    expect(synced(1, ok('A'))).toContain('sync2 L');
  });

  it('deploys once more, with force, what only a deployment can apply', () => {
    const { changed, synced } = open();
    changed('A');
    expect(synced(1, { id: 'A', outcome: 'blocked' })).toEqual([
      'deploy-queued',
      'A blocked 1',
      'deploy-started',
      'deploy2 force',
    ]);
  });

  it('syncs what waited while a deployment began that ends without comparing anything', () => {
    const { changed, synced, send, state } = open();
    changed('A');
    // the layer waits for its function
    changed('L');
    changed('', true);
    send({ type: 'reserved', touched: () => false });
    expect(send({ type: 'deployed', end: { outcome: 'unchanged', results: [], toSync: [] } })).toEqual([
      'stack unchanged 2',
    ]);
    expect([...state().pending.keys()]).toEqual(['L']);
    expect(synced(1, ok('A'))).toContain('L building');
  });

  it('holds a deployment back until no sync changes what it reserved', () => {
    const { changed, send, committed, synced, deployed } = open();
    changed('A B');
    committed(1);
    expect(changed('', true)).toEqual(['deploy-queued', 'deploy-started', 'deploy3']);
    expect(send({ type: 'reserved', touched: (id) => id === 'A' })).toEqual([]);
    expect(send({ type: 'waiting' })).toEqual([]);
    expect(synced(2, ok('B'))).toEqual(['B synced 5']);
    expect(synced(1, ok('A'))).toEqual(['A synced 6', 'clear']);
    expect(committed(3)).toEqual([]);
    expect(deployed()).toEqual(['stack deployed 6']);
  });

  it('compares again what changed while a deployment could overwrite it', () => {
    const { changed, send, committed, deployed } = open();
    changed('', true);
    send({ type: 'reserved', touched: (id) => id === 'A' });
    committed(1);
    expect(changed('A B')).toEqual(['A,B queued', 'B building', 'sync2 B']);
    expect(deployed()).toEqual(['stack deployed 4', 'A building', 'sync3 A']);
  });

  it('an aborted deployment is wanted again, with its force and since its first request', () => {
    const { changed, send, aborted, deployed } = open();
    send({ type: 'deploy-requested' });
    expect(changed('', true)).toEqual(['deploy-queued', 'abort1']);
    expect(changed('', true)).toEqual([]);
    expect(aborted(1)).toEqual(['deploy-started', 'deploy2 force']);
    expect(deployed()).toEqual(['stack deployed 4']);
  });

  it('deploys again when a reason of the failure changes, also if it changed during the deployment', () => {
    const { changed, committed, failedDeploy } = open();
    changed('', true);
    expect(failedDeploy('A')).toEqual(['stack failed 1']);
    expect(changed('B')).not.toContain('deploy-queued');
    expect(changed('A')).toContain('deploy-queued');
    committed(3);
    expect(changed('A')).not.toContain('deploy-queued');
    expect(failedDeploy('A')).toContain('deploy4');
  });

  it('leaves a resource that is not deployed to the deployment', () => {
    const { changed, deployed } = open();
    expect(changed('New')).toEqual(['New queued']);
    expect(changed('', true)).toContain('deploy1');
    expect(deployed()).toEqual(['stack deployed 1']);
  });

  it('drops what is removed', () => {
    const { changed, send, state } = open();
    changed('New');
    send({ type: 'resources', ids: new Set(['A']) });
    expect([...state().pending]).toEqual([]);
  });

  it('starts nothing after the end, and plans no retry', () => {
    const { changed, send, synced } = open();
    changed('A');
    send({ type: 'end' });
    expect(changed('B', true)).toEqual(['deploy-queued', 'B queued']);
    expect(synced(1, failed('A', { transient: 'connection' }))).toEqual(['A failed 3']);
  });
});

describe('retries of transient failures', () => {
  const lost = { transient: 'connection' };

  it('are planned one at a time, and soon again after a success', () => {
    const { changed, send, synced } = open();
    changed('A B');
    expect(synced(1, failed('A', lost))).toEqual(['retry in 2', 'A failed 1']);
    expect(synced(2, failed('B', lost))).toEqual(['B failed 2']);
    send({ type: 'timer', timer: 'retry' });
    synced(3, ok('A'));
    expect(synced(4, failed('B', lost))).toEqual(['retry in 2', 'B failed 2']);
  });

  it('wait twice as long each time, up to the limit', () => {
    const { changed, send, synced } = open();
    changed('A');
    const delays = [1, 2, 3, 4].map((work) => {
      const [first] = synced(work, failed('A', lost));
      send({ type: 'timer', timer: 'retry' });
      return first;
    });
    expect(delays).toEqual(['retry in 2', 'retry in 4', 'retry in 5', 'retry in 5']);
  });

  it('leave out what only a change can fix', () => {
    const { changed, send, synced } = open();
    changed('A B');
    synced(1, failed('A', lost));
    synced(2, failed('B'));
    expect(send({ type: 'timer', timer: 'retry' })).toEqual(['renew connection', 'A queued', 'A building', 'sync3 A']);
  });

  it('deploy again if the deployment failed so', () => {
    const { changed, send, failedDeploy } = open();
    changed('', true);
    expect(failedDeploy('', 'connection')).toEqual(['stack failed 1', 'retry in 2']);
    expect(send({ type: 'timer', timer: 'retry' })).toContain('deploy2');
  });

  it('follow the sync of the resource that a failure waits for', () => {
    const { changed, synced } = open();
    changed('A B');
    synced(1, failed('A', { waitsFor: 'B' }));
    expect(synced(2, ok('B'))).toEqual(['A queued', 'B synced 2', 'A building', 'sync3 A']);
  });
});

describe('a deployment of stale values', () => {
  const stale = { leavesStaleValues: true };

  /** A loop that has synced A, which left stale values, and is idle. */
  function idle() {
    const loop = open();
    loop.changed('A');
    const decided = loop.synced(1, ok('A', stale));
    return { ...loop, decided };
  }

  it('follows when it was quiet for long enough', () => {
    const { decided, send } = idle();
    expect(decided).toEqual(['A synced 1', 'follow-up in 9']);
    expect(send({ type: 'timer', timer: 'follow-up' })).toEqual(['deploy-queued', 'deploy-started', 'deploy2 force']);
  });

  it('follows code that is live before it is deployed, also if a deployment of something else ends first', () => {
    const { changed, synced, send } = open();
    changed('A');
    expect(synced(1, ok('A', { isAhead: true }))).toEqual(['A synced 1', 'deploy-queued', 'follow-up in 9']);
    // not forced: the code may be as deployed by then
    expect(send({ type: 'timer', timer: 'follow-up' })).toEqual(['deploy-queued', 'deploy-started', 'deploy2']);
    send({ type: 'reserved', touched: (id) => id === 'B' });
    changed('A');
    synced(3, ok('A', { isAhead: true }));
    const end = { outcome: 'unchanged', results: [], toSync: [] } as const;
    expect(send({ type: 'deployed', end })).toContain('follow-up in 9');
  });

  it('follows no sync that left none', () => {
    const { changed, synced } = open();
    changed('A');
    expect(synced(1, ok('A'))).toEqual(['A synced 1']);
  });

  it('waits while something goes on, and then as long as before', () => {
    const { changed, synced } = idle();
    expect(changed('B')).toEqual(['B queued', 'no follow-up', 'B building', 'sync2 B']);
    expect(synced(2, ok('B'))).toEqual(['B synced 1', 'follow-up in 9']);
  });

  it('starts to wait anew with a change that cannot be synced yet', () => {
    const { changed } = idle();
    expect(changed('New')).toEqual(['New queued', 'no follow-up', 'follow-up in 9']);
  });

  it.each([
    ['succeeded', (loop: ReturnType<typeof open>) => loop.deployed()],
    ['failed', (loop: ReturnType<typeof open>) => loop.failedDeploy('')],
  ])('does not follow a deployment that %s meanwhile', (_, end) => {
    const loop = idle();
    loop.changed('', true);
    expect(end(loop).join()).not.toContain('follow-up');
  });
});

describe('settings that services set directly', () => {
  type Read = Extract<LoopInput, { type: 'read' }>['end'];

  /** A loop that reads changed templates first. */
  function direct() {
    const loop = open({ setsDirectly: true });
    const read = (work: number, toSync: string, deploy: Read['deploy'] = 'when-quiet'): string[] =>
      loop.send({ type: 'read', work, end: { toSync: toSync.split(' ').filter(Boolean), deploy } });
    const quiet = (): string[] => loop.send({ type: 'timer', timer: 'follow-up' });
    return { ...loop, read, quiet };
  }

  it('are synced at once; the deployment follows when nothing has changed for a while', () => {
    const { changed, read, synced, quiet, deployed } = direct();
    expect(changed('', true)).toEqual(['deploy-queued', 'read1']);
    expect(read(1, 'A')).toEqual(['A queued', 'A building', 'sync2 A']);
    expect(synced(2, ok('A'))).toEqual(['A synced 2', 'follow-up in 9']);
    expect(quiet()).toEqual(['deploy-queued', 'deploy-started', 'deploy3']);
    expect(deployed()).toEqual(['stack deployed 4']);
  });

  it('are in one sync with the code that was saved with them', () => {
    const { changed, read } = direct();
    expect(changed('A', true)).toEqual(['deploy-queued', 'A queued', 'read1']);
    expect(read(1, 'A')).toEqual(['A building', 'sync2 A']);
  });

  it.each<[string, (loop: ReturnType<typeof direct>) => void, string, boolean]>([
    ['is in sync', () => {}, 'Api', true],
    ['is being synced', ({ changed }) => changed('F'), 'Api', false],
    ['failed', ({ changed, synced }) => [changed('F'), synced(1, failed('F'))], 'Api', false],
    ['has settings too', () => {}, 'F Api', false],
  ])('that change the callers of an API wait for the deployment unless its function is in sync: it %s', (...row) => {
    const [, before, toSync, isSynced] = row;
    const loop = direct();
    before(loop);
    const work = Number(/read(\d+)/.exec(loop.changed('', true).join())?.[1]);
    const end = { toSync: toSync.split(' '), access: new Map([['Api', ['F']]]), deploy: 'when-quiet' as const };
    const decided = loop.send({ type: 'read', work, end }).filter((one) => one.startsWith('sync'));
    expect(decided.some((one) => one.includes('Api'))).toBe(isSynced);
  });

  it('are synced before the deployment that the rest of the change needs', () => {
    const { changed, read } = direct();
    changed('', true);
    expect(read(1, 'A', 'now')).toEqual([
      'A queued',
      'deploy-queued',
      'A building',
      'sync2 A',
      'deploy-started',
      'deploy3',
    ]);
  });

  it('keep a deployment waiting while their sync cannot start', () => {
    const { changed, read, aborted } = direct();
    changed('A');
    expect(changed('A', true)).toEqual(['deploy-queued', 'A queued', 'read2', 'abort1']);
    expect(read(2, 'A', 'now')).toEqual(['deploy-queued']);
    expect(aborted(1)).toEqual(['A queued', 'A building', 'sync3 A', 'deploy-started', 'deploy4']);
  });

  it('of ten saves are in one deployment', () => {
    const { changed, read, synced, quiet } = direct();
    const decided: string[] = [];
    for (let save = 0; save < 10; save++) {
      decided.push(...changed('', true), ...read(2 * save + 1, 'A'), ...synced(2 * save + 2, ok('A')));
    }
    expect(decided.filter((one) => one.startsWith('deploy') && one !== 'deploy-queued')).toEqual([]);
    expect(quiet()).toContain('deploy21');
  });

  it('are read once more if templates change meanwhile', () => {
    const { changed, read } = direct();
    changed('', true);
    expect(changed('', true)).toEqual(['deploy-queued']);
    expect(read(1, 'A')).toEqual(['A queued', 'read2']);
    expect(read(2, '')).toEqual(['A building', 'sync3 A']);
  });

  it('wait for a deployment that changes the same resource, and are deployed after it', () => {
    const { changed, read, committed, send, synced, deployed, quiet } = direct();
    changed('', true);
    read(1, '', 'now');
    send({ type: 'reserved', touched: (id) => id === 'A' });
    committed(2);
    changed('', true);
    expect(read(3, 'A B')).toEqual(['A,B queued', 'B building', 'sync4 B']);
    synced(4, ok('B'));
    expect(deployed()).toEqual(['stack deployed 7', 'deploy-queued', 'A building', 'sync5 A']);
    expect(synced(5, ok('A'))).toEqual(['A synced 4', 'follow-up in 9']);
    expect(quiet()).toContain('deploy6');
  });

  it('wait for quiet again if the deployment that follows is aborted', () => {
    const { changed, read, synced, quiet, aborted } = direct();
    changed('', true);
    read(1, 'A');
    synced(2, ok('A'));
    quiet();
    expect(changed('', true)).toEqual(['deploy-queued', 'read4', 'abort3']);
    expect(read(4, 'A')).toEqual(['A queued']);
    expect(aborted(3)).toEqual(['A building', 'sync5 A']);
    expect(synced(5, ok('A'))).toEqual(['A synced 3', 'follow-up in 9']);
  });

  it('that a service refuses are deployed now', () => {
    const { changed, read, synced } = direct();
    changed('', true);
    read(1, 'A');
    expect(synced(2, { id: 'A', outcome: 'blocked' })).toEqual([
      'deploy-queued',
      'A blocked 2',
      'deploy-started',
      'deploy3 force',
    ]);
  });
});
