import { timed } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { oncePerName } from '../support/once.ts';
import type { DefinitionResult } from './build-definition.ts';
import type { BuildObserver } from './build-observer.ts';
import type { BuildInput } from './build-result.ts';
import type { BuildCache, CacheEntry, KnownEntry } from './cache/build-cache.ts';
import { madeAt } from './cache/cache-entries.ts';
import type { BuildStart } from './cache/input-stamp.ts';
import type { EntryKind } from './cache/remove-unused.ts';
import type { BuildMemory, BuildSettings, RememberedBuild } from './cache/build-memory.ts';
import { decisiveVariables } from './decisive-variables.ts';
import type { BuildDefinition } from './plan-build.ts';
import type { Tools } from './tools/tools.ts';
import { loadWorkflow } from './workflows/load-workflow.ts';
import type { PreparedBuild } from './workflows/workflow.ts';

/** What finding and remembering builds needs. */
export interface RecallContext {
  memory: BuildMemory | undefined;
  cache: BuildCache;
  /** The tools of this machine, as all builds of this run share them. */
  tools: Tools;
  reporter: Reporter;
}

/** A build of an earlier run whose inputs are the same. */
export interface RecalledBuild {
  result: DefinitionResult;
  inputs: readonly BuildInput[];
  label: string;
}

/** Returns what an earlier run built of the same inputs, without preparing it; undefined: prepare it. */
export async function recallBuild(
  definition: BuildDefinition,
  { memory, cache, tools, reporter }: RecallContext,
  observer: BuildObserver | undefined,
): Promise<RecalledBuild | undefined> {
  if (memory === undefined) return undefined;
  const settings = await settingsOf(definition, tools);
  if (settings === undefined) return undefined;
  observer?.beforeSource();
  const span = { kind: 'hash', label: definition.ids.join(', '), ids: definition.ids } as const;
  const known = await timed(reporter, span, async () => memory.find(definition, settings));
  if (known === undefined) return undefined;
  const { isRecent, hasLayer, layerSkipped, inputs, label } = known;
  const artifact = await findKnown(cache, 'artifacts', known.artifact, isRecent);
  const installed = known.installed && (await findKnown(cache, 'deps', known.installed, isRecent));
  if (artifact === undefined || (known.installed && installed === undefined)) return undefined;
  if (!isRecent) memory.touch(definition);
  await cache.keepNewest(definition.key, artifact.key);
  const dependencyLayer = hasLayer ? installed : undefined;
  const result = { artifact, dependencyLayer, installed, layerSkipped, isVerified: false, sourceKey: undefined };
  return { result, inputs, label };
}

/** Finds an entry again, and records its use once an hour. */
async function findKnown(
  cache: BuildCache,
  kind: EntryKind,
  known: KnownEntry,
  isRecent: boolean,
): Promise<CacheEntry | undefined> {
  const entry = cache.confirm(kind, known);
  return entry === undefined || isRecent ? entry : cache.find(kind, known.key);
}

/** A build that was found in the cache, and when its preparation began. */
interface FoundBuild {
  prepared: PreparedBuild;
  result: DefinitionResult;
  start: BuildStart;
}

/** Remembers a build for later runs, if its inputs decide it. One that was made just now may have more to report the next time. */
export async function rememberBuild(
  definition: BuildDefinition,
  { prepared, result, start }: FoundBuild,
  { memory, tools }: Pick<RecallContext, 'memory' | 'tools'>,
): Promise<void> {
  const { artifact, installed, layerSkipped } = result;
  if (memory === undefined || prepared.isDecidedByInputs !== true || !artifact.cached || installed?.cached === false)
    return;
  const settings = await settingsOf(definition, tools);
  const [known, knownPackages] = [knownOf(artifact), installed && knownOf(installed)];
  if (settings === undefined || known === undefined || (installed && knownPackages === undefined)) return;
  const build: RememberedBuild = {
    artifact: known,
    installed: knownPackages,
    hasLayer: result.dependencyLayer !== undefined,
    inputs: await prepared.inputs(),
    label: prepared.label,
    layerSkipped,
  };
  memory.add(definition, settings, { ...build, start });
}

function knownOf({ key, facts, path: content }: CacheEntry): KnownEntry | undefined {
  const made = madeAt(content);
  return made === undefined ? undefined : { key, facts, made };
}

/** Settings by the tools of a run. */
const settingsByTools = new WeakMap<Tools, Map<string, Promise<BuildSettings | undefined>>>();

/** Everything that decides a build besides its definition and its inputs, once for each run; undefined: not known before it is prepared. */
async function settingsOf(definition: BuildDefinition, tools: Tools): Promise<BuildSettings | undefined> {
  // a container has settings of its own
  if (definition.container !== undefined || definition.workflow === undefined) return undefined;
  const known = settingsByTools.get(tools) ?? new Map<string, Promise<BuildSettings | undefined>>();
  settingsByTools.set(tools, known);
  return oncePerName(known, definition.workflow, async () => {
    const { name, version, settings } = await loadWorkflow(definition);
    return settings && [name, version, decisiveVariables(name, tools.env), await settings(tools)];
  });
}
