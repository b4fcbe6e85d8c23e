import { expect, it } from 'vitest';
import type { PageLogLine, UiCommands } from '../../../src/ui/commands.ts';
import { createEventStream } from '../../../src/ui/server/event-stream.ts';

it('log lines that are the same are all shown, and once each when the logs are shown again', async () => {
  const sent: string[] = [];
  const written: PageLogLine[] = [1, 1, 2].map((time) => ({ id: 'A', time, text: 'same' }));
  const commands = {
    facts: async () => ({ stackName: 'shop', region: 'us-east-1', local: false, resources: [] }),
    // a tail reads from the start
    followLogs: async (onLine) => written.forEach(onLine),
  } satisfies Partial<UiCommands> as unknown as UiCommands;
  const stream = createEventStream(() => () => {}, commands);
  stream.connect({ send: (text) => void sent.push(text), close: () => {}, onClose: () => {} });
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
