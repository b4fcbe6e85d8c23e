import { describe, expect, it } from 'vitest';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { createStyle } from '../../../src/console/style.ts';
import { createWatchLines } from '../../../src/console/watch-lines.ts';
import type { WatchLineOptions } from '../../../src/console/watch-lines.ts';

const plain = createStyle(false, {});
/** Noon in whatever time zone this runs in. */
const clock = (): Date => new Date(2026, 0, 1, 12, 0, 0);

/** Prints events one after the other, `>` before what goes to stdout. */
function printer(more: Partial<WatchLineOptions> = {}): (...events: SyncEvent[]) => string[] {
  const lines = createWatchLines({ debug: false, outStyle: plain, errStyle: plain, clock, ...more });
  return (...events) => events.flatMap(lines).map((line) => (line.stream === 'stdout' ? `> ${line.text}` : line.text));
}

const failed = (id: string, message: string, more: object = {}): SyncEvent => ({
  type: 'resource-state',
  id,
  state: 'failed',
  failure: { message, ...more },
});
const inSync = (id: string, changed: boolean, more: object = {}): SyncEvent => ({
  type: 'resource-state',
  id,
  state: 'in-sync',
  changed,
  ...more,
});
const stack = (state: 'updating' | 'in-sync', more: object = {}): SyncEvent => ({
  type: 'stack-state',
  state,
  ...more,
});
const problem = { message: 'SyntaxError: invalid syntax', file: 'b/app.py', line: 3, column: 7 };

describe('lines of a watch', () => {
  it.each<[string, SyncEvent[], string[]]>([
    [
      'what was saved: a few names, then how many more',
      [{ type: 'watch-change', files: ['a', 'b', 'c', 'd', 'e'], ids: [], templates: false, options: false }],
      ['12:00:00 a, b, c and 2 more changed'],
    ],
    [
      'three names are all named',
      [{ type: 'watch-change', files: ['a', 'b', 'c'], ids: [], templates: false, options: false }],
      ['12:00:00 a, b, c changed'],
    ],
    ['what was synced', [inSync('Fn', true, { ms: 640, detail: 'code' })], ['12:00:00 Synced Fn (code, 0.6 s)']],
    [
      'the stack',
      [stack('updating'), stack('in-sync', { changed: true, ms: 1_000 })],
      ['12:00:00 Updating the stack', '12:00:00 Synced the stack (1.0 s)'],
    ],
    ['nothing of what was in sync already', [inSync('Fn', false), stack('in-sync', { changed: false })], []],
    [
      'a failure: the output of its tool, the message, the hint',
      [failed('Fn', 'bad', { output: 'line 1\nline 2\n', hint: 'do this\nand that' })],
      ['line 1', 'line 2', '12:00:00 Fn failed: bad', '  do this', '  and that'],
    ],
    [
      'each line that a function logged, on standard output',
      [{ type: 'log-line', id: 'Fn', time: new Date(0), text: 'one\ntwo' }],
      ['> Fn one', '> Fn two'],
    ],
    [
      'the end, and what goes on in the cloud',
      [{ type: 'watch-stopped', goingOn: 'The stack is being updated' }],
      ['12:00:00 Stopped watching', '  The stack is being updated'],
    ],
    ['nothing of steps', [{ type: 'step-started', kind: 'build', id: 'build:Fn', label: 'Fn' }], []],
  ])('%s', (_name, events, expected) => expect(printer()(...events)).toEqual(expected));

  it('with a view above neither saves nor the beginning of a deployment are printed', () => {
    const print = printer({ live: true });
    const change: SyncEvent = { type: 'watch-change', files: ['a'], ids: [], templates: false, options: false };
    expect(print(change, stack('updating'))).toEqual([]);
  });

  it('with --debug the output of a tool is not printed again', () => {
    expect(printer({ debug: true })(failed('Fn', 'bad', { output: 'line 1\n' }))).toEqual(['12:00:00 Fn failed: bad']);
  });

  it('the same failure is printed once, another one of it or of another resource again', () => {
    const print = printer();
    const both = [failed('A', 'bad'), failed('A', 'bad'), failed('B', 'bad'), failed('A', 'worse'), failed('A', 'bad')];
    expect(print(...both)).toEqual([
      '12:00:00 A failed: bad',
      '12:00:00 B failed: bad',
      '12:00:00 A failed: worse',
      '12:00:00 A failed: bad',
    ]);
  });

  it('what failed and is as before is printed in one line, once; then it may fail again', () => {
    const print = printer();
    print(failed('A', 'bad'));
    expect(print(inSync('A', false))).toEqual(['12:00:00 A recovered']);
    expect(print(inSync('A', false))).toEqual([]);
    expect(print(failed('A', 'bad'))).toEqual(['12:00:00 A failed: bad']);
    expect(print(inSync('A', true, { ms: 0 }), inSync('A', false))).toEqual(['12:00:00 Synced A (0.0 s)']);
  });

  it('what is in sync and cannot run is a warning, once, until it is another one or none', () => {
    const print = printer();
    const warning = '12:00:00 Warning Fn cannot run: b/app.py:3:7: SyntaxError: invalid syntax';
    expect(print(inSync('Fn', false, { problems: [problem] }))).toEqual([warning]);
    expect(print(inSync('Fn', false, { problems: [problem] }))).toEqual([]);
    expect(print(inSync('Fn', false, { problems: [{ ...problem, line: 4 }] }))).toEqual([
      warning.replace(':3:', ':4:'),
    ]);
    expect(print(inSync('Fn', false))).toEqual(['12:00:00 Fixed Fn: it can run again']);
    expect(print(inSync('Fn', false))).toEqual([]);
  });
});
