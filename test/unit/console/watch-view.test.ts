import { describe, expect, it } from 'vitest';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { currentStep, emptyWatchModel, updateWatchModel } from '../../../src/console/watch-model.ts';
import { renderWatch } from '../../../src/console/watch-view.ts';

const SECOND = 1_000;

/** A view of these resources, and what it shows after events. */
function watch(...ids: string[]) {
  const model = emptyWatchModel(0);
  const after = (now: number, ...events: SyncEvent[]): void => {
    for (const event of events) updateWatchModel(model, event, now);
  };
  after(0, { type: 'watch-resources', stackName: 'app', ids });
  const style = (_look: string, text: string): string => text;
  const lines = (now = 0, size: { columns?: number; rows?: number } = {}): string[] =>
    renderWatch(model, { columns: 120, rows: 30, now, wallClock: now, spinner: '*', style, ...size }).map((line) =>
      line.trimEnd(),
    );
  return { model, after, lines };
}

const inSync = (id: string, more: object = {}): SyncEvent => ({
  type: 'resource-state',
  id,
  state: 'in-sync',
  ...more,
});
const failed = (id: string, message: string): SyncEvent => ({
  type: 'resource-state',
  id,
  state: 'failed',
  failure: { message },
});
const building = (id: string): SyncEvent => ({ type: 'resource-state', id, state: 'building' });
const stack = (state: 'updating' | 'in-sync' | 'failed', more: object = {}): SyncEvent => ({
  type: 'stack-state',
  state,
  ...more,
});
const stackEvent = (logicalId: string, status: string, stackPath = ''): SyncEvent => ({
  type: 'stack-event',
  event: {
    stackPath,
    logicalId,
    resourceType: 'AWS::Lambda::Function',
    status,
    reason: undefined,
    timestamp: new Date(0),
  },
});

describe('the row of a resource', () => {
  it('a function that is in sync and cannot run says so, above the others, until it is fixed', () => {
    const { after, lines } = watch('A', 'B');
    const problems = [{ message: 'SyntaxError: invalid syntax', file: 'b/app.py', line: 3, column: 7 }];
    after(0, inSync('A', { changed: false }), inSync('B', { changed: false, problems }));
    expect(lines().slice(0, 2)).toEqual(['! B  in sync   b/app.py:3:7: SyntaxError: invalid syntax', '✓ A  in sync']);
    after(0, inSync('B', { changed: false }));
    expect(lines().slice(0, 2)).toEqual(['✓ A  in sync', '✓ B  in sync']);
  });

  it('says when it was synced last, and how long that took', () => {
    const { after, lines } = watch('A');
    after(0, inSync('A', { changed: true, ms: 640 }));
    const shown = [1_000, 12_000, 59_400, 59_600, 180_000, 3_599_000, 7_200_000].map((now) => lines(now)[0]);
    expect(shown).toEqual(
      ['just now', '12 s ago', '59 s ago', '1 min ago', '3 min ago', '1 h ago', '2 h ago'].map(
        (ago) => `✓ A  in sync   ${ago}, took 0.6 s`,
      ),
    );
    // compared and found the same: that is no sync
    after(9 * SECOND, inSync('A', { changed: false }));
    expect(lines(10 * SECOND)[0]).toBe('✓ A  in sync   10 s ago, took 0.6 s');
  });

  it('says since when it is built, and what the tool says right now', () => {
    const { after, lines } = watch('A');
    after(SECOND, building('A'), { type: 'step-started', kind: 'build', id: 'b', label: 'A', ids: ['A'] });
    expect(lines(3 * SECOND)[0]).toBe('* A  building  2.0 s');
    after(SECOND, { type: 'tool-output', id: 'b', line: '  Collecting six  ' });
    expect(lines(3 * SECOND)[0]).toBe('* A  building  2.0 s  Collecting six');
    after(SECOND, { type: 'step-finished', id: 'b', outcome: 'done', ms: 1 });
    expect(lines(3 * SECOND)[0]).toBe('* A  building  2.0 s');
  });

  it('the first line of why it failed stays while it is tried again, and goes when it is in sync', () => {
    const { model, after, lines } = watch('A');
    after(0, failed('A', 'bad\nsecond line'));
    expect(lines()[0]).toBe('✗ A  failed    bad');
    after(0, building('A'));
    expect(model.rows.get('A')?.failure).toBe('bad');
    after(0, inSync('A', { changed: true, ms: 0 }));
    expect(model.rows.get('A')?.failure).toBeUndefined();
  });
});

describe('the order and number of rows', () => {
  it('failed ones, those that are worked on, then the one that was synced last', () => {
    const { after, lines } = watch('Old', 'New', 'Busy', 'Bad', 'Never');
    after(1, inSync('Old', { changed: true, ms: 1 }), inSync('Never', { changed: false }));
    after(2, inSync('New', { changed: true, ms: 1 }), building('Busy'), failed('Bad', 'x'));
    expect(
      lines()
        .slice(0, 5)
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['Bad', 'Busy', 'New', 'Old', 'Never']);
  });

  it('those that just are in sync are counted from the thirteenth on', () => {
    const ids = Array.from({ length: 20 }, (_, n) => `Fn${String(n).padStart(2, '0')}`);
    const { after, lines } = watch(...ids);
    after(0, ...ids.map((id) => inSync(id, { changed: false })));
    expect(lines().filter((line) => line.startsWith('✓ Fn'))).toHaveLength(12);
    expect(lines()).toContain('  and 8 more, in sync');
    after(0, ...ids.map((id) => failed(id, 'x')));
    expect(lines().filter((line) => line.startsWith('✗ Fn'))).toHaveLength(20);
  });

  it('a small terminal gets what fits into it; what is worked on is before what waits', () => {
    const ids = Array.from({ length: 20 }, (_, n) => `Fn${n}`);
    const { after, lines } = watch(...ids);
    const step: SyncEvent = { type: 'step-started', kind: 'build', id: 'b', label: 'Fn19', ids: ['Fn19'] };
    after(0, failed('Fn3', 'a message that is much longer than such a terminal is wide'), building('Fn17'), step);
    expect(lines(SECOND, { columns: 30, rows: 12 })).toEqual([
      '✗ Fn3   failed',
      '    a message that is much',
      '    longer than such a',
      '    terminal is wide',
      '* Fn17  building  1.0 s',
      '* Fn19  building  1.0 s',
      '  and 17 more, waiting',
      '',
      '* stack app  queued  1.0 s',
      '  Press Ctrl-C to stop',
    ]);
    const wide = lines(0, { columns: 80, rows: 8 });
    expect(wide.find((line) => line.startsWith('  and '))).toBe('  and 18 more, 1 building, 17 waiting');
  });

  const NAME = 'AVeryLongNameOfAFunctionThatAnApplicationHas';
  const REASON = 'esbuild could not bundle it: src/app.ts:1:24: Expected ")" but found ";"';
  it.each([
    [
      40,
      [
        '✗ AVeryLon…tionHas  failed',
        '    esbuild could not bundle it:',
        '    src/app.ts:1:24: Expected ")" but',
        '    found ";"',
        '* Child/Or…ceOrder  building  2.0 s  C…',
        '· Waiting           waiting',
        '',
        '✗ stack ap…is-long  failed',
        '    NoSuchBucket: the bucket of the',
        '    artifacts does not exist',
        '  r sync all   d deploy   l show logs',
        '  o outputs   u page   q quit   ? help',
      ],
    ],
    [
      80,
      [
        '✗ AVeryLongNameOfA…nApplicationHas  failed',
        '    esbuild could not bundle it: src/app.ts:1:24: Expected ")" but found ";"',
        '* Child/Orders/PlaceOrder           building  2.0 s  Collecting numpy',
        '· Waiting                           waiting',
        '',
        '✗ stack app-whose-name-is-long  failed',
        '    NoSuchBucket: the bucket of the artifacts does not exist',
        '  r sync all   d deploy   l show logs   o outputs   u page   q quit   ? help',
      ],
    ],
    [
      120,
      [
        '✗ AVeryLongNameOfAFunctionThatAnApplicationHas  failed',
        '    esbuild could not bundle it: src/app.ts:1:24: Expected ")" but found ";"',
        '* Child/Orders/PlaceOrder                       building  2.0 s  Collecting numpy',
        '· Waiting                                       waiting',
        '',
        '✗ stack app-whose-name-is-long  failed  NoSuchBucket: the bucket of the artifacts does not exist',
        '  r sync all   d deploy   l show logs   o outputs   u page   q quit   ? help',
      ],
    ],
  ])('at %i columns names take 40 % at most and reasons are whole', (columns, expected) => {
    const { after, lines } = watch();
    const ids = [NAME, 'Waiting', 'Child/Orders/PlaceOrder'];
    after(0, { type: 'watch-resources', stackName: 'app-whose-name-is-long', ids });
    after(0, { type: 'watch-ready', resources: 3, folders: 1, ms: 1 }, failed(NAME, REASON), building(ids[2] ?? ''));
    after(0, { type: 'step-started', kind: 'build', id: 'b', label: 'x', ids: [ids[2] ?? ''] });
    after(0, { type: 'tool-output', id: 'b', line: 'Collecting numpy' });
    after(0, stack('failed', { failure: { message: 'NoSuchBucket: the bucket of the artifacts does not exist' } }));
    expect(lines(2 * SECOND, { columns })).toEqual(expected);
  });

  it('a resource that is gone from the template has no row any more, the others keep theirs', () => {
    const { model, after } = watch('A', 'B');
    after(0, failed('A', 'bad'), { type: 'watch-resources', stackName: 'app', ids: ['A', 'C'] }, inSync('B'));
    expect([...model.rows.values()].map(({ id, state }) => [id, state])).toEqual([
      ['A', 'failed'],
      ['C', 'waiting'],
    ]);
  });
});

describe('the stack', () => {
  const stackLine = (lines: readonly string[]): string | undefined => lines.find((line) => line.includes('stack app'));

  it('rows follow the events of a deployment, layers too; what has no row is listed', () => {
    const { after, lines } = watch('Fn', 'Child/G', 'Layer', 'Other');
    after(0, stack('updating'));
    after(
      0,
      stackEvent('Fn', 'CREATE_IN_PROGRESS'),
      stackEvent('G', 'UPDATE_IN_PROGRESS', 'Child'),
      stackEvent('Layer0123456789', 'CREATE_COMPLETE'),
      stackEvent('FnRole', 'CREATE_IN_PROGRESS'),
    );
    expect(lines(2 * SECOND)).toEqual([
      '* Fn       creating  2.0 s',
      '* Child/G  updating  2.0 s',
      '· Other    waiting',
      '✓ Layer    created   2.0 s',
      '',
      '* stack app  updating  2.0 s',
      '  FnRole  creating  2.0 s',
      '  Press Ctrl-C to stop',
    ]);
    after(0, { ...stackEvent('Fn', 'CREATE_FAILED') });
    expect(lines()[0]).toBe('✗ Fn       failed');
    after(0, stackEvent('FnRole', 'CREATE_COMPLETE'));
    expect(lines().join('\n')).not.toContain('FnRole');
    after(0, stack('in-sync', { changed: true, ms: 3_000 }), inSync('Fn', { changed: false }));
    expect(stackLine(lines(4 * SECOND))).toBe('✓ stack app  in sync  deployed 4 s ago, took 3.0 s');
    expect(lines(4 * SECOND)).toContain('✓ Fn       in sync');
    expect(lines(4 * SECOND)).toContain('· Layer    waiting');
  });

  it('of many resources in progress without a row five are named', () => {
    const { after, lines } = watch();
    after(0, stack('updating'), ...Array.from({ length: 8 }, (_, n) => stackEvent(`R${n}`, 'CREATE_IN_PROGRESS')));
    expect(lines().filter((line) => line.includes('creating'))).toHaveLength(5);
    expect(lines()).toContain('  and 3 more');
  });

  it('says why it failed', () => {
    const { after, lines } = watch();
    after(0, stack('failed', { failure: { message: 'Fn: no\nmore' } }));
    expect(stackLine(lines())).toBe('✗ stack app  failed  Fn: no');
    after(0, stack('in-sync', { changed: false }));
    expect(stackLine(lines())).toBe('✓ stack app  in sync');
  });
});

describe('the keys', () => {
  it('are shown when the watch is ready, with what the key for logs does now', () => {
    const { after, lines } = watch();
    expect(lines().at(-1)).toBe('  Press Ctrl-C to stop');
    after(0, { type: 'watch-ready', resources: 1, folders: 1, ms: 1 });
    expect(lines().at(-1)).toMatch(/^ {2}r sync all {3}d deploy {3}l show logs /);
    after(0, { type: 'watch-logs', on: true });
    expect(lines().at(-1)).toContain('l hide logs');
  });
});

it('an upload is named as the step of its resource, other steps and other resources are not', () => {
  const { model, after } = watch('A', 'B');
  after(0, { type: 'step-started', kind: 'upload', id: 'u', label: 'A', ids: ['A'], totalBytes: 1 });
  expect([currentStep(model, 'A'), currentStep(model, 'B')]).toEqual(['uploading', undefined]);
});
