import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { checkAnswer } from '../../aws/check-answer.ts';
import { mayHaveArrived } from '../../aws/service-errors.ts';
import type { ConfirmedFunction } from '../../cloud/confirmed-functions.ts';
import { hashFile } from '../../support/files.ts';
import { asUserError } from '../../system-errors.ts';
import type { ServiceContext } from '../service-context.ts';
import type { CodeArtifact } from './code-artifacts.ts';
import { sendCode } from './function-code.ts';
import type { CodeUpdate } from './function-code.ts';
import { toFunctionState } from './function-state.ts';
import type { FunctionState } from './function-state.ts';

/** Code that is sent before CloudFormation has confirmed the function: only to a function that nothing has changed since. */
export interface CodeAhead {
  update: CodeUpdate & { code: { kind: 'zip'; artifact: CodeArtifact } };
  /** The function as it was remembered. */
  known: ConfirmedFunction;
}

/** What became of the request. `mayBeThere`: the answer was lost. */
export type SentAhead = { kind: 'accepted'; answer: FunctionConfiguration } | { kind: 'refused'; mayBeThere: boolean };

/** Sends the code if the function has the remembered `RevisionId`. What was refused goes the ordinary way. */
export async function sendAhead(
  { lambda, artifacts }: Pick<ServiceContext, 'lambda' | 'artifacts'>,
  { update, known }: CodeAhead,
): Promise<SentAhead> {
  try {
    const { sendOnce, UpdateFunctionCodeCommand } = await lambda.service();
    const answer = await sendCode({ artifacts }, update, (input) =>
      sendOnce(new UpdateFunctionCodeCommand({ ...input, RevisionId: known.revisionId })),
    );
    return { kind: 'accepted', answer };
  } catch (error) {
    if (asUserError(error) === undefined) throw error;
    return { kind: 'refused', mayBeThere: mayHaveArrived(error) };
  }
}

/** The remembered state of the function, which an accepted `RevisionId` proves. */
export function stateOf({ name, zip, layers, ...known }: ConfirmedFunction): FunctionState {
  const { packageType, runtime, architecture } = known;
  return {
    ...toFunctionState({ FunctionName: name, CodeSha256: zip.sha256, LastUpdateStatus: 'Successful', State: 'Active' }),
    packageType,
    runtime,
    architecture,
    layers,
  };
}

/** What happened to the function that received code and is not the stack's. `reason`: why it keeps the code. */
export type Restored = { kind: 'restored' | 'untouched' } | { kind: 'kept'; reason: string };

/**
 * Gives a function that turned out not to be the stack's its previous code again. Leaves it alone if someone has changed it
 * since: this is again a request for one `RevisionId`.
 */
export async function restoreCode(
  { lambda, artifacts }: Pick<ServiceContext, 'lambda' | 'artifacts'>,
  { update, known: { name, zip } }: CodeAhead,
  sent: SentAhead,
): Promise<Restored> {
  if (sent.kind === 'refused' && !sent.mayBeThere) return { kind: 'untouched' };
  const isOurs = ({ codeSha256 }: FunctionState): boolean => codeSha256 === update.code.artifact.sha256;
  const hadBefore = ({ codeSha256 }: FunctionState): boolean => codeSha256 === zip.sha256;
  try {
    const shows = (now: FunctionState): boolean => isOurs(now) || (sent.kind === 'refused' && hadBefore(now));
    const state = await lambda.settled(name, { shows });
    if (hadBefore(state)) return { kind: 'untouched' };
    if (!isOurs(state)) return { kind: 'kept', reason: 'it was changed again' };
    if ((await hashFile(zip.path, 'sha256', 'base64')) !== zip.sha256)
      return { kind: 'kept', reason: 'its previous code is no longer on this machine' };
    const artifact: CodeArtifact = { item: { kind: 'file', path: zip.path, label: name }, ...zip };
    const { send, UpdateFunctionCodeCommand } = await lambda.service();
    const answer = await sendCode(
      { artifacts },
      { FunctionName: name, code: { kind: 'zip', artifact, key: undefined } },
      (input) => send(new UpdateFunctionCodeCommand({ ...input, RevisionId: state.configuration.RevisionId })),
    );
    checkAnswer('Lambda', 'UpdateFunctionCode', ['CodeSha256', answer.CodeSha256, zip.sha256]);
    const after = await lambda.settled(name, { shows: hadBefore });
    if (hadBefore(after) && after.lastUpdateStatus !== 'Failed') return { kind: 'restored' };
    return { kind: 'kept', reason: after.reason ?? 'Lambda accepted it, but the function does not have it' };
  } catch (thrown) {
    const error = asUserError(thrown);
    if (error === undefined) throw thrown;
    return { kind: 'kept', reason: error.message };
  }
}
