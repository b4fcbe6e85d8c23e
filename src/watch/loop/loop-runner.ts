import type { ResourceIdentifier } from '../../model/stack.ts';
import { createAbort } from '../../support/abort.ts';
import { initialLoopState, isIdle } from './loop-state.ts';
import type { LoopDecision, LoopInput, LoopState, LoopTimer, LoopTimes } from './loop-state.ts';
import type { LoopEvent } from './results.ts';
import { ALL_RESOURCES } from './schedule.ts';
import { advanceLoop } from './watch-loop.ts';
import { SupersededError } from './watch-tasks.ts';
import type { DeployContext, WatchTasks } from './watch-tasks.ts';

/** Runs the loop: passes inputs to it and carries out its decisions with tasks, abort signals and timers. */
export class LoopRunner {
  readonly #tasks: WatchTasks;
  readonly #onEvent: (event: LoopEvent) => void;
  #state: LoopState;
  /** Inputs that arrived while the loop carries out decisions. */
  readonly #inputs: LoopInput[] = [];
  #isAdvancing = false;
  readonly #aborts = new Map<number, AbortController>();
  readonly #working = new Set<Promise<void>>();
  readonly #timers = new Map<LoopTimer, NodeJS.Timeout>();
  #clearDeployment: (() => void) | undefined;

  constructor(tasks: WatchTasks, options: { onEvent: (event: LoopEvent) => void; times?: Partial<LoopTimes> }) {
    this.#tasks = tasks;
    this.#onEvent = options.onEvent;
    this.#state = initialLoopState(options.times);
  }

  /** Passes an input to the loop. */
  send(input: LoopInput): void {
    this.#inputs.push(input);
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) this.#advance(next);
    } finally {
      this.#isAdvancing = false;
    }
  }

  get isIdle(): boolean {
    return isIdle(this.#state, this.#tasks);
  }

  /** Resources whose update in the cloud has begun, without a result so far. */
  get updating(): ReadonlySet<ResourceIdentifier> {
    return this.#state.updating;
  }

  /** Aborts all work; resolves when it has ended. */
  async end(reason?: unknown): Promise<void> {
    this.send({ type: 'end' });
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const abort of this.#aborts.values()) abort.abort(reason);
    await Promise.all(this.#working);
  }

  #advance(input: LoopInput): void {
    const { touchedBy, isDeployed, setsDirectly } = this.#tasks;
    const { state, decisions } = advanceLoop(this.#state, input, {
      now: performance.now(),
      touchedBy,
      isDeployed,
      setsDirectly,
    });
    this.#state = state;
    for (const decision of decisions) this.#carryOut(decision);
  }

  #carryOut(decision: LoopDecision): void {
    switch (decision.do) {
      case 'report':
        return this.#onEvent(decision.event);
      case 'sync':
        return this.#track(this.#sync(decision.work, decision.ids));
      case 'read':
        return this.#track(this.#read(decision.work));
      case 'deploy':
        return this.#track(this.#deploy(decision.work, decision.force));
      case 'abort':
        return this.#aborts.get(decision.work)?.abort(new SupersededError());
      case 'clear':
        return this.#clearDeployment?.();
      case 'renew':
        return this.#tasks.renew(decision.kinds);
      case 'start-timer':
        return this.#startTimer(decision.timer, decision.ms);
      case 'stop-timer':
        return this.#stopTimer(decision.timer);
    }
  }

  #startTimer(timer: LoopTimer, ms: number): void {
    this.#stopTimer(timer);
    this.#timers.set(
      timer,
      setTimeout(() => this.send({ type: 'timer', timer }), ms),
    );
  }

  #stopTimer(timer: LoopTimer): void {
    clearTimeout(this.#timers.get(timer));
  }

  #track(work: Promise<void>): void {
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  async #sync(work: number, ids: readonly ResourceIdentifier[]): Promise<void> {
    const { signal } = this.#open(work);
    const committed = (): void => {
      if (!signal.aborted) this.send({ type: 'committed', work });
    };
    try {
      this.#close(work, { type: 'synced', work, results: await this.#tasks.sync(ids, { signal, committed }) });
    } catch (error) {
      const failure = this.#tasks.describeError(error);
      const results = ids.map((id) => ({ id, outcome: 'failed' as const, failure }));
      this.#close(work, signal.aborted ? { type: 'aborted', work } : { type: 'synced', work, results });
    }
  }

  async #read(work: number): Promise<void> {
    const { signal } = this.#open(work);
    try {
      this.#close(work, { type: 'read', work, end: await this.#tasks.read() });
    } catch {
      // the deployment reads the same and reports what is wrong
      if (!signal.aborted) this.#close(work, { type: 'read', work, end: { toSync: [], deploy: 'now' } });
    }
  }

  async #deploy(work: number, force: boolean): Promise<void> {
    const { signal } = this.#open(work);
    const context: DeployContext = {
      signal,
      committed: () => this.send({ type: 'committed', work }),
      reserve: (touched) => this.send({ type: 'reserved', touched }),
      cleared: () =>
        new Promise((resolve) => {
          this.#clearDeployment = resolve;
          this.send({ type: 'waiting' });
        }),
      isOutdated: (id) => this.#state.deployment?.outdated.has(id) ?? false,
    };
    try {
      this.#close(work, { type: 'deployed', end: await this.#tasks.deploy({ force }, context) });
    } catch (error) {
      const failure = this.#tasks.describeError(error);
      const end = { outcome: 'failed' as const, failure, causes: [], toSync: [], retryOn: ALL_RESOURCES };
      this.#close(work, signal.aborted ? { type: 'aborted', work } : { type: 'deployed', end });
    }
  }

  #open(work: number): AbortController {
    const abort = createAbort();
    this.#aborts.set(work, abort);
    return abort;
  }

  #close(work: number, end: LoopInput): void {
    this.#aborts.delete(work);
    this.send(end);
  }
}
