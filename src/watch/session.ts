import { TemplateError } from '../errors.ts';
import { openApplication, openDeployedApplication } from '../sync/open-application.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { initialSnapshot, requireResources, withPrepared, withUndeployed } from './application-snapshot.ts';
import type { ApplicationSnapshot } from './application-snapshot.ts';
import { createKeyAnswers } from './key-answers.ts';
import type { KeyAnswers } from './key-answers.ts';
import { createLogSwitch } from './logs/log-switch.ts';
import type { LogSwitch } from './logs/log-switch.ts';
import { LoopRunner } from './loop/loop-runner.ts';
import type { LoopEvent } from './loop/results.ts';
import { createMemoryRelease, optimizeFor } from './memory.ts';
import type { MemoryRelease } from './memory.ts';
import { createNotesOnce } from './notes-once.ts';
import { describeAhead, projectPath, reportLoopEvent, reportReplaced, warnOfOwnWrites } from './session-reports.ts';
import { watchSources } from './sources/source-watch.ts';
import type { SourceChange, SourceWatch } from './sources/source-watch.ts';
import type { TriggerInput } from './sources/triggers.ts';
import { openWatchTools } from './watch-tools.ts';
import type { WatchedApplication } from './watched-application.ts';
import { createUiSwitch } from './ui/ui-switch.ts';
import type { UiSwitch } from './ui/ui-switch.ts';
import { prepareSync } from './work/prepare-sync.ts';
import { useTemplates } from './work/read-templates.ts';
import { showOffer } from './work/show-offer.ts';
import { hasSameOptions, takeOptions } from './work/take-options.ts';
import { createTasks } from './work/tasks.ts';
import { describeFailure } from './work/watch-failures.ts';

/** One run of `--watch`: connects the watched files, the loop, the tasks and the view, and holds the application's snapshot. */
export class WatchSession {
  readonly #run: SyncRun;
  readonly #application: WatchedApplication;
  readonly #loop: LoopRunner;
  readonly #sources: SourceWatch;
  readonly #logs: LogSwitch;
  readonly #ui: UiSwitch;
  readonly #answers: KeyAnswers;
  readonly #memory: MemoryRelease;
  readonly #started = performance.now();
  #snapshot: ApplicationSnapshot;
  #phase: 'starting' | 'ready' | 'ending' = 'starting';
  #onChange: (change: SourceChange) => void = (change) => this.#filterChange(change);
  #keys: { close(): void } | undefined;

  constructor(run: SyncRun) {
    this.#run = run;
    const openTools = (options: SyncRun): ReturnType<typeof openWatchTools> =>
      openWatchTools(options, (build) => this.#sources.observe(build));
    this.#snapshot = initialSnapshot(run, openTools(run));
    const snapshot = (): ApplicationSnapshot => this.#snapshot;
    this.#application = {
      get snapshot() {
        return snapshot();
      },
      replace: (change, readSince) => this.#replace(change(this.#snapshot), readSince),
      notes: createNotesOnce(run.environment.reporter),
      openTools,
    };
    this.#loop = new LoopRunner(createTasks(this.#application), { onEvent: (event) => this.#onLoopEvent(event) });
    this.#memory = createMemoryRelease(() => this.#loop.isIdle);
    this.#sources = watchSources(run, {
      onFirst: (ids, file) => this.#loop.isIdle && prepareSync(this.#snapshot, ids, file),
      onChange: (change) => this.#onChange(change),
      onOwn: (ids, files) => warnOfOwnWrites(run, ids, files),
    });
    this.#logs = createLogSwitch(this.#application);
    const requested = { sync: () => this.#syncAll(), deploy: () => this.#deploy() };
    this.#ui = createUiSwitch(this.#application, requested);
    this.#answers = createKeyAnswers(run.environment.reporter, () => this.#snapshot.run.options.stackName);
  }

  /** Reaches the cloud, reads the templates and requests the first deployment. false: the user answered no. */
  async begin(): Promise<boolean> {
    if (this.#run.options.ui) this.#ui.open();
    for (;;) {
      const readSince = Date.now();
      const files = new Set<string>();
      const onRead = (file: string): void => void files.add(file);
      const { run } = this.#snapshot;
      try {
        const prepared = await (run.options.code
          ? openDeployedApplication(run, { onRead })
          : openApplication(run, { onRead, askForBucket: true }));
        if (prepared === undefined) return false;
        this.#replace(withPrepared(this.#snapshot, prepared));
        useTemplates(this.#application, prepared.root, { files, readSince });
        optimizeFor(requireResources(this.#snapshot).watched.length);
        this.#loop.send({ type: 'changed', ids: [], deploy: true });
        return true;
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        this.#report({ type: 'stack-state', state: 'failed', failure: describeFailure(error) });
        await this.#firstChange(files, readSince);
      }
    }
  }

  /** Aborts what can be aborted and reports what goes on in the cloud. */
  async end(withinMs: number): Promise<void> {
    this.#phase = 'ending';
    this.#memory.close();
    this.#keys?.close();
    this.#logs.turn(false);
    this.#sources.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    const ended = [this.#loop.end(this.#run.environment.signal.reason), this.#snapshot.tools.close()];
    await Promise.race([Promise.all(ended), late]);
    clearTimeout(timer);
    const updates = [...this.#loop.updating].map((id) => `${id} may still be updated in the cloud.`);
    const { leftDeployment, resources } = this.#snapshot;
    const behind = describeAhead(this.#snapshot);
    const goingOn = [...updates, leftDeployment, behind].filter(Boolean).join(' ') || undefined;
    if (resources) this.#report({ type: 'watch-stopped', goingOn });
    this.#ui.close();
  }

  get #report(): SyncRun['environment']['reporter']['report'] {
    const { reporter } = this.#run.environment;
    return (event) => reporter.report(event);
  }

  /** Puts the next snapshot in place; loop, watched files and view follow it. */
  #replace(next: ApplicationSnapshot, readSince?: number): void {
    const before = this.#snapshot;
    if (next === before) return;
    this.#snapshot = next;
    if (next.resources && next.resources !== before.resources) {
      const { selected, settable, webFunctions } = next.resources;
      this.#loop.send({ type: 'resources', ids: new Set([...selected, ...settable, ...webFunctions]) });
    }
    reportReplaced(this.#run.environment.reporter, before, next);
    const { tail } = next.run.options;
    if (this.#phase === 'ready' && tail !== before.run.options.tail) this.#logs.turn(tail);
    if (next.run.options.ui && !before.run.options.ui) this.#ui.open();
    if (readSince !== undefined) this.#sources.follow(sourcesOf(next), readSince);
  }

  /**
   * Drops a change of the configuration that changes no option, also if code was saved with it. Options that a running
   * deployment reads are left to it.
   */
  #filterChange(change: SourceChange): void {
    const { ids, deploy, set, templates, options } = change.effects;
    const isForStack = deploy || set || templates || change.mayHaveMissed !== undefined;
    if (!options || isForStack || !this.#loop.isIdle) return this.#handleChange(change);
    const isOption = (file: string): boolean => this.#snapshot.optionFiles.includes(file);
    if (ids.size > 0) {
      const files = change.files.filter((file) => !isOption(file));
      this.#handleChange({ ...change, files, effects: { ...change.effects, options: false } });
    }
    const effects = { ...change.effects, ids: new Set<ResourceIdentifier>() };
    void this.#handleConfiguration({ ...change, files: change.files.filter(isOption), effects });
  }

  async #handleConfiguration(change: SourceChange): Promise<void> {
    const isSame = await hasSameOptions(this.#application);
    if (!isSame && this.#phase !== 'ending') this.#handleChange(change);
  }

  #handleChange({ effects, files, mayHaveMissed }: SourceChange): void {
    const { deploy, set, templates, options } = effects;
    const { watched, syncMethod } = requireResources(this.#snapshot);
    const missed = mayHaveMissed ? watched.filter((id) => syncMethod(id) === 'code' && mayHaveMissed(id)) : [];
    const ids = [...new Set([...effects.ids, ...missed])];
    if (ids.length === 0 && !deploy && !set && !templates && !options) return;
    this.#replace(withUndeployed(this.#snapshot, { options, values: set, beyondTemplates: deploy }));
    const names = files.map((file) => projectPath(this.#run, file));
    this.#report({ type: 'watch-change', files: names, ids, templates, options });
    const isForStack = deploy || set || templates || options || mayHaveMissed !== undefined;
    this.#loop.send({ type: 'changed', ids, deploy: isForStack });
  }

  /** The templates could not be parsed: waits until they or the options change. */
  async #firstChange(templateFiles: ReadonlySet<string>, readSince: number): Promise<void> {
    const { signal } = this.#run.environment;
    const change = await new Promise<SourceChange>((resolve, reject) => {
      this.#onChange = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#replace({ ...this.#snapshot, templateFiles }, readSince);
    });
    this.#onChange = (later) => this.#filterChange(later);
    if (change.effects.options) await takeOptions(this.#application);
  }

  #onLoopEvent(event: LoopEvent): void {
    reportLoopEvent(this.#run.environment.reporter, event);
    this.#answers.onLoopEvent(event);
    if (event.type !== 'deploy-ended') return;
    if (this.#phase === 'starting') this.#becomeReady();
    this.#memory.request();
  }

  #becomeReady(): void {
    this.#phase = 'ready';
    const { watched } = requireResources(this.#snapshot);
    const ms = performance.now() - this.#started;
    this.#report({ type: 'watch-ready', resources: watched.length, folders: this.#sources.folders, ms });
    this.#keys = this.#run.environment.watch?.openKeys((key) => this.#onKey(key));
    this.#logs.turn(this.#snapshot.run.options.tail);
  }

  #deploy(): void {
    if (this.#phase !== 'ready') return;
    this.#answers.deploying();
    this.#loop.send({ type: 'deploy-requested' });
  }

  #syncAll(): void {
    if (this.#phase !== 'ready') return;
    const ids = [...requireResources(this.#snapshot).selected];
    this.#answers.comparing(ids);
    this.#replace({ ...this.#snapshot, synced: new Map() });
    this.#loop.send({ type: 'sync-requested', ids });
  }

  #onKey(key: string): void {
    switch (key) {
      case 'r':
        return this.#syncAll();
      case 'd':
        return this.#deploy();
      case 'l':
        return this.#logs.toggle();
      case 'o':
        return void showOffer(this.#application);
      case 'u':
        return this.#ui.open();
      case 'q':
        return this.#run.environment.watch?.interrupt();
      case '?':
      case 'h':
        return this.#report({ type: 'watch-help' });
      default:
    }
  }
}

/** What to watch for this snapshot. */
function sourcesOf({ resources, inputs, templateFiles, optionFiles, run }: ApplicationSnapshot): TriggerInput {
  return {
    root: resources?.root,
    syncMethod: (id) => resources?.syncMethod(id),
    built: inputs,
    templateFiles: [...templateFiles],
    optionFiles,
    excludes: run.options.watchExclude,
  };
}
