import { EventEmitter } from 'node:events';
import * as fs from 'node:fs/promises';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { helpText, optionsMarkdown } from '../../../src/cli/help.ts';
import { watchInterrupts } from '../../../src/cli/interrupt.ts';
import { OPTIONS_BY_NAME, OPTION_ENTRIES } from '../../../src/cli/options/options.ts';
import { reportError } from '../../../src/cli/report-error.ts';
import type { SyncEvent } from '../../../src/console/reporter.ts';
import { BuildError, InterruptedError, UsageError, UserError } from '../../../src/errors.ts';
import { main } from '../../../src/main.ts';
import { runCli } from '../../support/run-cli.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A process that notes what is done to it. */
function fakeProcess() {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  return Object.assign(emitter, {
    exits,
    pid: 0,
    kill: (): true => true,
    exit: (code: number): void => void exits.push(code),
  });
}

describe('Ctrl-C', () => {
  it('aborts at the first time and ends the process at the second', () => {
    const target = fakeProcess();
    const { signal, close } = watchInterrupts(target);
    target.emit('SIGINT');
    expect(signal.reason).toBeInstanceOf(InterruptedError);
    expect(target.exits).toEqual([]);
    target.emit('SIGTERM');
    expect(target.exits).toEqual([130]);
    close();
    expect(target.listenerCount('SIGINT') + target.listenerCount('SIGTERM')).toBe(0);
  });
});

const report = (error: unknown, context: { signal?: AbortSignal; debug?: boolean } = {}) => {
  const events: SyncEvent[] = [];
  const reporter = { report: (event: SyncEvent): void => void events.push(event) };
  const code = reportError(error, {
    reporter,
    signal: context.signal,
    debug: context.debug ?? false,
    version: '1.2.3',
  });
  const notes = events.map((event) =>
    event.type === 'note' ? `${event.level}: ${event.text} | ${event.hint ?? ''}` : '',
  );
  return { code, notes };
};

it.each([
  [['cloud', 'strat'], /sam-sync cloud has no command "strat"\. Did you mean start\?/],
  [['cloud', '--forse'], /sam-sync cloud has no option "--forse"/],
  [['cloud', 'stop', 'now'], /sam-sync cloud stop takes no arguments, but got now/],
])('%j is wrong', async (argv, message) => {
  const { code, stderr } = await runCli(argv, { cwd: await tempFolder() });
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

describe('an error that ends the run', () => {
  it.each<[unknown, number, string[]]>([
    [new UserError('bad', { hint: 'do this' }), 1, ['error: bad | do this']],
    [new UsageError('wrong'), 2, ['error: wrong | ']],
    [new InterruptedError('The stack goes on'), 130, ['error: The stack goes on | ']],
    [
      new BuildError([
        { ids: ['A', 'B'], message: 'pip failed', hint: 'look' },
        { ids: ['C'], message: 'npm failed' },
      ]),
      1,
      ['error: A, B: pip failed | look', 'error: C: npm failed | '],
    ],
  ])('%s: exit code %i', (error, code, notes) => {
    expect(report(error)).toEqual({ code, notes });
  });

  it('that is a defect of ours shows its stack and its causes, and how to report it', () => {
    const { code, notes } = report(new TypeError('x is not a function', { cause: new Error('deep') }));
    expect(code).toBe(1);
    expect(notes[0]).toMatch(/TypeError: x is not a function\n {4}at /);
    expect(notes[0]).toContain('Caused by: Error: deep');
    expect(notes[0]).toContain('sam-sync 1.2.3');
    expect(report('just text').notes[0]).toContain('just text');
  });

  it('after Ctrl-C is the interruption, whatever it made fail', () => {
    const controller = new AbortController();
    controller.abort(new InterruptedError('Interrupted'));
    const aborted = report(new DOMException('This operation was aborted', 'AbortError'), controller);
    expect(aborted).toEqual({ code: 130, notes: ['error: Interrupted | '] });
    expect(report(new InterruptedError('The update goes on'), controller).notes).toEqual([
      'error: The update goes on | ',
    ]);
  });

  it('shows where it was thrown with --debug', () => {
    const { notes } = report(new UserError('bad', { cause: new Error('deep') }), { debug: true });
    expect(notes[0]).toMatch(/^debug: UserError: bad\n {4}at [^]*Caused by: Error: deep/);
  });
});

describe('help and docs/options.md', () => {
  it('docs/options.md has the options as they are', async () => {
    const page = await fs.readFile(new URL('../../../docs/options.md', import.meta.url), 'utf8');
    expect(page, 'run `npm run docs`').toContain(optionsMarkdown());
  });

  it('name every option, its value, default, samconfig key and variable', () => {
    const help = helpText('sam', 80);
    const markdown = optionsMarkdown();
    for (const name of OPTIONS_BY_NAME.keys()) {
      expect(help).toContain(name);
      expect(markdown).toContain(`\`${name}\``);
    }
    for (const [, spec] of OPTION_ENTRIES)
      for (const word of [...spec.configKeys, ...spec.variables]) expect(markdown).toContain(`\`${word}\``);
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(markdown.trim().split('\n').slice(2)).toHaveLength(OPTION_ENTRIES.length);
    expect(
      new Set(
        markdown
          .trim()
          .split('\n')
          .map((row) => row.replaceAll('\\|', '').split('|').length),
      ),
    ).toEqual(new Set([7]));
  });
});

const start = async (argv: string[], stdout: NodeJS.WritableStream, program: 'sam' | 'sam-sync' = 'sam-sync') => {
  const stderr = new PassThrough();
  const cwd = await tempFolder();
  const io = {
    program,
    env: {},
    cwd,
    packageDir: cwd,
    stdin: () => new PassThrough(),
    stdout,
    stderr,
    process: fakeProcess(),
  };
  const code = await main(argv, io);
  return { code, stderr: String(stderr.read() ?? ''), listeners: io.process.listenerCount('SIGINT') };
};

describe('main', () => {
  it.each<[string[], 'sam' | 'sam-sync']>([
    [['--nope'], 'sam-sync'],
    [['sync', '--nope'], 'sam-sync'],
    [['sync', '--nope'], 'sam'],
    [['--debug', 'sync', '--nope'], 'sam'],
  ])('%j of %s is ours, and lets go of Ctrl-C at the end', async (argv, program) => {
    const { code, stderr, listeners } = await start(argv, new PassThrough(), program);
    expect({ code, listeners }).toEqual({ code: 2, listeners: 0 });
    expect(stderr).toContain('No such option: --nope');
  });

  it('does not mind a reader that went away', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    expect(await start(['--help'], closed)).toMatchObject({ code: 0, stderr: '' });
  });
});
