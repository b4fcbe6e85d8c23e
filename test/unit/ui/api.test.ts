import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import type { UiCommands } from '../../../src/ui/commands.ts';
import { answerCommand } from '../../../src/ui/server/api.ts';

const requestOf = (...parts: string[]): IncomingMessage =>
  Readable.from(parts.map((part) => Buffer.from(part))) as unknown as IncomingMessage;
const commands = {
  invoke: async ({ id, event }: { id: string; event: string }) => {
    if (id === 'Gone') throw new UserError('Gone is not deployed yet', { hint: 'Wait.' });
    if (id === 'Broken') throw new TypeError('');
    return { payload: event, log: '', ms: 1 };
  },
} as unknown as Parameters<typeof answerCommand>[2] & UiCommands;
const failure = (message: string, hint?: string): object => ({ failure: { message, hint } });

it.each([
  ['invoke', '{"id": "A", "event": "{}"}', 200, { payload: '{}', log: '', ms: 1 }],
  ['invoke', '{"id": "Gone", "event": "{}"}', 200, failure('Gone is not deployed yet', 'Wait.')],
  // no message is empty
  ['invoke', '{"id": "Broken", "event": "{}"}', 200, failure('TypeError')],
  ['invoke', '{"id": "A"}', 200, failure('The request has no text event')],
  ['invoke', '[]', 400, failure('The request is not JSON.')],
  ['invoke', '{"id', 400, failure('The request is not JSON.')],
  ['constructor', '{}', 404, failure('There is no command constructor.')],
])('%s %s', async (name, body, status, answer) => {
  expect(await answerCommand(name, requestOf(body), commands)).toEqual({ status, body: answer });
});

it('a request that is too large is refused before it is read', async () => {
  const parts = Array.from({ length: 20 }, () => 'x'.repeat(1024 * 1024));
  expect(await answerCommand('invoke', requestOf(...parts), commands)).toEqual({
    status: 200,
    body: failure('The request is too large'),
  });
});
