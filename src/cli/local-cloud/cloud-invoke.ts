import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { Aws } from '../../aws/aws.ts';
import { UsageError } from '../../errors.ts';
import { isMissing } from '../../support/files.ts';
import { listLocalFunctions, pickFunction } from './local-functions.ts';

/** What to invoke, and with which event. */
export interface InvokeRequest {
  id: string;
  stackName: string | undefined;
  /** JSON, or the path of a file with JSON; undefined: an empty object. */
  event: string | undefined;
  cwd: string;
}

/** The streams of the command. */
interface Output {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/**
 * Invokes a function of the local cloud: its response goes to standard output, the log lines of the invocation to standard
 * error. Returns the exit code: 1 if the function failed.
 */
export async function invokeFunction(aws: Aws, request: InvokeRequest, { stdout, stderr }: Output): Promise<number> {
  const event = await readEvent(request);
  const { functionName } = pickFunction(await listLocalFunctions(aws), request.id, request.stackName);
  const { send, InvokeCommand } = await aws.lambda();
  const { Payload, FunctionError, LogResult } = await send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(event), LogType: 'Tail' }),
  );
  if (LogResult) stderr.write(endLine(Buffer.from(LogResult, 'base64').toString()));
  const response = Buffer.from(Payload ?? []).toString();
  stdout.write(endLine(response === '' ? 'null' : response));
  return FunctionError === undefined ? 0 : 1;
}

async function readEvent({ event, cwd }: InvokeRequest): Promise<string> {
  if (event === undefined) return '{}';
  const isJson = /^\s*(?:[[{"]|-?\d+(?:\.\d+)?\s*$|true$|false$|null$)/.test(event);
  const text = isJson ? event : await readEventFile(path.resolve(cwd, event), event);
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    const where = isJson ? '--event' : event;
    throw new UsageError(`${where} is not valid JSON: ${(error as Error).message}`, {
      hint: 'Pass JSON or a file with JSON: --event \'{"name": "Ada"}\' or --event event.json',
    });
  }
}

async function readEventFile(file: string, written: string): Promise<string> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UsageError(`There is no event file ${written}`, {
      cause: error,
      hint: 'Pass a file with JSON, or JSON itself: --event \'{"name": "Ada"}\'',
    });
  }
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
