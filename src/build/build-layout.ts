import type { BigIntStats } from 'node:fs';
import { statSync } from 'node:fs';
import * as path from 'node:path';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import { splitIdentifier } from '../model/stack.ts';
import { createGate } from '../support/map-limit.ts';
import type { BuildOptions } from './build-options.ts';
import { layOutTemplates, planBuiltTemplates, stackLayoutDir } from './built-templates.ts';
import type { BuiltParts, BuiltTemplates } from './built-templates.ts';
import { dependencyLayerId } from './dependency-layer.ts';
import { readLaidOut } from './laid-out.ts';
import { linkArtifact } from './link-artifacts.ts';
import { isOurLayout } from './own-folders.ts';

/**
 * `.aws-sam/build` (or `auto-dependency-layer`), where AWS SAM CLI's other commands, `sam local invoke` among them, look for
 * what was built last: templates, and links to the artifacts in the cache.
 */
export interface BuildLayout {
  /** Everything was built. `planned`: its templates. */
  write(root: Stack, planned: BuiltTemplates, built: BuiltParts): Promise<void>;
  /** Some of it was built: the rest stays as it was laid out. */
  update(root: Stack, built: BuiltParts): Promise<void>;
}

interface Written {
  root: Stack;
  parts: BuiltParts;
  /** Of the root template: somebody else may write there too. */
  stamp: string;
}

export function openBuildLayout(options: BuildOptions): BuildLayout {
  const inTurn = createGate(1);
  let written: Written | undefined;
  const writeAll = async (root: Stack, planned: BuiltTemplates, parts: BuiltParts): Promise<void> => {
    written = undefined;
    await layOutTemplates(planned, options);
    written = { root, parts, stamp: stampOf(planned.stack.templateFile) };
  };
  const update = async (root: Stack, built: BuiltParts): Promise<void> => {
    if (built.folders.size === 0 && built.images.size === 0) return;
    const isOurs = await isOurLayout(options);
    const before = written?.root === root && isOurs && isUnchanged(written) ? written : undefined;
    const parts = merge(before?.parts ?? (await readLaidOut(root, options)), built);
    if (before === undefined || !hasSameTemplates(before.parts, built)) {
      return writeAll(root, planBuiltTemplates(root, parts, options), parts);
    }
    for (const [id, { path: folder }] of built.folders) await link(options, id, { name: nameOf(id), folder });
    for (const [id, { path: folder }] of built.dependencyLayers)
      await link(options, id, { name: dependencyLayerId(id), folder });
    written = { ...before, parts };
  };
  const isUnchanged = ({ stamp }: Written): boolean =>
    stampOf(path.join(stackLayoutDir(options, ''), 'template.yaml')) === stamp;
  return {
    write: (root, planned, built) => inTurn(() => writeAll(root, planned, built)),
    update: (root, built) => inTurn(() => update(root, built)),
  };
}

function link(
  options: BuildOptions,
  id: ResourceIdentifier,
  { name, folder }: { name: string; folder: string },
): Promise<void> {
  return linkArtifact(stackLayoutDir(options, splitIdentifier(id).stackPath), name, folder);
}

function nameOf(id: ResourceIdentifier): string {
  return splitIdentifier(id).logicalId;
}

function merge(before: BuiltParts, built: BuiltParts): BuiltParts {
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

/** Whether the templates say the same with what was built now: only artifacts are others. */
function hasSameTemplates(before: BuiltParts, built: BuiltParts): boolean {
  return (
    [...built.images].every(([id, { name }]) => before.images.get(id)?.name === name) &&
    [...built.folders.keys()].every(
      (id) =>
        before.folders.has(id) &&
        before.dependencyLayers.has(id) === built.dependencyLayers.has(id) &&
        before.handlers.get(id) === built.handlers.get(id) &&
        before.sourceMaps.has(id) === built.sourceMaps.has(id),
    )
  );
}

function stampOf(file: string): string {
  const stat: BigIntStats | undefined = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}
