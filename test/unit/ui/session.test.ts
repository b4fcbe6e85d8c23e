import { expect, it } from 'vitest';
import { createEventHistory } from '../../../src/console/event-history.ts';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { headlineOf, placeBeside, reasonOf } from '../../../src/ui/model/headline.ts';
import { lanesOf } from '../../../src/ui/model/lanes.ts';
import { outcomeOf, titleOf } from '../../../src/ui/model/records.ts';
import { decodeSession, emptySession, encodeSession } from '../../../src/ui/model/session-state.ts';
import type { SessionState } from '../../../src/ui/model/session-state.ts';
import { traceOf } from '../../../src/ui/model/trace.ts';
import { updateFacts, updateSession } from '../../../src/ui/model/update-session.ts';

/** A session after these events, 10 ms apart. */
function sessionOf(events: readonly SyncEvent[]): SessionState {
  const session = emptySession(1_000);
  events.forEach((event, index) => updateSession(session, { at: 1_000 + index * 10, event }));
  return session;
}

const START: SyncEvent[] = [
  { type: 'watch-resources', stackName: 'shop', ids: ['A', 'B'] },
  { type: 'stack-state', state: 'preparing' },
  { type: 'resource-state', id: 'A', state: 'in-sync', changed: false },
  { type: 'resource-state', id: 'B', state: 'in-sync', changed: false },
  { type: 'stack-state', state: 'in-sync', changed: true, ms: 30 },
  { type: 'watch-ready', resources: 2, folders: 1, ms: 50 },
];
const SAVE: SyncEvent[] = [
  { type: 'watch-change', files: ['a/app.py'], ids: ['A'], templates: false, options: false },
  { type: 'resource-state', id: 'A', state: 'waiting' },
  { type: 'resource-state', id: 'A', state: 'building' },
  { type: 'step-started', kind: 'build', id: 'build:A', label: 'A', ids: ['A'] },
  { type: 'step-finished', id: 'build:A', outcome: 'done', ms: 10 },
  { type: 'span', kind: 'zip', label: 'the dependencies of A', ms: 15 },
  { type: 'resource-state', id: 'A', state: 'updating' },
  { type: 'api-call', service: 'Lambda', operation: 'UpdateFunctionCode', ms: 8, attempts: 2, target: 'shop-A-1' },
  { type: 'api-call', service: 'CloudWatch Logs', operation: 'FilterLogEvents', ms: 5, attempts: 1 },
];
const DONE: SyncEvent = { type: 'resource-state', id: 'A', state: 'in-sync', changed: true, detail: 'code', ms: 90 };
const FACTS = {
  stackName: 'shop',
  region: 'us-east-1',
  local: false,
  resources: [{ id: 'A', type: 'AWS::Lambda::Function', role: 'function', physicalId: 'shop-A-1', ahead: [] }],
} as const;

it('a sync has its files, its resources and what it spent its time on, without calls of the page itself', () => {
  const session = sessionOf([...START, ...SAVE, DONE]);
  expect(session.records).toMatchObject([
    { id: 1, ids: ['A', 'B'], deployed: true },
    { id: 2, files: ['a/app.py'], ids: ['A'], changed: ['A'], failed: [], deployed: false },
  ]);
  const [, record] = session.records;
  expect(record?.end).toBeDefined();
  expect(record?.spans.map(({ kind, label, end, start }) => [kind, label, end - start])).toEqual([
    ['queue', 'waits for other work', 10],
    ['build', 'build A', 10],
    ['zip', 'zip the dependencies of A', 15],
    ['call', 'Lambda UpdateFunctionCode', 8],
  ]);
  expect(session.resources.get('A')).toMatchObject({ lastSync: { ms: 90, detail: 'code' }, undeployed: ['code'] });
});

it('a page that joins has the same session as one that followed all events', () => {
  const joined = decodeSession(JSON.parse(JSON.stringify(encodeSession(sessionOf([...START, ...SAVE])))));
  updateSession(joined, { at: 1_150, event: DONE });
  expect(joined).toEqual(sessionOf([...START, ...SAVE, DONE]));
});

it.each<[string, SyncEvent[], string]>([
  ['runs', SAVE, 'running'],
  ['sends a change', [...SAVE, DONE], 'synced'],
  ['finds no difference', [...SAVE, { ...DONE, changed: false }], 'unchanged'],
  ['fails for a resource', [...SAVE, { type: 'resource-state', id: 'A', state: 'failed' }], 'failed'],
  // such as a template that cannot be read: nothing is deployed
  ['cannot deploy', [{ type: 'stack-state', state: 'failed', failure: { message: 'no YAML' } }], 'failed'],
])('the outcome of a sync that %s', (_name, events, outcome) => {
  const [, record] = sessionOf([...START, ...events]).records;
  expect(record && outcomeOf(record)).toBe(outcome);
});

it('a deployment takes what was ahead of the stack', () => {
  const deployed = sessionOf([
    ...START,
    ...SAVE,
    DONE,
    { type: 'stack-state', state: 'in-sync', changed: true, ms: 1 },
  ]);
  expect(deployed.resources.get('A')?.undeployed).toEqual([]);
});

it.each<[string, SyncEvent[], object]>([
  ['before the first sync', START.slice(0, 2), { tone: 'busy', title: 'Starting: the first sync of shop' }],
  ['idle', START, { tone: 'live', title: 'Everything you saved is live' }],
  ['busy', [...START, ...SAVE], { tone: 'busy', title: 'Syncing A', detail: 'a/app.py' }],
  [
    'failed',
    [
      ...START,
      ...SAVE,
      { type: 'resource-state', id: 'A', state: 'failed', failure: { message: 'no\nmore', file: 'a/app.py', line: 3 } },
    ],
    { tone: 'failed', title: 'A is not live', detail: 'a/app.py:3: no', id: 'A' },
  ],
  [
    'a deployment that failed',
    [...START, { type: 'stack-state', state: 'failed', failure: { message: 'B: quota' } }],
    { tone: 'failed', title: 'The deployment failed', detail: 'B: quota' },
  ],
  [
    'a function that cannot run',
    [...START, { type: 'resource-state', id: 'A', state: 'in-sync', problems: [{ message: 'no handler' }] }],
    { tone: 'failed', title: 'A is live and cannot run', detail: 'no handler', id: 'A' },
  ],
  [
    'ended',
    [...START, { type: 'watch-stopped', goingOn: undefined }],
    { tone: 'ended', title: 'The command has ended' },
  ],
])('the headline: %s', (_name, events, headline) => {
  expect(headlineOf(sessionOf(events))).toMatchObject(headline);
});

it.each([
  ['no YAML', 't.yaml:2:4'],
  ['t.yaml:2:4: no YAML', undefined],
])('the place beside the message "%s": %s', (message, place) => {
  expect(placeBeside({ message, file: 't.yaml', line: 2, column: 4 })).toBe(place);
});

it.each([
  [
    'esbuild could not bundle A: src/app.ts:1:11: Unexpected ";"',
    'a/src/app.ts:1:12: esbuild could not bundle A: Unexpected ";"',
  ],
  ['a/src/app.ts:1:12: no\nmore', 'a/src/app.ts:1:12: no'],
  ['app.ts:2: other line', 'a/src/app.ts:1:12: app.ts:2: other line'],
  ['my-app.ts:1: other file', 'a/src/app.ts:1:12: my-app.ts:1: other file'],
])('the reason "%s" has its place once', (message, reason) => {
  expect(reasonOf({ message, file: 'a/src/app.ts', line: 1, column: 12 })).toBe(reason);
});

it('the trace file has a process for each sync and a thread for each lane, whose events nest and do not overlap', () => {
  const session = sessionOf([...START, ...SAVE, DONE]);
  const record = session.records[1]!;
  expect(lanesOf(record, FACTS).map(({ name, spans }) => [name, spans.map(({ kind }) => kind)])).toEqual([
    ['A', ['queue', 'build', 'call']],
    ['A', ['zip']],
  ]);
  const parts = [
    [1_000.0004, 1_050.0001, 'one'],
    [1_000.0004, 1_020, 'in one'],
    [1_020.0003, 1_050.0002, 'in one, after rounding'],
    [1_040, 1_060, 'overlaps'],
    [1_050.0004, 1_070, 'after one'],
  ] as const;
  for (const [start, end, label] of parts) record.spans.push({ kind: 'wait', label, ids: ['B', 'A'], start, end });
  const { traceEvents } = traceOf([record], { ...session, facts: FACTS });
  expect(traceEvents.filter(({ ph }) => ph === 'M').map(({ name, args }) => [name, args])).toEqual([
    ['process_name', { name: 'Sync 2 of shop: a/app.py' }],
    ['process_sort_index', { sort_index: 2 }],
    ...['B', 'B', 'A', 'A'].flatMap((name, index) => [
      ['thread_name', { name }],
      ['thread_sort_index', { sort_index: index + 1 }],
    ]),
  ]);
  const spans = traceEvents.flatMap(({ ph, name, tid, ts = 0, dur = 0 }) =>
    ph === 'X' ? [{ name, tid, ts, dur }] : [],
  );
  for (const one of spans) {
    expect([one.ts, one.dur].every(Number.isSafeInteger)).toBe(true);
    for (const other of spans) {
      if (one === other || one.tid !== other.tid) continue;
      const [oneEnd, otherEnd] = [one.ts + one.dur, other.ts + other.dur];
      const isApart = oneEnd <= other.ts || otherEnd <= one.ts;
      const isInside = (one.ts <= other.ts && otherEnd <= oneEnd) || (other.ts <= one.ts && oneEnd <= otherEnd);
      expect(isApart || isInside, `${one.name} and ${other.name}`).toBe(true);
    }
  }
  expect(spans.filter(({ tid }) => tid === 1).map(({ name }) => name)).toEqual([
    'one',
    'in one',
    'in one, after rounding',
    'after one',
  ]);
  expect(traceEvents.find(({ cat }) => cat === 'zip')).toMatchObject({ ph: 'X', pid: 10_002, dur: 15_000 });
});

it('a start with a broken template has the name of the stack, and the failure', () => {
  const failure = { message: 'template.yaml:2:1: no YAML' };
  const session = sessionOf([{ type: 'stack-state', state: 'failed', failure }]);
  updateFacts(session, FACTS);
  expect(session.stackName).toBe('shop');
  expect(headlineOf(session)).toMatchObject({ tone: 'failed', detail: failure.message });
  expect(session.records.map((record) => [titleOf(record), outcomeOf(record)])).toEqual([['Deployment', 'failed']]);
});

it('a page that is opened late learns the last state of each resource, after thousands of events', () => {
  const history = createEventHistory();
  for (const event of START) history.add(event);
  for (let round = 0; round < 5_000; round++) history.add(SAVE[2]!);
  history.add(DONE);
  const session = emptySession(0);
  const unfollow = history.follow((timed) => updateSession(session, timed));
  expect([...session.resources.values()].map(({ id, state }) => [id, state])).toEqual([
    ['A', 'in-sync'],
    ['B', 'in-sync'],
  ]);
  expect(headlineOf(session).tone).toBe('live');
  unfollow();
  history.add(SAVE[2]!);
  expect(headlineOf(session).tone).toBe('live');
});
