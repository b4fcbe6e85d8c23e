import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createReporter } from '../../../src/console/create-reporter.ts';
import { note } from '../../../src/console/reporter.ts';

/** A terminal, and what was written to it. */
function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let text = '';
  stream.on('data', (chunk) => (text += String(chunk)));
  return { stream, written: () => text, forget: () => void (text = '') };
}

describe('a question', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([{ watch: false }, { watch: true }])('has the terminal to itself: %j', async ({ watch }) => {
    const screen = terminal();
    const reporter = await createReporter({
      stdout: new PassThrough(),
      stderr: screen.stream,
      debug: false,
      output: 'text',
      watch,
      env: {},
    });
    reporter.report({ type: 'step-started', id: 'one', kind: 'build', label: 'Hello' });
    vi.advanceTimersByTime(2_000);
    expect(screen.written()).toContain(watch ? 'queued' : 'Hello');
    let answer: (text: string) => void = () => {};
    const asking = reporter.withoutView(() => new Promise<string>((resolve) => (answer = resolve)));
    screen.forget();
    vi.advanceTimersByTime(5_000);
    note(reporter, 'warning', 'the disk is nearly full');
    screen.stream.emit('resize');
    vi.advanceTimersByTime(5_000);
    expect(screen.written()).not.toMatch(/queued|Hello|disk/);
    answer('y');
    await expect(asking).resolves.toBe('y');
    expect(screen.written()).toContain('the disk is nearly full');
    expect(screen.written()).toContain(watch ? 'queued' : 'Hello');
    reporter.close();
  });
});
