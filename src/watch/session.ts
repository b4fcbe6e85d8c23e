import * as path from 'node:path';
import { note } from '../console/reporter.ts';
import type { StackOutput } from '../console/reporter.ts';
import { InterruptedError, TemplateError } from '../errors.ts';
import { prepare } from '../sync/prepare.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { Application } from './application.ts';
import type { Resources } from './application.ts';
import { deployChanges } from './work/deploy-task.ts';
import { explainFailure } from './work/watch-failures.ts';
import { createFollowUp } from './loop/follow-up.ts';
import type { FollowUp } from './loop/follow-up.ts';
import { createLogTail } from './logs/log-switch.ts';
import type { LogTail } from './logs/log-switch.ts';
import { prepareCode } from './prepare-code.ts';
import { readChangedOptions } from './read-changed-options.ts';
import { reportLoopEvent } from './report-loop-event.ts';
import { watchSources } from './sources/source-watch.ts';
import type { SourceChange, SourceWatch } from './sources/source-watch.ts';
import { syncResources } from './work/sync-task.ts';
import { WatchLoop } from './loop/watch-loop.ts';
import type { DeployEnd, DeployContext, LoopEvent, WatchTasks } from './loop/watch-tasks.ts';

/** Files that one note names. */
const MOST_NAMES = 5;

/** What made the next deployment necessary, beside templates. */
interface Reasons {
  options: boolean;
  files: boolean;
}

/** One run of `--watch`: puts together who watches, who decides, who brings, and who shows it. */
export class WatchSession {
  readonly #run: SyncRun;
  readonly #application: Application;
  readonly #loop: WatchLoop;
  readonly #followUp: FollowUp;
  readonly #sources: SourceWatch;
  readonly #logs: LogTail;
  readonly #started = performance.now();
  #optionFiles: readonly string[];
  #keys: { close(): void } | undefined;
  #reasons: Reasons = { options: false, files: true };
  #lastDeployFailed = false;
  #isReady = false;
  #isEnding = false;
  #outputs: readonly StackOutput[] = [];
  #shownIds = '';
  /** What goes on in the cloud although we end. */
  readonly #goingOn = new Set<string>();
  /** Before the session has begun: somebody waits for a change. */
  #onFirstChange: ((change: SourceChange) => void) | undefined;

  constructor(run: SyncRun) {
    this.#run = run;
    this.#optionFiles = run.environment.watch?.optionFiles ?? [];
    this.#application = new Application(run, {
      onSources: (since) => this.#followSources(since),
      onResources: (resources) => this.#noteResources(resources),
      observe: (build) => this.#sources.observe(build),
    });
    this.#followUp = createFollowUp(() => this.#loop.deployNow());
    this.#loop = new WatchLoop(this.#tasks(), { onEvent: (event) => this.#onLoopEvent(event) });
    this.#sources = watchSources(run, {
      onChange: (change) => this.#onChange(change),
      onOwn: (ids, files) => this.#warnOfOwn(ids, files),
    });
    this.#logs = createLogTail(this.#application);
  }

  /** Reaches the cloud, reads the templates and begins. false: the user said no. */
  async begin(): Promise<boolean> {
    for (;;) {
      const since = Date.now();
      const files = new Set<string>();
      const onRead = (file: string): void => void files.add(file);
      const { run } = this.#application;
      try {
        const prepared = await (run.options.code
          ? prepareCode(run, onRead)
          : prepare(run, { onRead, askForBucket: true }));
        if (prepared === undefined) return false;
        this.#application.begin(prepared, files, since);
        this.#loop.changed([], true);
        return true;
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        this.#report({ type: 'stack-state', state: 'failed', failure: explainFailure(error) });
        await this.#firstChange(files, since);
      }
    }
  }

  /** Gives up what can be given up, and says what goes on. */
  async end(withinMs: number): Promise<void> {
    this.#isEnding = true;
    this.#keys?.close();
    this.#logs.stop();
    this.#followUp.stop();
    this.#sources.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([this.#loop.end(this.#run.environment.signal.reason), late]);
    clearTimeout(timer);
    const goingOn = [...this.#goingOn].join(' ') || undefined;
    if (this.#shownIds !== '') this.#report({ type: 'watch-stopped', goingOn });
  }

  get #report(): SyncRun['environment']['reporter']['report'] {
    const { reporter } = this.#run.environment;
    return (event) => reporter.report(event);
  }

  #tasks(): WatchTasks {
    const application = this.#application;
    return {
      sync: async (ids, task) => application.runProblems.addTo(await syncResources(application, ids, task)),
      deploy: ({ force }, task) => this.#deploy(force, task),
      touchedBy: (id) => application.requireResources().touchedBy(id),
      isDeployed: (id) => application.isDeployed(id),
      renew: (kinds) => {
        if (!kinds.has('credentials')) return;
        this.#run.aws.renew();
        application.forgetCodeSync();
      },
    };
  }

  async #deploy(force: boolean, task: DeployContext): Promise<DeployEnd> {
    const reasons = this.#reasons;
    this.#reasons = { options: false, files: false };
    let isDone = false;
    try {
      if (reasons.options && (await this.#takeOptions())) reasons.files = true;
      const onlyTemplates = !reasons.files && !this.#lastDeployFailed;
      const end = await deployChanges(this.#application, task, {
        force,
        onlyTemplates,
        onUpdate: () => this.#report({ type: 'stack-state', state: 'updating' }),
        onOutputs: (outputs) => this.#noteOutputs(outputs),
      });
      isDone = end.outcome !== 'failed';
      this.#lastDeployFailed = !isDone;
      return end.outcome === 'failed'
        ? end
        : { ...end, results: await this.#application.runProblems.addTo(end.results) };
    } catch (error) {
      if (error instanceof InterruptedError) this.#goingOn.add([error.message, error.hint].filter(Boolean).join('. '));
      if (task.signal.aborted) throw error;
      this.#lastDeployFailed = true;
      return { outcome: 'failed', failure: explainFailure(error), culprits: [], toSync: [], effects: () => false };
    } finally {
      if (!isDone) {
        this.#reasons = {
          options: this.#reasons.options || reasons.options,
          files: this.#reasons.files || reasons.files,
        };
      }
    }
  }

  /** The options as their files say now; whether they are others. */
  async #takeOptions(): Promise<boolean> {
    const { watch } = this.#run.environment;
    if (!watch) return false;
    const { run } = this.#application;
    const { options, files, isChanged, warnings } = await readChangedOptions(run.options, watch);
    this.#optionFiles = files;
    for (const text of warnings) this.#application.sayOnce('warning', text);
    if (!isChanged) return false;
    this.#application.setRun({ ...run, options });
    if (this.#isReady && options.tail !== run.options.tail) this.#logs.show(options.tail);
    return true;
  }

  #onChange(change: SourceChange): void {
    if (this.#onFirstChange) return this.#onFirstChange(change);
    const { effects, files, mayHaveMissed } = change;
    const { ids, deploy, templates, options } = effects;
    const { selected } = this.#application.requireResources();
    const changed = [...new Set([...ids, ...(mayHaveMissed ? [...selected].filter(mayHaveMissed) : [])])];
    if (changed.length === 0 && !deploy && !templates && !options) return;
    this.#reasons.options ||= options;
    this.#reasons.files ||= deploy;
    const names = files.map((file) => this.#nameOf(file));
    this.#report({ type: 'watch-change', files: names, ids: changed, templates, options });
    this.#loop.changed(changed, deploy || templates || options || mayHaveMissed !== undefined);
  }

  /** The templates could not be understood: waits until they, or the options, are others. */
  async #firstChange(files: ReadonlySet<string>, since: number): Promise<void> {
    const { signal } = this.#run.environment;
    const change = await new Promise<SourceChange>((resolve, reject) => {
      this.#onFirstChange = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#application.setTemplateFiles(files, since);
    });
    this.#onFirstChange = undefined;
    if (change.effects.options) await this.#takeOptions();
  }

  #followSources(since: number): void {
    const { resources, inputs, templateFiles, run } = this.#application;
    this.#sources.follow(
      {
        root: resources?.root,
        wayOf: (id) => resources?.wayOf(id),
        built: inputs,
        templateFiles: [...templateFiles],
        optionFiles: this.#optionFiles,
        excludes: run.options.watchExclude,
      },
      since,
    );
  }

  #noteResources({ selected }: Resources): void {
    this.#loop.keepOnly(selected);
    const ids = [...selected];
    const shown = JSON.stringify(ids);
    if (shown === this.#shownIds) return;
    this.#shownIds = shown;
    this.#report({ type: 'watch-resources', stackName: this.#application.run.options.stackName, ids });
  }

  #noteOutputs(outputs: readonly StackOutput[]): void {
    const isNew = JSON.stringify(outputs) !== JSON.stringify(this.#outputs);
    this.#outputs = outputs;
    if (isNew) this.#showOutputs();
  }

  #showOutputs(): void {
    const { stackName } = this.#application.run.options;
    this.#report({ type: 'outputs', stackName, outputs: [...this.#outputs] });
  }

  #onLoopEvent(event: LoopEvent): void {
    reportLoopEvent(this.#run.environment.reporter, event);
    if (!this.#application.run.options.code) this.#followUp.note(event);
    if (event.type === 'updating')
      for (const id of event.ids) this.#goingOn.add(`${id} may still be updated in the cloud.`);
    if (event.type === 'ended') this.#goingOn.delete(`${event.resource.id} may still be updated in the cloud.`);
    if (event.type === 'deploy-ended' && !this.#isReady && !this.#isEnding) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#isReady = true;
    const { selected } = this.#application.requireResources();
    const ms = performance.now() - this.#started;
    this.#report({ type: 'watch-ready', resources: selected.size, folders: this.#sources.folders, ms });
    this.#keys = this.#run.environment.watch?.openKeys((key) => this.#onKey(key));
    this.#logs.show(this.#application.run.options.tail);
  }

  #onKey(key: string): void {
    switch (key) {
      case 'r':
        this.#application.brought.clear();
        return this.#loop.syncAll(this.#application.requireResources().selected);
      case 'd':
        return this.#loop.deployNow();
      case 'l':
        return this.#logs.toggle();
      case 'o':
        return this.#showOutputs();
      case 'q':
        return this.#run.environment.watch?.interrupt();
      case '?':
      case 'h':
        return this.#report({ type: 'watch-help' });
      default:
    }
  }

  #warnOfOwn(ids: readonly string[], files: readonly string[]): void {
    const names = files.slice(0, MOST_NAMES).map((file) => this.#nameOf(file));
    const more = files.length > names.length ? ` and ${files.length - names.length} more` : '';
    const [id = ''] = ids;
    note(
      this.#run.environment.reporter,
      'warning',
      `Each build of ${ids.join(', ')} changes its own source: ${names.join(', ')}${more}. It is built again with the next save, and less and less often without one.`,
      `Leave it out with --watch-exclude ${id}=PATTERN; r syncs at once.`,
    );
  }

  /** How a file is shown: below the project as seen from there. */
  #nameOf(file: string): string {
    const relative = path.relative(this.#run.options.projectDir, file);
    return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
  }
}
