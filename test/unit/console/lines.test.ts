import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatTable } from '../../../src/console/format.ts';
import { createLines } from '../../../src/console/lines.ts';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { createStyle } from '../../../src/console/style.ts';

const plain = createStyle(false, {});

/** What a list of events prints, `>` before what goes to stdout. */
function printed(events: SyncEvent[], debug = false): string[] {
  const lines = createLines({ debug, outStyle: plain, errStyle: plain });
  return events.flatMap(lines).map((line) => (line.stream === 'stdout' ? `> ${line.text}` : line.text));
}

const started: SyncEvent = { type: 'step-started', kind: 'build', id: 'build:Fn', label: 'Fn' };

describe('createLines', () => {
  it.each<[string, SyncEvent[], string[]]>([
    ['a note', [{ type: 'note', level: 'info', text: 'Hello.' }], ['Hello.']],
    [
      'a warning and its hint',
      [{ type: 'note', level: 'warning', text: 'Old.', hint: 'Mend it.\nNow.' }],
      ['Warning: Old.', '  Mend it.\n  Now.'],
    ],
    ['no debug notes', [{ type: 'note', level: 'debug', text: 'x' }], []],
    [
      'a finished build',
      [started, { type: 'step-finished', id: 'build:Fn', outcome: 'done', ms: 1234, detail: 'pip' }],
      ['Built Fn (pip, 1.2 s)'],
    ],
    [
      'nothing of what was unchanged',
      [started, { type: 'step-finished', id: 'build:Fn', outcome: 'unchanged', ms: 1 }],
      [],
    ],
    [
      'a failed upload',
      [
        { type: 'step-started', kind: 'upload', id: 'u', label: 'Fn', totalBytes: 4_200_000 },
        { type: 'step-finished', id: 'u', outcome: 'failed', ms: 100 },
      ],
      ['Could not upload Fn (4.2 MB, 0.1 s)'],
    ],
    [
      'an event of a nested stack',
      [
        {
          type: 'stack-event',
          event: {
            stackPath: 'Child',
            logicalId: 'Fn',
            resourceType: 'AWS::Lambda::Function',
            status: 'CREATE_FAILED',
            reason: 'no',
            timestamp: new Date(0),
          },
        },
      ],
      [`${'CREATE_FAILED'.padEnd(18)}  ${'Child/Fn'.padEnd(28)}  AWS::Lambda::Function  no`],
    ],
    [
      'outputs on stdout',
      [
        {
          type: 'outputs',
          stackName: 'app',
          outputs: [
            { key: 'Url', value: 'http://x' },
            { key: 'A', value: '' },
          ],
          endpoints: [],
        },
      ],
      ['> Outputs of app\nOutput  Value\n------  --------\nUrl     http://x\nA'],
    ],
    ['the result on stdout', [{ type: 'result', document: { a: 1 } }], ['> {\n  "a": 1\n}']],
  ])('prints %s', (_name, events, expected) => {
    expect(printed(events)).toEqual(expected);
  });

  it('shows tools, calls and phases with --debug', () => {
    const events: SyncEvent[] = [
      { type: 'tool-output', id: 'build:Fn', line: 'Collecting x' },
      { type: 'api-call', service: 'S3', operation: 'PutObject', ms: 20, attempts: 2, error: 'SlowDown' },
      { type: 'api-call', service: 'Lambda', operation: 'UpdateAlias', ms: 2_200, waitedMs: 2_000, attempts: 1 },
      { type: 'phase', name: 'build', ms: 15_000 },
    ];
    expect(printed(events)).toEqual([]);
    expect(printed(events, true)).toEqual([
      '  Fn | Collecting x',
      '  S3.PutObject 0.0 s, 2 attempts, SlowDown',
      '  Lambda.UpdateAlias 2.2 s (waited 2.0 s)',
      'build: 15 s',
    ]);
  });
});

describe('formats', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [123_456, '123 kB'],
    [12_345_678, '12.3 MB'],
  ])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
  it.each([
    [40, '0.0 s'],
    [9940, '9.9 s'],
    [10_400, '10 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms', (ms, text) => expect(formatDuration(ms)).toBe(text));
  it('counts wide characters', () => {
    expect(formatTable(['K', 'V'], [['日本', 'x']])).toBe('K     V\n----  -\n日本  x');
  });
});

describe('createStyle', () => {
  it.each<[string, boolean, Record<string, string>, boolean]>([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR in a pipe', false, { FORCE_COLOR: '1' }, true],
  ])('defect 28: %s', (_name, isTTY, env, coloured) => {
    expect(createStyle(isTTY, env)('red', 'x') !== 'x').toBe(coloured);
  });
});
