import type { IncomingMessage } from 'node:http';
import { UserError } from '../../errors.ts';
import { fields, parseJson, recordOf, text } from '../../support/shapes.ts';
import { asUserError } from '../../system-errors.ts';
import type { UiCommands } from '../commands.ts';

/** The response to a command. */
export interface ApiAnswer {
  status: number;
  body: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Lambda accepts events of 6 MB; JSON in JSON takes more. */
const LARGEST_BODY = 16 * 1024 * 1024;

/** Runs the command that a page asks for. Never rejects: a failure is a response. */
export async function answerCommand(
  name: string,
  request: IncomingMessage,
  commands: UiCommands & { showLogs(client: string, isShown: boolean): void },
): Promise<ApiAnswer> {
  try {
    const body = fields(parseJson(await readBody(request)));
    if (body === undefined) return { status: 400, body: { failure: { message: 'The request is not JSON.' } } };
    const answer = await runCommand(name, body, commands);
    return answer === undefined
      ? { status: 404, body: { failure: { message: `There is no command ${name}.` } } }
      : { status: 200, body: answer };
  } catch (error) {
    const known = asUserError(error);
    const message = known?.message || String(error);
    return { status: 200, body: { failure: { message, hint: known?.hint } } };
  }
}

async function runCommand(
  name: string,
  body: Fields,
  commands: Parameters<typeof answerCommand>[2],
): Promise<object | undefined> {
  switch (name) {
    case 'sync':
      commands.sync();
      return {};
    case 'deploy':
      commands.deploy();
      return {};
    case 'logs':
      commands.showLogs(textOf(body, 'client'), body['on'] === true);
      return {};
    case 'invoke':
      return commands.invoke({ id: textOf(body, 'id'), event: textOf(body, 'event') });
    case 'call': {
      const headers = recordOf(text)(body['headers']) ?? {};
      const [method, url, content] = [textOf(body, 'method'), textOf(body, 'url'), textOf(body, 'body')];
      return commands.call({ method, url, headers, body: content });
    }
    case 'run':
      return commands.run({ id: textOf(body, 'id'), input: textOf(body, 'input') });
    case 'execution':
      return commands.execution({ arn: textOf(body, 'arn') });
    case 'remembered':
      return commands.remembered();
    case 'remember':
      await commands.remember({ name: textOf(body, 'name'), text: textOf(body, 'text') });
      return {};
    default:
      return undefined;
  }
}

function textOf(body: Fields, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new UserError(`The request has no text ${name}`);
  return value;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BODY) throw new UserError('The request is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
