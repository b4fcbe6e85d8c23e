import type { BrowserPage } from './browser.ts';

/** An event of the trace that Chromium writes of itself; times in microseconds. */
interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  args?: { name?: string };
  /** Processor time. */
  tdur?: number;
}

/**
 * Traces the page during the work. Returns the processor times (ms) of the longest tasks of its main thread, longest first: a
 * frame is one task. Other processes of the machine add to wall-clock time, and hardly to this.
 */
export async function traceLongestTasks(page: BrowserPage, work: () => Promise<void>): Promise<number[]> {
  const events: TraceEvent[] = [];
  const complete = new Promise<void>((resolve) => {
    page.on('Tracing.dataCollected', ({ value }) => void events.push(...(value as TraceEvent[])));
    page.on('Tracing.tracingComplete', () => resolve());
  });
  const traceConfig = { includedCategories: ['toplevel'] };
  await page.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  await work();
  await page.send('Tracing.end');
  await complete;
  const threads = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return events
    .filter(({ name, ph, pid, tid }) => name.endsWith('RunTask') && ph === 'X' && threads.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .toSorted((one, other) => other - one)
    .slice(0, 10);
}
