import type { ResourceIdentifier } from '../../model/stack.ts';

/** A set of resources as a predicate: a deployment may touch all of a nested stack without listing it. */
export type ResourceSet = (id: ResourceIdentifier) => boolean;

/** The set of all resources. */
export const ALL_RESOURCES: ResourceSet = () => true;
/** The empty set. */
export const NO_RESOURCES: ResourceSet = () => false;

/** A code sync under way. */
export interface ActiveSync {
  ids: ReadonlySet<ResourceIdentifier>;
  /** It still builds and has not changed the cloud. */
  building: boolean;
  /** It can be aborted without a trace. */
  abortable: boolean;
}

/** Everything that determines the next steps. */
export interface Situation<Sync extends ActiveSync = ActiveSync> {
  /** Resources that changed and are not synced yet. */
  pending: ReadonlySet<ResourceIdentifier>;
  running: readonly Sync[];
  /** Templates are being read: nothing starts before it is known what they mean. */
  reading: boolean;
  /** Pending resources to sync before a deployment starts. */
  first: ReadonlySet<ResourceIdentifier>;
  deploy: {
    wanted: boolean;
    running: boolean;
    /** It has not changed the cloud yet. */
    abortable: boolean;
    /** What the running deployment changes or may change. */
    reserved: ResourceSet;
  };
  /** What a code sync of the resource changes in the cloud: the resource, for a layer also the functions that use it. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<string>;
  /** How many code syncs may build at once. */
  limit: number;
}

/** A step to take now. */
export type Step<Sync extends ActiveSync = ActiveSync> =
  /** The sync works with outdated files. */
  | { do: 'abort'; sync: Sync }
  | { do: 'abort-deploy' }
  | { do: 'deploy' }
  | { do: 'sync'; ids: readonly ResourceIdentifier[] };

/**
 * Plans the steps to take now; the rest waits. Two syncs, or a sync and a deployment, never change the same resource at
 * once. A resource that changes while it builds is built again from the start. Pure.
 */
export function planSteps<Sync extends ActiveSync>(now: Situation<Sync>): Step<Sync>[] {
  const steps: Step<Sync>[] = [];
  for (const sync of now.running) {
    if (sync.abortable && [...sync.ids].some((id) => now.pending.has(id))) steps.push({ do: 'abort', sync });
  }
  const isOutdated = now.deploy.wanted || now.reading;
  if (isOutdated && now.deploy.running && now.deploy.abortable) steps.push({ do: 'abort-deploy' });
  if (now.reading) return steps;
  // the deployment reads the templates first and then says what may be synced beside it
  const starts = now.deploy.wanted && !now.deploy.running;
  const pending = [...now.pending].filter((id) => !starts || now.first.has(id));
  if (starts && pending.length === 0) return [...steps, { do: 'deploy' }];
  const free = new Set(freeResources(now));
  const groups = groupByTouch(
    pending.filter((id) => free.has(id)),
    now,
  );
  const building = now.running.filter((sync) => sync.building).length;
  const starting = groups.slice(0, Math.max(0, now.limit - building));
  for (const ids of starting) steps.push({ do: 'sync', ids });
  const isFirstDone = starting.flat().length === pending.length;
  return starts && isFirstDone ? [...steps, { do: 'deploy' }] : steps;
}

/**
 * Lists the pending resources that no sync or deployment under way changes, the oldest first. What changes the same as an
 * older one that waits for a sync also waits: or a layer would wait as long as any of its functions is saved.
 */
function freeResources(now: Situation): ResourceIdentifier[] {
  const busy = new Set(now.running.flatMap(({ ids }) => touchedByAny(ids, now)));
  return [...now.pending].filter((id) => {
    const touched = [...now.touchedBy(id)];
    const waits = touched.some((other) => busy.has(other));
    if (waits) for (const other of touched) busy.add(other);
    return !waits && !touched.some((other) => now.deploy.reserved(other));
  });
}

/** Lists everything that syncs of these resources change. */
export function touchedByAny(
  ids: Iterable<ResourceIdentifier>,
  { touchedBy }: Pick<Situation, 'touchedBy'>,
): ResourceIdentifier[] {
  return [...ids].flatMap((id) => [...touchedBy(id)]);
}

/** Groups resources that change the same thing; each group is one sync. */
function groupByTouch(ids: readonly ResourceIdentifier[], now: Situation): ResourceIdentifier[][] {
  let groups: { ids: ResourceIdentifier[]; touched: Set<string> }[] = [];
  for (const id of ids) {
    const touched = now.touchedBy(id);
    const [separate, together] = partition(groups, (group) => ![...touched].some((other) => group.touched.has(other)));
    const merged = {
      ids: [...together.flatMap((group) => group.ids), id],
      touched: new Set([...together.flatMap((group) => [...group.touched]), ...touched]),
    };
    groups = [...separate, merged];
  }
  return groups.map((group) => group.ids);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
