import type { ResourceIdentifier } from '../../model/stack.ts';

/** Resources, by a question: a deployment may touch all of a nested stack without listing it. */
export type ResourceSet = (id: ResourceIdentifier) => boolean;

/** A code sync that is under way. */
export interface RunningSync {
  ids: ReadonlySet<ResourceIdentifier>;
  /** It still builds: the cloud has not been changed. */
  building: boolean;
  /** It can be given up without a trace. */
  abortable: boolean;
}

/** All that decides what happens next. */
export interface Situation<Run extends RunningSync = RunningSync> {
  /** Changed and not brought yet. */
  dirty: ReadonlySet<ResourceIdentifier>;
  running: readonly Run[];
  deploy: {
    wanted: boolean;
    running: boolean;
    /** It has changed nothing yet, so it can be given up. */
    abortable: boolean;
    /** What the running deployment is about to change, or may change. */
    reserved: ResourceSet;
  };
  /** What a code sync of the resource changes in the cloud: itself, for a layer also the functions that use it. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<ResourceIdentifier>;
  /** Code syncs that may build at once. */
  limit: number;
}

/** What to do next. */
export type Step<Run extends RunningSync = RunningSync> =
  /** The run brings what is outdated by now. */
  | { do: 'abort'; run: Run }
  | { do: 'abort-deploy' }
  | { do: 'deploy' }
  | { do: 'sync'; ids: readonly ResourceIdentifier[] };

/**
 * What to do now, the rest being for later. Two syncs, or a sync and a deployment, never change the same resource at
 * once; a resource that changed again while it is built is built again from the start. Pure.
 */
export function planSteps<Run extends RunningSync>(now: Situation<Run>): Step<Run>[] {
  const steps: Step<Run>[] = [];
  for (const run of now.running) {
    if (run.abortable && [...run.ids].some((id) => now.dirty.has(id))) steps.push({ do: 'abort', run });
  }
  if (now.deploy.wanted && now.deploy.running && now.deploy.abortable) steps.push({ do: 'abort-deploy' });
  // what may be synced beside it, it says when it has read the templates
  if (now.deploy.wanted && !now.deploy.running) return [...steps, { do: 'deploy' }];
  const busy = new Set(now.running.flatMap(({ ids }) => touchedByAll(ids, now)));
  const isFree = (id: ResourceIdentifier): boolean =>
    ![...now.touchedBy(id)].some((touched) => busy.has(touched) || now.deploy.reserved(touched));
  const groups = groupByTouch([...now.dirty].filter(isFree), now);
  const building = now.running.filter((run) => run.building).length;
  for (const ids of groups.slice(0, Math.max(0, now.limit - building))) steps.push({ do: 'sync', ids });
  return steps;
}

/** Everything that syncs of these change. */
export function touchedByAll(
  ids: Iterable<ResourceIdentifier>,
  { touchedBy }: Pick<Situation, 'touchedBy'>,
): ResourceIdentifier[] {
  return [...ids].flatMap((id) => [...touchedBy(id)]);
}

/** Resources that change the same thing are synced together, in the order that suits them; others on their own. */
function groupByTouch(ids: readonly ResourceIdentifier[], now: Situation): ResourceIdentifier[][] {
  let groups: { ids: ResourceIdentifier[]; touched: Set<ResourceIdentifier> }[] = [];
  for (const id of ids) {
    const touched = now.touchedBy(id);
    const [apart, together] = partition(groups, (group) => ![...touched].some((other) => group.touched.has(other)));
    const merged = {
      ids: [...together.flatMap((group) => group.ids), id],
      touched: new Set([...together.flatMap((group) => [...group.touched]), ...touched]),
    };
    groups = [...apart, merged];
  }
  return groups.map((group) => group.ids);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
