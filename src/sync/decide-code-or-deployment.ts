import type { BuildResult } from '../builder/artifact.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { DeployedState, DeployResult } from '../deploy/deploy-stack.ts';
import { UserError } from '../errors.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { PackagedStack } from '../package/package-templates.ts';
import { once } from '../support/once.ts';
import { valuesFollowing } from './code/behind-versions.ts';
import type { BehindValues } from './code/behind-versions.ts';
import { compareDeployed } from './compare-deployed.ts';
import type { CodeSync, CodeSyncRequest, OpenPlan } from './code/open-code-sync.ts';
import { EVERYTHING } from './code/select-resources.ts';
import type { Selection } from './code/select-resources.ts';

/** What a plain sync has in hand. */
export interface PlainSync {
  root: Stack;
  built: BuildResult;
  packaged: PackagedStack;
  /** The stack, and the root template that it was deployed with. */
  deployed: DeployedState;
  /** What is to be brought; without it everything. */
  selection?: Selection | undefined;
}

/** Whether a code sync does what a deployment would. */
export type InsteadOfDeployment =
  /** It does, or there is nothing to do at all. */
  | { kind: 'code'; open: OpenPlan }
  /** A deployment is needed; why, in a few words each, or because of values that only a deployment moves to new versions. */
  | { kind: 'deploy'; differences: readonly string[]; behind: readonly BehindValues[] };

/** Somebody else changed the stack after it was read: look again. */
class StackChangedError extends UserError {
  constructor(stackName: string) {
    super(`Someone else has changed stack ${stackName} meanwhile`, { hint: 'Sync again when they are done.' });
  }
}

/** So often others may change the stack under our hands. */
const MAX_ROUNDS = 5;

/** Does it again, from what the stack is then, while it rejects with `StackChangedError`. */
export async function lookAgainIfChanged<T>(reporter: Reporter, work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StackChangedError) || round === MAX_ROUNDS) throw error;
      note(reporter, 'info', `${error.message}: looking again`);
    }
  }
}

/**
 * Plans a code sync in place of a deployment, if templates differ only in where code and definitions are, if a code sync
 * can bring each of them, and if nothing else of the stack follows their new versions. Everything is compared with the services, so what was changed in the cloud by hand comes back too.
 * Whether parameters, tags and other settings of the stack differ is for the caller to know. Rejects with `StackChangedError`
 * if there is something to sync and the stack is not any more what it was compared with.
 */
export async function planInsteadOfDeployment(
  codeSync: CodeSync,
  { root, built, packaged, deployed, selection = EVERYTHING }: PlainSync,
): Promise<InsteadOfDeployment> {
  const { stack, template } = deployed;
  const comparison = await compareDeployed(root, packaged, {
    template,
    readNested: (path) => codeSync.readNestedTemplate(path),
  });
  if (comparison.kind === 'differs') return { kind: 'deploy', differences: comparison.differences, behind: [] };
  const changed = comparison.kind === 'same' ? new Set<ResourceIdentifier>() : comparison.ids;
  const behind = valuesFollowing(root, chosen(changed, selection));
  if (behind.length > 0) return { kind: 'deploy', differences: [], behind };
  const hasMoved = once(async () => stack !== undefined && (await codeSync.hasChangedSince(stack)));
  // there will be something to sync: asked while it is planned; awaited, and failing, below
  if (changed.size > 0) hasMoved().catch(() => {});
  const open = await planAll(codeSync, { root, selection, built, isDeployed: (id) => !changed.has(id) });
  const left = open.plan.resources.filter(
    ({ id, action }) => changed.has(id) && action !== 'update' && action !== 'none',
  );
  if (left.length === 0) {
    const isChanging = open.plan.resources.some(({ action }) => action === 'update');
    if (isChanging)
      await discardUnless(open, async () => {
        if (await hasMoved()) throw new StackChangedError(stack?.name ?? '');
      });
    return { kind: 'code', open };
  }
  await open.discard();
  return { kind: 'deploy', differences: left.map(({ id, why }) => why ?? `${id} changed`), behind: [] };
}

/** Those that are to be brought. */
function chosen(ids: ReadonlySet<ResourceIdentifier>, selection: Selection): ReadonlySet<ResourceIdentifier> {
  return selection === EVERYTHING ? ids : new Set(selection.ids.filter((id) => ids.has(id)));
}

/**
 * Plans what a deployment did not bring: CloudFormation compares with its own last deployment, so where code syncs have been
 * since, it may have left newer code than is wanted now. Rejects with `StackOvertakenError` if somebody else has changed the
 * stack since: this code does not belong to their template.
 */
export async function planAfterDeployment(
  codeSync: CodeSync,
  deployment: Pick<DeployResult, 'stack' | 'isLatest'>,
  { root, built, selection = EVERYTHING }: Pick<PlainSync, 'root' | 'built' | 'selection'>,
): Promise<OpenPlan> {
  codeSync.forget(deployment.stack);
  const open = await planAll(codeSync, { root, selection, built, isDeployed: () => true });
  await discardUnless(open, () => codeSync.requireLatest(deployment));
  return open;
}

async function planAll(codeSync: CodeSync, request: CodeSyncRequest): Promise<OpenPlan> {
  const open = await codeSync.plan(request);
  // nobody was asked anything, so nobody said no
  if (open === undefined) throw new Error('a plan without a question was refused');
  return open;
}

async function discardUnless(open: OpenPlan, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    await open.discard();
    throw error;
  }
}
