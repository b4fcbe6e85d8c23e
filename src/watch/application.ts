import type { BuildInput, BuildResult } from '../builder/artifact.ts';
import { openBuilder } from '../builder/build.ts';
import type { Builder, BuildOutcome, BuildEnvironment } from '../builder/build.ts';
import { openBuildLayout } from '../builder/layout/build-layout.ts';
import type { BuildLayout } from '../builder/layout/build-layout.ts';
import type { ObserveBuild } from '../builder/build-observer.ts';
import { planBuild } from '../builder/plan-build.ts';
import type { BuildDefinition, BuildPlan } from '../builder/plan-build.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { readLayerReferences } from '../model/layer-references.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import { ownValue } from '../support/own-value.ts';
import { whyNotSynced } from '../sync/code/locate-resources.ts';
import { openCodeSync } from '../sync/code/open-code-sync.ts';
import type { CodeSync } from '../sync/code/open-code-sync.ts';
import { selectResources } from '../sync/code/select-resources.ts';
import { listSyncResources } from '../sync/code/sync-resource.ts';
import { buildOptionsOf } from '../sync/build-options-of.ts';
import { readAsDeployed } from '../sync/prepare.ts';
import type { Prepared } from '../sync/prepare.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { mapOf } from '../template/template.ts';
import type { Template } from '../template/template.ts';
import { createRunProblems } from './work/run-problems.ts';
import { SupersededError } from './loop/watch-tasks.ts';

/** What a watched application consists of, as far as the code syncs are concerned. Follows from its templates. */
export interface Resources {
  root: Stack;
  /** What is synced: syncable, and asked for. */
  selected: ReadonlySet<ResourceIdentifier>;
  /** How a change is brought (`TriggerInput.wayOf`). */
  wayOf(id: ResourceIdentifier): 'code' | 'deploy' | undefined;
  /** What a code sync of the resource changes, and what it builds. */
  touchedBy(id: ResourceIdentifier): ReadonlySet<string>;
}

/** Tells what the application now is made of. */
export interface ApplicationListener {
  /** Other paths matter now. `since` (ms since the epoch): what was changed after that nobody has seen. */
  onSources(since: number): void;
  onResources(resources: Resources): void;
  observe: ObserveBuild;
}

/** What is kept of a watched application between syncs: nothing is read, hashed or connected twice. */
export class Application {
  run: SyncRun;
  readonly listener: ApplicationListener;
  /** What the session began with, and the stack as it was found last. */
  prepared: Prepared | undefined;
  /** What was read when the session began and nobody has used yet. */
  #freshRoot: Stack | undefined;
  #freshState: DeployedState | undefined;
  resources: Resources | undefined;
  /** The templates as they were deployed last in this session. */
  deployedRoot: Stack | undefined;
  /** Templates and included files. */
  templateFiles: ReadonlySet<string> = new Set();
  readonly inputs = new Map<ResourceIdentifier, readonly BuildInput[]>();
  /** What the cloud surely has of a resource, because we brought it: the folders that were built. */
  readonly brought = new Map<ResourceIdentifier, string>();
  readonly runProblems = createRunProblems();
  #builder: Builder | undefined;
  #layout: BuildLayout | undefined;
  #codeSync: Promise<CodeSync> | undefined;
  #onBuilt: BuildEnvironment['onBuilt'];
  readonly #said = new Set<string>();

  constructor(run: SyncRun, listener: ApplicationListener) {
    this.run = run;
    this.listener = listener;
  }

  /** Other options hold from now on. */
  setRun(run: SyncRun): void {
    // the bucket is chosen again
    if (this.prepared && run.options.s3Bucket !== this.run.options.s3Bucket)
      this.prepared = { ...this.prepared, bucket: '', checkBucket: undefined };
    this.run = run;
    this.#builder = undefined;
    this.#layout = undefined;
    this.#codeSync = undefined;
    this.brought.clear();
  }

  /** The session begins: cloud and templates were read, these `files` of them. `since`: before they were (ms since the epoch). */
  begin(prepared: Prepared, files: ReadonlySet<string>, since: number): void {
    // a stack that this session was the first to create may be removed when that fails
    this.prepared = { ...prepared, recreate: prepared.recreate || prepared.deployed.stack === undefined };
    this.#freshRoot = prepared.root;
    this.#freshState = prepared.deployed;
    this.templateFiles = files;
    this.#setRoot(prepared.root, since);
  }

  /** Before the session has begun: what has to change before it can. */
  setTemplateFiles(files: ReadonlySet<string>, since: number): void {
    this.templateFiles = files;
    this.listener.onSources(since);
  }

  /** The templates as they are now. What they are made of is watched, also if they cannot be understood. */
  async readTemplates(): Promise<Stack> {
    const fresh = this.#freshRoot;
    this.#freshRoot = undefined;
    if (fresh) return fresh;
    const since = Date.now();
    const files = new Set<string>();
    const { region, deployed } = this.requirePrepared();
    try {
      const root = await readAsDeployed(this.quietRun(), {
        region,
        stack: async () => deployed.stack,
        onRead: (file) => void files.add(file),
      });
      this.templateFiles = files;
      this.#setRoot(root, since);
      return root;
    } catch (error) {
      this.templateFiles = new Set([...this.templateFiles, ...files]);
      this.listener.onSources(since);
      throw error;
    }
  }

  /** The state of the stack as the session found it, for the first one who asks. */
  takeDeployedState(): DeployedState | undefined {
    const fresh = this.#freshState;
    this.#freshState = undefined;
    return fresh;
  }

  /** The stack now is as these templates say. It may be another one of that name than before. */
  noteDeployed(root: Stack, stack: DeployedStack | undefined): void {
    this.deployedRoot = root;
    const prepared = this.requirePrepared();
    this.prepared = { ...prepared, deployed: { ...prepared.deployed, stack } };
  }

  /** Whether the resource is in the stack, as far as we know. */
  isDeployed(id: ResourceIdentifier): boolean {
    if (this.run.options.code) return true;
    const names = id.split('/');
    if (this.deployedRoot) return hasResource(this.deployedRoot, names);
    return hasEntry(this.prepared?.deployed.template, names[0]);
  }

  requirePrepared(): Prepared {
    if (!this.prepared) throw new Error('the session has not begun');
    return this.prepared;
  }

  requireResources(): Resources {
    if (!this.resources) throw new Error('the session has not begun');
    return this.resources;
  }

  #setRoot(root: Stack, since: number): void {
    this.resources = readResources(root, this.run);
    for (const id of this.inputs.keys()) if (this.resources.wayOf(id) === undefined) this.inputs.delete(id);
    for (const id of this.brought.keys()) if (!this.resources.selected.has(id)) this.brought.delete(id);
    this.listener.onResources(this.resources);
    this.listener.onSources(since);
  }

  /** The run, but warnings that are repeated with each save are said once. */
  quietRun(): SyncRun {
    const { reporter } = this.run.environment;
    const report: Reporter['report'] = (event) => {
      if (event.type === 'note' && event.level === 'warning') this.sayOnce('warning', event.text);
      else reporter.report(event);
    };
    return { ...this.run, environment: { ...this.run.environment, reporter: { report } } };
  }

  /** Code syncs whose knowledge of the cloud is kept. */
  codeSync(): Promise<CodeSync> {
    const { stack } = this.prepared?.deployed ?? {};
    return (this.#codeSync ??= openCodeSync({ ...this.run, described: stack }));
  }

  /** The credentials or the network may be others: calls that wait for the old ones are given up. */
  forgetCodeSync(): void {
    this.#codeSync = undefined;
  }

  /** Where other commands find what was built. */
  layout(): BuildLayout {
    return (this.#layout ??= openBuildLayout(buildOptionsOf(this.run)));
  }

  /** Builds with what earlier builds learned, and remembers what was built of what. */
  async build(plan: BuildPlan, signal: AbortSignal, onBuilt?: BuildEnvironment['onBuilt']): Promise<BuildOutcome> {
    const started = Date.now();
    const { reporter, signal: all } = this.run.environment;
    this.#builder ??= openBuilder({
      reporter,
      signal: all,
      options: buildOptionsOf(this.run),
      onBuilt: (...args) => this.#onBuilt?.(...args),
      observe: this.listener.observe,
    });
    this.#onBuilt = onBuilt ?? this.#onBuilt;
    try {
      const outcome = await this.#buildUnlessOthersGiveUp(this.#builder, plan, signal);
      this.#rememberInputs(outcome.result, started);
      this.runProblems.note(outcome.result);
      return outcome;
    } finally {
      if (onBuilt) this.#onBuilt = undefined;
    }
  }

  /** Says each text once, however often a build repeats it. */
  sayOnce(level: 'debug' | 'info' | 'warning', text: string, hint?: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    note(this.run.environment.reporter, level, text, hint);
  }

  /** Two builds may wait for the same thing, which is given up when the one that began it is. */
  async #buildUnlessOthersGiveUp(builder: Builder, plan: BuildPlan, signal: AbortSignal): Promise<BuildOutcome> {
    for (;;) {
      try {
        return await builder.build(plan, signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof SupersededError)) throw error;
      }
    }
  }

  #rememberInputs({ inputs }: BuildResult, since: number): void {
    let changed = false;
    for (const [id, now] of inputs) {
      if (JSON.stringify(this.inputs.get(id)) === JSON.stringify(now)) continue;
      this.inputs.set(id, now);
      changed = true;
    }
    if (changed) this.listener.onSources(since);
  }
}

/** Whether the application has the resource: its identifier, split at `/`. */
function hasResource(stack: Stack, [name, ...rest]: readonly string[]): boolean {
  if (rest.length === 0) return hasEntry(stack.source, name);
  const child = stack.children.find(({ logicalId }) => logicalId === name);
  return child !== undefined && hasResource(child, rest);
}

function hasEntry(template: Template | undefined, name = ''): boolean {
  return ownValue(mapOf(template?.['Resources']), name) !== undefined;
}

/** The resources of the templates, and how they hang together. */
function readResources(root: Stack, run: SyncRun): Resources {
  const { resourceIds, resourceTypes } = run.options;
  const { resources, failures } = selectResources(root, { ids: resourceIds, types: resourceTypes });
  for (const { error = '', hint } of failures) note(run.environment.reporter, 'warning', error, hint);
  const syncable = new Set(
    listSyncResources(root).flatMap((item) => (whyNotSynced(item) === undefined ? [item.id] : [])),
  );
  const selected = new Set(resources.flatMap(({ id }) => (syncable.has(id) ? [id] : [])));
  const { definitions } = planBuild(root, buildOptionsOf(run));
  const touched = touchedByAll(root, definitions);
  return {
    root,
    selected,
    wayOf: (id) => {
      if (selected.has(id)) return 'code';
      return syncable.has(id) || run.options.code ? undefined : 'deploy';
    },
    touchedBy: (id) => touched.get(id) ?? new Set([id]),
  };
}

/** Each resource with what its sync changes; builds that are shared stand for themselves. */
function touchedByAll(root: Stack, definitions: readonly BuildDefinition[]): Map<ResourceIdentifier, Set<string>> {
  const touched = new Map<ResourceIdentifier, Set<string>>();
  const add = (id: ResourceIdentifier, what: string): void => {
    touched.set(id, (touched.get(id) ?? new Set([id])).add(what));
  };
  const layers = listSyncResources(root).filter(({ kind }) => kind === 'layer');
  for (const [fn, references] of readLayerReferences(root)) {
    for (const reference of references) {
      if (reference === 'unknown') for (const { id } of layers) add(id, fn);
      else if (reference !== 'other') add(reference.layer, fn);
    }
  }
  for (const { ids, key } of definitions) {
    if (ids.length > 1) for (const id of ids) add(id, `build ${key}`);
  }
  return touched;
}
