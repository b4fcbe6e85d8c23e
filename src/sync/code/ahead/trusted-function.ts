import { statSync } from 'node:fs';
import { callerMark } from '../../../aws/caller-mark.ts';
import { buildStoreDir } from '../../../builder/build-options.ts';
import { openConfirmedFunctions } from '../../../cloud/confirmed-functions.ts';
import type { ConfirmedFunction, ConfirmedFunctions } from '../../../cloud/confirmed-functions.ts';
import type { FunctionResource, ResourceIdentifier } from '../../../model/stack.ts';
import { fitsRequest } from '../../../services/lambda/code-artifacts.ts';
import type { CodeAhead } from '../../../services/lambda/code-ahead.ts';
import { stateOf } from '../../../services/lambda/code-ahead.ts';
import { isImage, refuseOtherKind } from '../../../services/lambda/function-code.ts';
import type { FunctionState } from '../../../services/lambda/function-state.ts';
import type { PackedCode } from '../../../services/lambda/pack-code.ts';
import type { FunctionPlan } from '../../../services/lambda/plan-function.ts';
import { asUserError } from '../../../system-errors.ts';
import type { SyncRun } from '../../sync-run.ts';

/*
 * `--code` of one function takes three calls one after another: CloudFormation's answer, the update, its end. The first two go
 * at the same time if a run of the last minutes confirmed the function, and Lambda has not changed it since: `RevisionId` is a
 * condition of the request. What it cannot show is that the stack has given the function up, retained or to another stack.
 * Then CloudFormation's answer corrects what was sent (`confirm-ahead.ts`). See docs/decisions.md.
 */

/** How long (ms) a function that CloudFormation has confirmed is trusted to be still the stack's. */
const TRUSTED_FOR = 5 * 60_000;

/** Properties of functions that take more than an update of the code, or a condition that we do not check. */
const MORE_THAN_CODE = [
  'AutoPublishAlias',
  'CapacityProviderConfig',
  'CodeSigningConfigArn',
  'Layers',
  'PublishToLatestPublished',
  'SourceKMSKeyArn',
];

/** What a run of `--code` may trust, and where it remembers what it has confirmed. */
export interface Trust {
  id: ResourceIdentifier;
  caller: string;
  /** When this run began to ask CloudFormation (ms since 1970). */
  askedAt: number;
  functions: ConfirmedFunctions;
  known: ConfirmedFunction | undefined;
}

/** Opens what is trusted for this run; undefined: it does not name a single resource, or changes nothing. */
export async function openTrust({ options, aws }: SyncRun): Promise<Trust | undefined> {
  const askedAt = Date.now();
  const [id, ...others] = options.resourceIds;
  if (id === undefined || others.length > 0 || options.resourceTypes.length > 0 || options.dryRun) return undefined;
  try {
    const functions = await openFunctions({ options, aws });
    return { id, caller: await callerMark(aws), askedAt, functions, known: await functions.read(id) };
  } catch {
    // the first call meets the same failure, such as missing credentials, and explains it
    return undefined;
  }
}

/** Forgets what was confirmed: a deployment begins. */
export async function forgetConfirmed(run: Pick<SyncRun, 'options' | 'aws'>): Promise<void> {
  await (await openFunctions(run)).forget();
}

async function openFunctions({ options, aws }: Pick<SyncRun, 'options' | 'aws'>): Promise<ConfirmedFunctions> {
  const { projectDir, stackName } = options;
  return openConfirmedFunctions({ storeDir: buildStoreDir(projectDir), region: await aws.region(), stackName });
}

/**
 * Decides whether the code is sent before CloudFormation has confirmed the function. undefined: the ordinary way, because the
 * sync has more to do than to send the code, because too much time has passed, or because the previous code is not here to be
 * put back.
 */
export function planAhead(
  { id, caller, known }: Trust,
  resource: FunctionResource,
  packed: PackedCode,
): CodeAhead | undefined {
  const artifact = packed.code.get(id);
  if (known === undefined || artifact === undefined || resource.id !== id || !hasOnlyCode(resource)) return undefined;
  // its code may be zipped, and its new dependency layer not
  if (packed.failures.length > 0) return undefined;
  if (known.caller !== caller || !isRecent(known.at) || !isKindOf(resource, stateOf(known))) return undefined;
  const isChanged = artifact.sha256 !== known.zip.sha256 && fitsRequest(artifact);
  if (!isChanged || packed.dependencies.get(id)?.sha256 !== known.dependencies) return undefined;
  if (statSync(known.zip.path, { throwIfNoEntry: false })?.size !== known.zip.size) return undefined;
  return { update: { FunctionName: known.name, code: { kind: 'zip', artifact, key: undefined } }, known };
}

/** A clock that went back makes the future of the past. */
function isRecent(at: number): boolean {
  const age = Date.now() - at;
  return age >= 0 && age < TRUSTED_FOR;
}

function hasOnlyCode(resource: FunctionResource): boolean {
  return !isImage(resource) && MORE_THAN_CODE.every((name) => (resource.properties[name] ?? null) === null);
}

function isKindOf(resource: FunctionResource, state: FunctionState): boolean {
  try {
    refuseOtherKind(resource, state);
    return true;
  } catch (error) {
    // the ordinary way reports it
    if (asUserError(error) === undefined) throw error;
    return false;
  }
}

/** Remembers a function that this run has synced, if the next one can trust it. `state`: as it was read last. */
export async function rememberConfirmed(
  { id, caller, askedAt, functions }: Trust,
  { work, code }: FunctionPlan,
  state: FunctionState | undefined,
): Promise<void> {
  const artifact = code?.code.kind === 'zip' ? code.code.artifact : undefined;
  const { RevisionId: revisionId, State, LastUpdateStatus } = state?.configuration ?? {};
  if (work.id !== id || artifact?.item.kind !== 'zip' || !hasOnlyCode(work.resource)) return;
  const isComplete = State === 'Active' && LastUpdateStatus === 'Successful' && state?.codeSha256 === artifact.sha256;
  if (state === undefined || !isComplete || revisionId === undefined || !fitsRequest(artifact)) return;
  const { name, layers, packageType, runtime, architecture } = state;
  const { path, size, sha256 } = artifact;
  const dependencies = work.layers.find((layer) => layer.work.id === id)?.work.artifact.sha256;
  const confirmed = { caller, at: askedAt, name, revisionId, layers, dependencies, packageType, runtime, architecture };
  await functions.write(id, { ...confirmed, zip: { path, size, sha256 } }, Date.now() - TRUSTED_FOR);
}
