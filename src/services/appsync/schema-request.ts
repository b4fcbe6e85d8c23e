import { requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { UserError } from '../../errors.ts';
import { pause } from '../../support/pause.ts';
import { summarize } from '../planned-request.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';

/** The request that gives an API another schema. */
export interface SchemaRequest {
  operation: 'StartSchemaCreation';
  input: { apiId: string; definition: string };
}

/** Longest time (ms) that AppSync may take for a schema, and between two looks at it. */
const LONGEST_CREATION = 60_000;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 2_000;

/** The request as a dry run shows it. Pure. */
export function describeSchemaRequest({ operation, input }: SchemaRequest): PlannedRequest {
  return { service: 'appsync', operation, parameters: { ...input, definition: summarize(input.definition) } };
}

/** Sends the schema, and waits until AppSync has checked it. `longest`: the limit (ms) for that. */
export async function sendSchema(
  { aws, signal }: Pick<ServiceContext, 'aws' | 'signal'>,
  { input }: SchemaRequest,
  longest = LONGEST_CREATION,
): Promise<void> {
  const { send, StartSchemaCreationCommand, GetSchemaCreationStatusCommand } = await aws.appSync();
  const { apiId } = input;
  const definition = Buffer.from(input.definition);
  const began = performance.now();
  let isSent = false;
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    if (!isSent) isSent = await startUnlessBusy(() => send(new StartSchemaCreationCommand({ apiId, definition })));
    const { status, details = 'no reason given' } = await send(new GetSchemaCreationStatusCommand({ apiId }));
    const state = requireAnswer('AppSync', 'GetSchemaCreationStatus', 'status', status);
    if (isSent && (state === 'SUCCESS' || state === 'ACTIVE')) return;
    if (isSent && state === 'FAILED') {
      throw new UserError(`AppSync cannot use the schema: ${details}`, { hint: 'Correct the schema and save it.' });
    }
    if (performance.now() > began + longest) {
      throw new UserError(`AppSync is still busy with the schema after ${longest / 1_000} s`, {
        hint: `Check it with \`aws appsync get-schema-creation-status --api-id ${apiId}\`, then save it again.`,
      });
    }
    await pause(delay, signal);
  }
}

/** Whether the creation started: AppSync makes one schema of an API at a time. */
async function startUnlessBusy(start: () => Promise<unknown>): Promise<boolean> {
  try {
    await start();
    return true;
  } catch (error) {
    if (isAwsError(error, 'ConcurrentModificationException')) return false;
    throw error;
  }
}
