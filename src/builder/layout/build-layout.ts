import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import * as path from 'node:path';
import { flattenStacks, splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { createGate } from '../../support/map-limit.ts';
import { buildLayoutDir, buildStoreDir } from '../build-options.ts';
import type { BuildOptions } from '../build-options.ts';
import { layOutTemplates, planBuiltTemplates, stackLayoutDir } from './built-templates.ts';
import type { BuildArtifacts, BuiltTemplates } from './built-templates.ts';
import { dependencyLayerId } from '../dependency-layers/dependency-layer.ts';
import { openLayoutReader } from './read-layout.ts';
import { linkArtifact } from './link-artifacts.ts';
import { openLinkMemory } from './link-memory.ts';
import { isOurLayout } from './own-folders.ts';

/**
 * Writes `.aws-sam/build` (or `auto-dependency-layer`), where SAM CLI's other commands, such as `sam local invoke`, look for the
 * last build: templates, and links to the artifacts in the cache.
 */
export interface BuildLayout {
  /** Lays out a build of the whole application. */
  write(root: Stack, planned: BuiltTemplates): Promise<void>;
  /** Lays out a build of some resources; the rest stays. */
  update(root: Stack, built: BuildArtifacts): Promise<void>;
}

/** Opens the layout of a project. Its writes run one at a time. */
export function openBuildLayout(options: BuildOptions): BuildLayout {
  const inTurn = createGate(1);
  const memory = openLinkMemory(layoutFile(options, 'links'));
  const keys = new WeakMap<Stack, string>();
  /** Identifies what the templates were made of, and the template file as we wrote it. */
  const recordOf = (root: Stack): string => {
    const key = keys.get(root) ?? keyOfStacks(root);
    keys.set(root, key);
    return `${key} ${stampOf(path.join(buildLayoutDir(options), 'template.yaml'))}\n`;
  };
  const write: BuildLayout['write'] = async (root, planned) => {
    await layOutTemplates(planned, options, memory);
    const record = recordOf(root);
    if ((await readTextIfExists(recordFile(options))) !== record) await writeFileAtomic(recordFile(options), record);
  };
  const update: BuildLayout['update'] = async (root, built) => {
    if (built.folders.size === 0 && built.images.size === 0) return;
    const hasTemplates =
      (await isOurLayout(options)) && (await readTextIfExists(recordFile(options))) === recordOf(root);
    if (hasTemplates && (await hasSameTemplates(root, built, options))) return linkBuilt(built, options);
    const parts = merge(await openLayoutReader(options).readAll(root), built);
    await write(root, planBuiltTemplates(root, parts, options));
  };
  return {
    write: (root, planned) => inTurn(() => write(root, planned)),
    update: (root, built) => inTurn(() => update(root, built)),
  };
}

function recordFile(options: BuildOptions): string {
  return layoutFile(options, 'templates');
}

/** Returns the file with something that is remembered of the layout. */
function layoutFile(options: BuildOptions, extension: string): string {
  const name = `${path.basename(buildLayoutDir(options))}.${extension}`;
  return path.join(buildStoreDir(options.projectDir), 'layouts', name);
}

function keyOfStacks(root: Stack): string {
  const parts = flattenStacks(root).map(({ path: at, templateFile, codeDir, source, resolved }) => [
    at,
    templateFile,
    codeDir,
    source,
    resolved,
  ]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

/** Whether the templates stay the same with these artifacts. */
async function hasSameTemplates(root: Stack, built: BuildArtifacts, options: BuildOptions): Promise<boolean> {
  const before = await openLayoutReader(options).read(root, new Set(built.folders.keys()));
  return [...built.folders.keys()].every(
    (id) =>
      before.folders.has(id) &&
      before.dependencyLayers.has(id) === built.dependencyLayers.has(id) &&
      before.handlers.get(id) === built.handlers.get(id) &&
      before.sourceMaps.has(id) === built.sourceMaps.has(id),
  );
}

async function linkBuilt(built: BuildArtifacts, options: BuildOptions): Promise<void> {
  for (const [id, { path: folder }] of built.folders) {
    const { stackPath, logicalId } = splitIdentifier(id);
    await linkArtifact(stackLayoutDir(options, stackPath), logicalId, folder);
  }
  for (const [id, { path: folder }] of built.dependencyLayers) {
    await linkArtifact(stackLayoutDir(options, splitIdentifier(id).stackPath), dependencyLayerId(id), folder);
  }
}

function merge(before: BuildArtifacts, built: BuildArtifacts): BuildArtifacts {
  const isOld = (id: ResourceIdentifier): boolean => !built.folders.has(id);
  const dependencyLayers = [...before.dependencyLayers].filter(([id]) => isOld(id));
  const handlers = [...before.handlers].filter(([id]) => isOld(id));
  return {
    folders: new Map([...before.folders, ...built.folders]),
    dependencyLayers: new Map([...dependencyLayers, ...built.dependencyLayers]),
    images: new Map([...before.images, ...built.images]),
    handlers: new Map([...handlers, ...built.handlers]),
    sourceMaps: new Set([...[...before.sourceMaps].filter(isOld), ...built.sourceMaps]),
  };
}
