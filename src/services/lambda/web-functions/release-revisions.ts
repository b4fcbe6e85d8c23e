import { isAwsError } from '../../../aws/service-errors.ts';
import { deleteRevision, serve } from './apply-revision.ts';
import type { RevisionTools } from './apply-revision.ts';
import { listRevisions, readEndpoint, servingOf } from './revisions.ts';
import type { WebFunctionPlace } from './revisions.ts';

/** What became of our revisions of a Web Function. */
export interface ReleasedRevisions {
  /** The endpoint served one of them and is back at the stack's. */
  isRestored: boolean;
  /** All are deleted. */
  isClean: boolean;
}

/**
 * Makes a Web Function as its stack has it, after a deployment: if the endpoint still serves a revision of ours, it goes back to the
 * stack's, and ours are deleted. Everything that a person or CloudFormation made of the endpoint stays.
 */
export async function releaseRevisions(
  tools: RevisionTools,
  place: WebFunctionPlace,
  description: string,
): Promise<ReleasedRevisions> {
  const ours = (await ifThere(listRevisions(tools.aws, place, description))) ?? [];
  if (ours.length === 0) return { isRestored: false, isClean: true };
  const endpoint = await ifThere(readEndpoint(tools.aws, place));
  const serving = endpoint && servingOf(endpoint);
  const isRestored = serving !== undefined && serving !== place.revisionId && ours.includes(serving);
  if (isRestored) await serve(tools, place, place.revisionId);
  const deleted = await Promise.all(ours.map((id) => deleteRevision(tools.aws, place, id)));
  return { isRestored, isClean: deleted.every(Boolean) };
}

/** undefined: somebody deleted the Web Function, with its revisions, or its endpoint. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}
