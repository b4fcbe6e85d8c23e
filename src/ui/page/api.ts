import type { CallAnswer, CallRequest, Execution, InvokeAnswer } from '../commands.ts';

/** A command that failed, in the words of the command line. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined) {
    super(message);
    this.hint = hint;
  }
}

/** The commands of the session. */
export const api = {
  sync: () => send<object>('sync', {}),
  deploy: () => send<object>('deploy', {}),
  logs: (client: string, on: boolean) => send<object>('logs', { client, on }),
  invoke: (id: string, event: string) => send<InvokeAnswer>('invoke', { id, event }),
  call: (request: CallRequest) => send<CallAnswer>('call', request),
  run: (id: string, input: string) => send<Execution>('run', { id, input }),
  execution: (arn: string) => send<Execution>('execution', { arn }),
  remembered: () => send<Record<string, string[]>>('remembered', {}),
  remember: (name: string, text: string) => send<object>('remember', { name, text }),
};

async function send<T>(command: string, body: object): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/${command}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw new CommandError('The command does not respond', 'Is it still running in its terminal?');
  }
  if (response.status === 403) throw new CommandError(await response.text(), undefined);
  const answer = (await response.json()) as T & { failure?: { message: string; hint?: string } };
  if (answer.failure) throw new CommandError(answer.failure.message, answer.failure.hint);
  return answer;
}
