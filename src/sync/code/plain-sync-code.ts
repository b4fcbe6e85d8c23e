import type { BuildResult } from '../../build/artifact.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import type { PackagedStack } from '../../package/package-templates.ts';
import type { Template } from '../../template/template.ts';
import { valuesFollowing } from './behind-versions.ts';
import type { BehindValues } from './behind-versions.ts';
import type { CodeSyncOutcome } from './code-sync-plan.ts';
import { compareDeployed } from './compare-deployed.ts';
import type { CodeSync, OpenPlan } from './open-code-sync.ts';
import { EVERYTHING } from './select-resources.ts';
import type { Selection } from './select-resources.ts';

/** What a plain sync has in hand. */
export interface PlainSync {
  root: Stack;
  built: BuildResult;
  packaged: PackagedStack;
  /** The root template that the stack was deployed with. */
  deployed: Template | undefined;
  /** What is to be brought; without it everything. */
  selection?: Selection | undefined;
}

/** Whether a code sync does what a deployment would. */
export type InsteadOfDeployment =
  /** It does, or there is nothing to do at all. */
  | { kind: 'code'; open: OpenPlan }
  /** A deployment is needed; why, in a few words each, or because of values that only a deployment moves to new versions. */
  | { kind: 'deploy'; differences: readonly string[]; behind: readonly BehindValues[] };

/**
 * Plans a code sync in place of a deployment, if templates differ only in where code and definitions are, if a code sync
 * can bring each of them, and if nothing else of the stack follows their new versions. Everything is compared with the services, so what was changed in the cloud by hand comes back too.
 * Whether parameters, tags and other settings of the stack differ is for the caller to know.
 */
export async function planInsteadOfDeployment(
  codeSync: CodeSync,
  { root, built, packaged, deployed, selection = EVERYTHING }: PlainSync,
): Promise<InsteadOfDeployment> {
  const comparison = await compareDeployed(root, packaged, {
    template: deployed,
    readNested: (path) => codeSync.readNestedTemplate(path),
  });
  if (comparison.kind === 'differs') return { kind: 'deploy', differences: comparison.differences, behind: [] };
  const changed = comparison.kind === 'same' ? new Set<ResourceIdentifier>() : comparison.ids;
  const behind = valuesFollowing(root, chosen(changed, selection));
  if (behind.length > 0) return { kind: 'deploy', differences: [], behind };
  const open = await codeSync.plan({ root, selection, built, isDeployed: (id) => !changed.has(id) });
  // nobody was asked anything, so nobody said no
  if (open === undefined) throw new Error('a plan without a question was refused');
  const left = open.plan.resources.filter(
    ({ id, action }) => changed.has(id) && action !== 'update' && action !== 'none',
  );
  if (left.length === 0) return { kind: 'code', open };
  await open.discard();
  return { kind: 'deploy', differences: left.map(({ id, why }) => why ?? `${id} changed`), behind: [] };
}

/** Those that are to be brought. */
function chosen(ids: ReadonlySet<ResourceIdentifier>, selection: Selection): ReadonlySet<ResourceIdentifier> {
  return selection === EVERYTHING ? ids : new Set(selection.ids.filter((id) => ids.has(id)));
}

/**
 * Brings what a deployment did not: CloudFormation compares with its own last deployment, so where code syncs have been since,
 * it may have left newer code than is wanted now.
 */
export async function syncAfterDeployment(
  codeSync: CodeSync,
  { root, built, selection = EVERYTHING }: Pick<PlainSync, 'root' | 'built' | 'selection'>,
): Promise<CodeSyncOutcome> {
  codeSync.forget();
  const outcome = await codeSync.sync({ root, selection, built, isDeployed: () => true });
  return outcome ?? { results: [], failed: false, behind: [] };
}
