import { randomUUID } from 'node:crypto';
import type { ProgressEvent } from '@aws-sdk/client-cloudcontrol';
import { requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError, mayHaveArrived, toAwsError } from '../../aws/service-errors.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import { UserError } from '../../errors.ts';
import { pause } from '../../support/pause.ts';
import type { ServiceContext } from '../service-context.ts';
import { SettingsRefusedError } from '../settings-refused.ts';
import { updateParameters } from './settings-update.ts';
import type { SettingsUpdate } from './settings-update.ts';

const SERVICE = 'Cloud Control';
const OPERATION = 'UpdateResource';
/** Longest time (ms) for an update, and between two looks at it. */
const LONGEST_UPDATE = 60_000;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 2_000;

type Tools = Pick<ServiceContext, 'aws' | 'signal'> & { facts: Pick<ServiceContext['facts'], 'sent'> };

/** Sends the update, and waits until Cloud Control has completed it. `longest`: the limit (ms) for that. */
export async function applySettings(tools: Tools, update: SettingsUpdate, longest = LONGEST_UPDATE): Promise<void> {
  const changes = update.settings.flatMap(({ change }) => (change === undefined ? [] : [change]));
  await sendAndRecord(tools.facts, changes, async () => {
    const first = await start(tools, update, longest);
    await waitForEnd(tools, { id: update.id, longest }, first);
  });
}

/** Starts the update. With the token, a repeated request is the same update. */
async function start(tools: Tools, update: SettingsUpdate, longest: number): Promise<ProgressEvent | undefined> {
  const { send, UpdateResourceCommand } = await tools.aws.cloudControl();
  const request = { ...updateParameters(update), ClientToken: randomUUID() };
  const began = performance.now();
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    try {
      return (await send(new UpdateResourceCommand(request))).ProgressEvent;
    } catch (error) {
      const isBusy = isAwsError(error, 'ConcurrentOperationException', 'ConcurrentModificationException');
      if (!isBusy || performance.now() > began + longest) throw refusal(update, error);
    }
    await pause(delay, tools.signal);
  }
}

function refusal({ id }: SettingsUpdate, error: unknown): unknown {
  if (!isAwsError(error) || mayHaveArrived(error)) return error;
  if (error.kind !== 'access-denied' && error.kind !== 'other') return error;
  return new SettingsRefusedError(id, error);
}

async function waitForEnd(
  tools: Tools,
  { id, longest }: { id: string; longest: number },
  first: ProgressEvent | undefined,
): Promise<void> {
  const { send, GetResourceRequestStatusCommand } = await tools.aws.cloudControl();
  const RequestToken = requireAnswer(SERVICE, OPERATION, 'RequestToken', first?.RequestToken);
  const began = performance.now();
  let event = first;
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    const status = requireAnswer(SERVICE, OPERATION, 'OperationStatus', event?.OperationStatus);
    if (status === 'SUCCESS') return;
    if (status === 'FAILED' || status.startsWith('CANCEL')) throw failureOf(event, status);
    if (performance.now() > began + longest) {
      throw new UserError(`${id}: Cloud Control has not completed the update after ${longest / 1_000} s`, {
        hint: `Follow it with \`aws cloudcontrol get-resource-request-status --request-token ${RequestToken}\`.`,
      });
    }
    await pause(Math.max(delay, untilRetry(event)), tools.signal);
    event = (await send(new GetResourceRequestStatusCommand({ RequestToken }))).ProgressEvent;
  }
}

/** How long (ms) Cloud Control asks to wait. */
function untilRetry(event: ProgressEvent | undefined): number {
  const at = event?.RetryAfter?.getTime() ?? 0;
  return Math.min(Math.max(at - Date.now(), 0), LONGEST_DELAY);
}

/** Failures of the service that pass, by the code of the operation. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'GeneralServiceException',
  'InternalFailure',
  'NetworkFailure',
  'NotStabilized',
  'ServiceInternalError',
  'ServiceTimeout',
]);

/** The operation failed in the service behind Cloud Control, which may have made a part of the change. */
function failureOf({ ErrorCode, StatusMessage }: ProgressEvent = {}, status = ''): unknown {
  const name = ErrorCode ?? status;
  const error = Object.assign(new Error(StatusMessage ?? name), {
    name,
    $metadata: { httpStatusCode: TRANSIENT.has(name) ? 500 : 400 },
  });
  return toAwsError(error, { service: SERVICE, operation: OPERATION });
}
