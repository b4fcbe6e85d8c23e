import { stripVTControlCharacters } from 'node:util';
import type { Aws } from '../../aws/aws.ts';
import { UserError } from '../../errors.ts';
import type { InvokeAnswer } from '../../ui/commands.ts';

/** Invokes a function once, with the end of its log. */
export async function invokeFunction(aws: Aws, functionName: string, event: string): Promise<InvokeAnswer> {
  requireJson(event, 'The event');
  const { sendOnce, InvokeCommand } = await aws.lambda();
  const started = performance.now();
  const { Payload, FunctionError, LogResult } = await sendOnce(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(event), LogType: 'Tail' }),
  );
  return {
    payload: Buffer.from(Payload ?? []).toString(),
    functionError: FunctionError,
    log: stripVTControlCharacters(Buffer.from(LogResult ?? '', 'base64').toString()),
    ms: performance.now() - started,
  };
}

/** Throws if the text is not JSON. */
export function requireJson(text: string, what: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UserError(`${what} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}
