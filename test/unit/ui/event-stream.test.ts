import { expect, it } from 'vitest';
import type { PageLogLine, UiCommands } from '../../../src/ui/commands.ts';
import type { EventStream } from '../../../src/ui/server/event-stream.ts';
import { createEventStream } from '../../../src/ui/server/event-stream.ts';

/** A stream with a page, and what the page is sent. */
function streamOf(written: readonly PageLogLine[]): { stream: EventStream; sent: string[] } {
  const sent: string[] = [];
  const commands = {
    facts: async () => ({ stackName: 'shop', region: 'us-east-1', local: false, resources: [] }),
    // a tail reads from the start
    followLogs: async (onLine) => written.forEach(onLine),
  } satisfies Partial<UiCommands> as unknown as UiCommands;
  const stream = createEventStream(() => () => {}, commands);
  stream.connect({ send: (text) => void sent.push(text), close: () => {}, onClose: () => {} });
  return { stream, sent };
}

it('log lines that are the same are all shown, and once each when the logs are shown again', async () => {
  // colours are for terminals
  const written: PageLogLine[] = [1, 1, 2].map((time) => ({ id: 'A', time, text: '\u001b[31msame\u001b[0m' }));
  const { stream, sent } = streamOf(written);
  const linesShown = (): number => {
    sent.length = 0;
    stream.showLogs('page1', true);
    stream.showLogs('page1', false);
    return sent.join('').split('"text":"same"').length - 1;
  };
  expect(linesShown()).toBe(3);
  written.push({ id: 'A', time: 2, text: 'same' });
  expect(linesShown()).toBe(4);
  expect(linesShown()).toBe(4);
});

it('log lines of a megabyte are cut, and many lines travel together', () => {
  const { stream, sent } = streamOf(
    Array.from({ length: 50 }, (_, time) => ({ id: 'A', time, text: 'x'.repeat(1e6) })),
  );
  sent.length = 0;
  stream.showLogs('page1', true);
  stream.showLogs('page1', false);
  expect(sent.length).toBeLessThan(5);
  expect(sent.join('').length).toBeLessThan(10e6);
  expect(sent.join('')).toContain('x … 990000 more characters');
});
