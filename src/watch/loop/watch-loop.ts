import type { ResourceIdentifier } from '../../model/stack.ts';
import { createAbort } from '../../support/abort.ts';
import { explainFailure } from '../work/watch-failures.ts';
import { createRetry } from './retry.ts';
import type { Retry, RetryTimes } from './retry.ts';
import { planSteps, touchedByAll } from './schedule.ts';
import type { ResourceSet, RunningSync } from './schedule.ts';
import { SupersededError } from './watch-tasks.ts';
import type { DeployEnd, DeployContext, LoopEvent, SyncedResource, WatchFailure, WatchTasks } from './watch-tasks.ts';

interface Run extends RunningSync {
  abort: AbortController;
}

interface Deployment {
  /** When the change was noticed that it brings. */
  since: number;
  abort: AbortController;
  abortable: boolean;
  reserved: ResourceSet;
  /** What had changed when it began: it brings that. */
  read: readonly ResourceIdentifier[];
  /** What has changed since. */
  outdated: Set<ResourceIdentifier>;
  /** Waits for running syncs to be out of the way. */
  waiting: (() => void) | undefined;
}

/** Code syncs that build side by side: few enough for any machine. Those that wait for a service are not counted. */
const BUILDS_AT_ONCE = 8;
/** After so many in a row a build is let end: somebody, or the build itself, saves faster than it can be made. */
const MOST_GIVEN_UP = 2;

/**
 * Decides when what is synced. Of each resource:
 *
 *                   changed             its turn            ended well
 *     in sync ───────────────▶ queued ───────────▶ running ───────────▶ in sync
 *                               ▲  ▲                │   │
 *                               │  └── changed: the │   │ failed
 *                               │      build is     │   ▼
 *                               │      given up ────┘  failed
 *                               └──── changed, or tried again by itself
 *
 * and of the stack:
 *
 *              template or options changed           CloudFormation is done
 *     idle ───────────────▶ queued ───────▶ running ───────────────▶ idle, or failed
 *                             ▲                │
 *                             └── changed again (given up if nothing was changed in the cloud yet)
 *
 * What is running brings what the files held when it read them. What changed later stays queued, so the newest content is
 * always the last to be brought.
 */
export class WatchLoop {
  readonly #tasks: WatchTasks;
  readonly #onEvent: (event: LoopEvent) => void;
  readonly #retry: Retry;
  /** Changed and not brought yet → since when (ms). */
  readonly #dirty = new Map<ResourceIdentifier, number>();
  readonly #failed = new Map<ResourceIdentifier, WatchFailure>();
  readonly #runs = new Set<Run>();
  /** How often in a row builds were given up. */
  readonly #givenUp = new Map<ResourceIdentifier, number>();
  #deployWanted: { since: number; force: boolean } | undefined;
  #deployment: Deployment | undefined;
  #deployFailure: Extract<DeployEnd, { outcome: 'failed' }> | undefined;
  /** Work that is under way. */
  readonly #working = new Set<Promise<void>>();
  #ending = false;

  constructor(tasks: WatchTasks, options: { onEvent: (event: LoopEvent) => void; retryTimes?: RetryTimes }) {
    this.#tasks = tasks;
    this.#onEvent = options.onEvent;
    this.#retry = createRetry(() => this.#tryAgain(), options.retryTimes);
  }

  /** These resources changed; `deploy`: the templates or options too. */
  changed(ids: Iterable<ResourceIdentifier>, deploy = false): void {
    const all = [...ids];
    if (deploy) this.#wantDeploy(false);
    this.#markDirty(all);
    for (const id of all) this.#deployment?.outdated.add(id);
    // code that kept a deployment from succeeding is a reason to try again
    // (one that is under way and fails looks at what changed meanwhile)
    const isComing = this.#deployment?.abortable === false;
    if (!isComing && this.#deployFailure && all.some(this.#deployFailure.effects)) this.#wantDeploy(false);
    this.#advance();
  }

  /** Deploys, even if nothing seems to differ: the user asks for it. */
  deployNow(): void {
    this.#wantDeploy(true);
    this.#advance();
  }

  /** Brings everything, and what failed once more: the user asks for it, or it is the beginning. */
  syncAll(ids: Iterable<ResourceIdentifier>): void {
    this.changed(ids, this.#deployFailure !== undefined);
  }

  /** Only these exist from now on. */
  keepOnly(ids: ReadonlySet<ResourceIdentifier>): void {
    for (const id of [...this.#dirty.keys(), ...this.#failed.keys()]) {
      if (ids.has(id)) continue;
      this.#dirty.delete(id);
      this.#failed.delete(id);
    }
  }

  /** Whether nothing runs and nothing waits for its turn. */
  get isIdle(): boolean {
    const works = this.#runs.size > 0 || this.#deployment !== undefined;
    return !works && this.#deployWanted === undefined && this.#ready.length === 0;
  }

  /** Aborts what is under way; resolves when nothing is any more. */
  async end(reason?: unknown): Promise<void> {
    this.#ending = true;
    this.#retry.stop();
    for (const { abort } of this.#runs) abort.abort(reason);
    this.#deployment?.abort.abort(reason);
    await Promise.all(this.#working);
  }

  /** What changed and is there to be synced. */
  get #ready(): ResourceIdentifier[] {
    return [...this.#dirty.keys()].filter((id) => this.#tasks.isDeployed(id));
  }

  #markDirty(ids: readonly ResourceIdentifier[]): void {
    const now = performance.now();
    const news = ids.filter((id) => !this.#dirty.has(id));
    for (const id of news) this.#dirty.set(id, now);
    if (news.length > 0) this.#onEvent({ type: 'queued', ids: news });
  }

  #wantDeploy(force: boolean, since = performance.now()): void {
    if (!this.#deployWanted) this.#onEvent({ type: 'deploy-queued' });
    const wanted = this.#deployWanted ?? { since, force };
    this.#deployWanted = { since: Math.min(since, wanted.since), force: force || wanted.force };
  }

  /** Does what is to be done now. */
  #advance(): void {
    if (this.#ending) return;
    const steps = planSteps<Run>({
      dirty: new Set(this.#ready),
      running: [...this.#runs],
      deploy: {
        wanted: this.#deployWanted !== undefined,
        running: this.#deployment !== undefined,
        abortable: this.#deployment?.abortable ?? false,
        reserved: this.#deployment?.reserved ?? (() => false),
      },
      touchedBy: this.#tasks.touchedBy,
      limit: BUILDS_AT_ONCE,
    });
    for (const step of steps) {
      if (step.do === 'abort') step.run.abort.abort(new SupersededError());
      else if (step.do === 'abort-deploy') this.#deployment?.abort.abort(new SupersededError());
      else this.#keep(step.do === 'deploy' ? this.#runDeploy() : this.#runSync(step.ids));
    }
    if (this.isIdle) this.#onEvent({ type: 'idle' });
  }

  #keep(work: Promise<void>): void {
    this.#working.add(work);
    void work.finally(() => {
      this.#working.delete(work);
      this.#advance();
    });
  }

  async #runSync(ids: readonly ResourceIdentifier[]): Promise<void> {
    const abort = createAbort();
    const abortable = ids.every((id) => (this.#givenUp.get(id) ?? 0) < MOST_GIVEN_UP);
    const run: Run = { ids: new Set(ids), building: true, abortable, abort };
    const since = new Map(ids.map((id) => [id, this.#dirty.get(id) ?? performance.now()]));
    for (const id of ids) this.#dirty.delete(id);
    this.#runs.add(run);
    this.#onEvent({ type: 'building', ids });
    try {
      const results = await this.#tasks.sync(ids, {
        signal: abort.signal,
        committed: () => {
          run.building = false;
          run.abortable = false;
          if (abort.signal.aborted) return;
          this.#onEvent({ type: 'updating', ids });
          this.#advance();
        },
      });
      for (const id of ids) this.#givenUp.delete(id);
      for (const result of results) this.#noteResult(result, performance.now() - (since.get(result.id) ?? 0));
    } catch (error) {
      if (abort.signal.aborted) this.#takeBack(since);
      else for (const [id, time] of since) this.#noteResult(failedSync(id, error), performance.now() - time);
    } finally {
      this.#runs.delete(run);
      this.#wakeDeployment();
    }
  }

  /** Given up because some of them changed: the others have not been brought either. */
  #takeBack(since: ReadonlyMap<ResourceIdentifier, number>): void {
    for (const [id, time] of since) {
      this.#dirty.set(id, time);
      this.#givenUp.set(id, (this.#givenUp.get(id) ?? 0) + 1);
    }
    this.#onEvent({ type: 'queued', ids: [...since.keys()] });
  }

  #noteResult(resource: SyncedResource, ms: number): void {
    const { id, failure, outcome } = resource;
    if (outcome === 'blocked') this.#wantDeploy(true);
    if (failure === undefined) this.#failed.delete(id);
    else this.#failed.set(id, failure);
    if (failure?.byItself) this.#retry.later();
    else if (failure === undefined) this.#retry.succeeded();
    if (failure === undefined) this.#markDirty(this.#waitingFor(id));
    this.#onEvent({ type: 'ended', resource, ms });
  }

  #waitingFor(id: ResourceIdentifier): ResourceIdentifier[] {
    return [...this.#failed].flatMap(([other, { waitsFor }]) => (waitsFor === id ? [other] : []));
  }

  async #runDeploy(): Promise<void> {
    const { since, force } = this.#deployWanted ?? { since: performance.now(), force: false };
    const deployment: Deployment = {
      since,
      abort: createAbort(),
      abortable: true,
      reserved: () => true,
      read: [...this.#dirty.keys()],
      outdated: new Set(),
      waiting: undefined,
    };
    this.#deployWanted = undefined;
    this.#deployment = deployment;
    this.#onEvent({ type: 'deploy-started' });
    try {
      this.#noteDeployEnd(await this.#tasks.deploy({ force }, this.#laneOf(deployment)), deployment);
    } catch (error) {
      // it is wanted with what has changed since
      if (deployment.abort.signal.aborted) this.#wantDeploy(force, since);
      else this.#noteDeployEnd(failedDeploy(error), deployment);
    } finally {
      this.#deployment = undefined;
    }
  }

  #laneOf(deployment: Deployment): DeployContext {
    return {
      signal: deployment.abort.signal,
      committed: () => {
        deployment.abortable = false;
      },
      reserve: (touched) => {
        deployment.reserved = touched;
        this.#advance();
      },
      cleared: () =>
        new Promise((resolve) => {
          deployment.waiting = resolve;
          this.#wakeDeployment();
        }),
      isOutdated: (id) => deployment.outdated.has(id),
    };
  }

  #noteDeployEnd(end: DeployEnd, { since, read, outdated, reserved }: Deployment): void {
    const ms = performance.now() - since;
    this.#deployFailure = end.outcome === 'failed' ? end : undefined;
    const results = end.outcome === 'failed' ? end.culprits : end.results;
    // it brought what it read, or said why not
    const brought = end.outcome === 'failed' ? end.culprits.map(({ id }) => id) : read;
    for (const id of brought) if (!outdated.has(id)) this.#dirty.delete(id);
    for (const result of results) this.#noteResult(result, ms);
    this.#onEvent({ type: 'deploy-ended', end, ms });
    this.#markDirty(end.toSync);
    if (end.outcome !== 'failed') {
      this.#retry.succeeded();
      // what it may have overwritten is compared once more
      return this.#markDirty([...outdated].filter(reserved));
    }
    if (end.failure.byItself) this.#retry.later();
    // perhaps mended while it ran
    if ([...outdated].some(end.effects)) this.#wantDeploy(false);
  }

  #wakeDeployment(): void {
    const { waiting, reserved = () => false } = this.#deployment ?? {};
    const inTheWay = [...this.#runs].some(({ ids }) => touchedByAll(ids, this.#tasks).some(reserved));
    if (!inTheWay) waiting?.();
  }

  #tryAgain(): void {
    const failed = [...this.#failed].filter(([, { byItself }]) => byItself !== undefined);
    const deploy = this.#deployFailure?.failure.byItself;
    const kinds = [...failed.map(([, { byItself }]) => byItself), deploy].filter((kind) => kind !== undefined);
    this.#tasks.renew(new Set(kinds));
    this.#markDirty(failed.map(([id]) => id));
    if (deploy !== undefined) this.#wantDeploy(false);
    this.#advance();
  }
}

/** What was thrown although nobody aborted is a defect of ours; it must not end the watch. */
function failedSync(id: ResourceIdentifier, error: unknown): SyncedResource {
  return { id, outcome: 'failed', failure: explainFailure(error) };
}

function failedDeploy(error: unknown): Extract<DeployEnd, { outcome: 'failed' }> {
  return {
    outcome: 'failed',
    failure: explainFailure(error),
    culprits: [],
    toSync: [],
    effects: () => true,
  };
}
