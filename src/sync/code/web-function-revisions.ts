import { randomBytes } from 'node:crypto';
import { isAwsError } from '../../aws/service-errors.ts';
import { NoSuchStackError } from '../../cloud/stack-resources.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import { note } from '../../console/reporter.ts';
import { splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, WebFunctionResource } from '../../model/stack.ts';
import { applyRevision, EndpointChangedError } from '../../services/lambda/web-functions/apply-revision.ts';
import { planRevision, readWebFunction } from '../../services/lambda/web-functions/plan-revision.ts';
import type { RevisionPlan, WebFunctionState } from '../../services/lambda/web-functions/plan-revision.ts';
import { releaseRevisions } from '../../services/lambda/web-functions/release-revisions.ts';
import { placeOf } from '../../services/lambda/web-functions/revisions.ts';
import type { CodeObject, WebFunctionPlace } from '../../services/lambda/web-functions/revisions.ts';
import { ownValue, setOwn } from '../../support/own-value.ts';
import type { SyncRun } from '../sync-run.ts';

/**
 * Code of Web Functions that goes live before it is deployed, by revisions of our own. The stack does not have them: the
 * deployment that follows creates its own revision and moves the endpoint there, and ours are deleted.
 */
export interface WebFunctionRevisions {
  /** Reads what Lambda has of a Web Function. A text: why only a deployment may change it. undefined: the stack does not have it. */
  read(web: WebFunctionResource): Promise<WebFunctionState | string | undefined>;
  /** Plans how this code goes live. */
  plan(id: ResourceIdentifier, state: WebFunctionState, code: CodeObject): RevisionPlan;
  /** Makes the code live. */
  apply(id: ResourceIdentifier, plan: Extract<RevisionPlan, { action: 'create' | 'restore' }>): Promise<void>;
  /** Web Functions that may have revisions of ours. */
  ahead(): Promise<ResourceIdentifier[]>;
  /**
   * After a deployment, or when there is nothing to deploy: Web Functions that still serve a revision of ours go back to the stack's.
   * Returns them. Deletes all of ours. What AWS refuses is a warning and tried again after the next deployment.
   */
  release(isIncluded?: (id: ResourceIdentifier) => boolean): Promise<ResourceIdentifier[]>;
}

interface Parts {
  run: SyncRun;
  stacks: CloudStacks;
}

/** Why a Web Function of a template is left to deployments. */
const WEIGHTED = 'the template sets RevisionWeights, which decide what its endpoint serves';

/** Each deployment would leave one more. */
const UNDELETED = 'the revisions that sam-sync creates could not be deleted after the last deployment';

/** Opens the revisions of one stack; the first use makes the first call. */
export function openWebFunctionRevisions({ run, stacks }: Parts): WebFunctionRevisions {
  const { aws } = run;
  const { signal } = run.environment;
  // an earlier session may have left some
  const known = async (): Promise<Record<string, string>> => {
    await stacks.loadCache([]);
    return stacks.facts.revisions;
  };
  const isDenied = { release: false };
  const descriptionOf = (id: ResourceIdentifier): string => ownValue(stacks.facts.revisions, id) ?? newDescription();
  return {
    read: async ({ id, properties }) => {
      if ((properties['RevisionWeights'] ?? null) !== null) return WEIGHTED;
      if (isDenied.release) return UNDELETED;
      await stacks.describe();
      const { stackPath, logicalId } = splitIdentifier(id);
      const listing = (await stacks.listing(stackPath)) ?? {};
      // its condition is false
      if (ownValue(listing, logicalId) === undefined) return undefined;
      const place = placeOf(listing, logicalId);
      return place === undefined ? 'its stack has no endpoint or no revision of it' : readWebFunction(aws, place);
    },
    plan: (id, state, code) =>
      planRevision(state, code, { description: descriptionOf(id), previous: ownValue(stacks.facts.revisions, id) }),
    apply: async (id, plan) => {
      if (plan.action === 'create') {
        // known before it is sent: the run may be killed
        setOwn(stacks.facts.revisions, id, String(plan.body['description']));
        await stacks.save();
      }
      await applyRevision({ aws, signal }, plan);
    },
    ahead: async () => Object.keys(await known()),
    release: async (isIncluded = () => true) => {
      const restored: ResourceIdentifier[] = [];
      const ours = Object.entries(await known()).filter(([id]) => isIncluded(id));
      for (const [id, description] of ours) {
        const end = await releaseOne({ run, stacks }, id, description);
        if (end === 'restored') restored.push(id);
        isDenied.release ||= end === 'denied';
      }
      if (ours.length > 0) await stacks.save();
      return restored;
    },
  };
}

/** Whether the endpoint went back to the stack's revision, or was there. */
type ReleaseEnd = 'restored' | 'there' | 'denied' | 'failed';

async function releaseOne({ run, stacks }: Parts, id: ResourceIdentifier, description: string): Promise<ReleaseEnd> {
  const { aws, environment } = run;
  try {
    const place = await locate(stacks, id);
    // with a Web Function all its revisions are deleted
    const { isRestored, isClean } =
      place === undefined
        ? { isRestored: false, isClean: true }
        : await releaseRevisions({ aws, signal: environment.signal }, place, description);
    if (isClean) delete stacks.facts.revisions[id];
    return isRestored ? 'restored' : 'there';
  } catch (error) {
    environment.signal.throwIfAborted();
    if (!isAwsError(error)) throw error;
    note(environment.reporter, 'warning', describeLeft(id, error.message), error.hint);
    return error.kind === 'access-denied' ? 'denied' : 'failed';
  }
}

function describeLeft(id: ResourceIdentifier, why: string): string {
  return `Revisions of ${id} that sam-sync created could not be deleted: ${why}`;
}

async function locate(stacks: CloudStacks, id: ResourceIdentifier): Promise<WebFunctionPlace | undefined> {
  const { stackPath, logicalId } = splitIdentifier(id);
  const listing = await stacks.listing(stackPath);
  return listing && placeOf(listing, logicalId);
}

/** Tells our revisions from those of other people and machines. */
function newDescription(): string {
  return `Created by sam-sync until the next deployment of the stack (${randomBytes(6).toString('hex')})`;
}

/** Whether a failed call means that only CloudFormation can make the change, or may not make it now. */
export function isLeftToDeployment(error: unknown): boolean {
  // a stack that is gone is created again
  if (error instanceof NoSuchStackError || error instanceof EndpointChangedError) return true;
  return isAwsError(error) && (error.kind === 'access-denied' || error.kind === 'other');
}
