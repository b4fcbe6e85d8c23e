import type { BuildOutcome } from '../../builder/build.ts';
import { timed } from '../../console/reporter.ts';
import { planBuild } from '../../builder/plan-build.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { buildOptionsOf } from '../../sync/build-options-of.ts';
import type { CodeSyncRequest, OpenPlan } from '../../sync/code/open-plan.ts';
import { requireResources, withSettingsSynced } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { SyncedResource } from '../loop/results.ts';
import type { SyncContext } from '../loop/watch-tasks.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { failAll, planAndApply, settleBlocked } from './apply-plan.ts';
import { addRunProblems, artifactOf, buildResources } from './build-resources.ts';
import { failedBuilds } from './watch-failures.ts';
import { startWebFunctions } from './sync-web-functions.ts';

/** Builds these resources while the services are asked what they have, then updates what differs. */
export async function syncResources(
  application: WatchedApplication,
  ids: readonly ResourceIdentifier[],
  context: SyncContext,
): Promise<SyncedResource[]> {
  const { snapshot } = application;
  const { root } = requireResources(snapshot);
  const plan = planBuild(root, buildOptionsOf(snapshot.run), new Set(ids));
  const building = buildResources(application, plan, context);
  const webFunctions = startWebFunctions(application, ids);
  const others = ids.filter((id) => !webFunctions.ids.includes(id));
  const direct = new Map([...snapshot.direct].filter(([id]) => others.includes(id)));
  const settings: CodeSyncRequest['settings'] = (id) => direct.get(id);
  const planning = planSync(snapshot, { root, ids: others, build: () => building, settings });
  planning.catch(() => {}); // does not matter if the build fails, or if the service is known to have the result
  const built = await building.catch(async (error: unknown) => {
    await webFunctions.close();
    throw error;
  });
  try {
    await snapshot.tools.layout().update(root, built.result);
    for (const note of built.result.notes) application.notes.report(note.level, `${note.ids.join(', ')}: ${note.text}`);
    const results = await both(
      syncBuilt(application, built, { ids: others, context, planning, direct }),
      webFunctions.apply(built, context),
    );
    const done = new Set(
      results.flatMap(({ id, outcome }) => (outcome === 'synced' || outcome === 'unchanged' ? [id] : [])),
    );
    application.replace((now) => withSettingsSynced(now, new Map([...direct].filter(([id]) => done.has(id)))));
    const check = { kind: 'check', label: 'whether Lambda can run it', ids } as const;
    return await timed(snapshot.run.environment.reporter, check, () => addRunProblems(built.result, results));
  } catch (error) {
    context.signal.throwIfAborted();
    await discard(planning);
    return failAll(ids, error);
  } finally {
    await webFunctions.close();
    built.release();
  }
}

/** The results of both; if one fails, the other one ends first. */
async function both(...syncs: readonly Promise<SyncedResource[]>[]): Promise<SyncedResource[]> {
  await Promise.allSettled(syncs);
  return (await Promise.all(syncs)).flat();
}

async function syncBuilt(
  application: WatchedApplication,
  { result: built, failures }: BuildOutcome,
  sync: {
    ids: readonly ResourceIdentifier[];
    context: SyncContext;
    planning: Promise<OpenPlan | undefined>;
    direct: ApplicationSnapshot['direct'];
  },
): Promise<SyncedResource[]> {
  const { ids, context, planning, direct } = sync;
  const { synced, run } = application.snapshot;
  if (ids.length === 0) return [];
  const failed = new Map(failedBuilds(failures).flatMap((one) => (ids.includes(one.id) ? [[one.id, one]] : [])));
  const others = ids.filter((id) => !failed.has(id));
  if (
    direct.size === 0 &&
    others.every((id) => synced.get(id) !== undefined && synced.get(id) === artifactOf(built, id))
  ) {
    await discard(planning);
    return ids.map((id) => failed.get(id) ?? { id, outcome: 'unchanged' });
  }
  const results = await planAndApply(application, others, {
    built,
    moment: 'before-deployment',
    plan: async () => {
      const open = requirePlan(await planning);
      if (context.signal.aborted) await open.discard();
      context.signal.throwIfAborted();
      context.committed();
      return open;
    },
  });
  context.signal.throwIfAborted();
  const all = [...failed.values(), ...results.filter(({ id }) => !failed.has(id))];
  // with --code only the user starts a deployment
  return run.options.code ? settleBlocked(all, 'failed') : all;
}

/** An empty selection would mean everything. */
async function planSync(
  { tools, prepared }: ApplicationSnapshot,
  { ids, ...request }: Omit<CodeSyncRequest, 'selection'> & { ids: readonly ResourceIdentifier[] },
): Promise<OpenPlan | undefined> {
  if (ids.length === 0) return undefined;
  const codeSync = await tools.codeSync(prepared?.deployed.stack);
  return requirePlan(await codeSync.plan({ ...request, selection: { ids, types: [] } }));
}

function requirePlan(open: OpenPlan | undefined): OpenPlan {
  if (open === undefined) throw new Error('a plan without a question was refused');
  return open;
}

async function discard(planning: Promise<OpenPlan | undefined>): Promise<void> {
  try {
    await (await planning)?.discard();
  } catch {
    // there is no plan
  }
}
