import * as path from 'node:path';
import { imagePath } from '../../model/image-path.ts';
import type { BuiltStack, CountedFile, LocalImage } from '../../model/built-stack.ts';
import { identifierOf } from '../../model/stack.ts';
import type { FunctionResource, Stack, WebFunctionResource } from '../../model/stack.ts';
import { readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { asSegment, withSlashes } from '../../support/places.ts';
import { dumpYaml } from '../../template/yaml/dump-yaml.ts';
import { findLocalPaths, isLocalPath, resolveLocalPath } from '../../template/local-paths.ts';
import type { LocalPath } from '../../template/local-paths.ts';
import { openDraft } from '../../template/draft.ts';
import type { Draft } from '../../template/draft.ts';
import { isServerless } from '../../template/kinds/kinds.ts';
import { mapOf } from '../../template/template.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import type { BuildResult } from '../build-result.ts';
import { buildLayoutDir } from '../build-options.ts';
import type { BuildOptions } from '../build-options.ts';
import {
  countedReadme,
  DEPENDENCY_TEMPLATE,
  dependencyLayerTemplate,
  dependencyStackResource,
} from '../dependency-layers/dependency-layer-stack.ts';
import {
  appendLayer,
  DEPENDENCY_STACK,
  dependencyLayerId,
  dependencyLayerReference,
} from '../dependency-layers/dependency-layer.ts';
import { linkArtifacts } from './link-artifacts.ts';
import type { LayoutFolder, LinkMemory } from './link-memory.ts';
import { claimLayout } from './own-folders.ts';
import { turnOnSourceMaps } from '../source-maps.ts';

const TEMPLATE = 'template.yaml';

/** The part of a build's result that its templates refer to. */
export type BuildArtifacts = Pick<BuildResult, 'folders' | 'dependencyLayers' | 'images' | 'handlers' | 'sourceMaps'>;

/** Templates whose local paths point at built artifacts, and the layout of both for other commands. */
export interface BuiltTemplates {
  stack: BuiltStack;
  /** Each folder comes after its parent. */
  layout: readonly LayoutFolder[];
}

/**
 * The templates that a build gives, laid out as SAM CLI does (docs/sam-cli-behaviour.md#build-folders). Pure: nothing is
 * written.
 */
export function planBuiltTemplates(root: Stack, result: BuildArtifacts, options: BuildOptions): BuiltTemplates {
  const layout: LayoutFolder[] = [];
  return { stack: planBuiltStack(root, { result, options, layout }), layout };
}

/** Returns the folder of a stack's template and artifacts. Absolute. */
export function stackLayoutDir(options: BuildOptions, stackPath: string): string {
  const segments = stackPath === '' ? [] : stackPath.split('/');
  return path.join(buildLayoutDir(options), ...segments.map((id) => asSegment(id, 'The ID of a nested stack')));
}

/** Writes the templates, if their text changed, and links to the artifacts beside them. */
export async function layOutTemplates(
  { stack, layout }: BuiltTemplates,
  options: BuildOptions,
  memory?: LinkMemory,
): Promise<void> {
  await claimLayout(options);
  await linkArtifacts(layout, memory);
  await writeTemplates(stack);
}

/** Plans and lays out the built templates. */
export async function writeBuiltTemplates(
  root: Stack,
  result: BuildArtifacts,
  options: BuildOptions,
): Promise<BuiltStack> {
  const planned = planBuiltTemplates(root, result, options);
  await layOutTemplates(planned, options);
  return planned.stack;
}

interface Building {
  result: BuildArtifacts;
  options: BuildOptions;
  layout: LayoutFolder[];
}

function planBuiltStack(stack: Stack, building: Building): BuiltStack {
  const { result, options, layout } = building;
  const dir = stackLayoutDir(options, stack.path);
  const folders = new Map<string, string>();
  for (const { id, logicalId } of [...stack.functions, ...stack.layers, ...stack.webFunctions]) {
    const folder = result.folders.get(id);
    if (folder) folders.set(logicalId, folder.path);
  }
  const withLayer = stack.functions.filter(({ id }) => result.dependencyLayers.has(id));
  const layers = new Map(
    withLayer.map(({ id }) => [dependencyLayerId(id), result.dependencyLayers.get(id)?.path ?? '']),
  );
  const images = new Map<string, LocalImage>();
  for (const { id, logicalId } of stack.functions) {
    const image = result.images.get(id);
    if (image) images.set(logicalId, image);
  }
  layout.push({
    dir,
    links: new Map([...folders, ...layers]),
    files: [TEMPLATE, ...(withLayer.length > 0 ? [DEPENDENCY_TEMPLATE] : [])],
    folders: stack.children.map((child) => child.logicalId ?? ''),
  });
  const children = stack.children.map((child) => planBuiltStack(child, building));
  if (withLayer.length > 0)
    children.push(dependencyStack(stack, withLayer, { dir, layers, stackName: options.stackName }));
  return {
    path: stack.path,
    template: builtTemplate(stack, dir, result),
    dir,
    templateFile: path.join(dir, TEMPLATE),
    logicalId: stack.logicalId,
    folders,
    ...(images.size > 0 ? { images } : {}),
    children,
  };
}

function dependencyStack(
  stack: Stack,
  functions: readonly FunctionResource[],
  { dir, layers, stackName }: { dir: string; layers: ReadonlyMap<string, string>; stackName: string },
): BuiltStack {
  const countedFiles = new Map<string, CountedFile>(
    functions.map(({ id }) => [dependencyLayerId(id), countedReadme(id)]),
  );
  return {
    path: identifierOf(stack.path, DEPENDENCY_STACK),
    template: dependencyLayerTemplate(functions, stackName),
    dir,
    templateFile: path.join(dir, DEPENDENCY_TEMPLATE),
    logicalId: DEPENDENCY_STACK,
    folders: layers,
    countedFiles,
    children: [],
  };
}

/** Returns the stack's template with all changes of the build. Pure. */
function builtTemplate(stack: Stack, dir: string, result: BuildArtifacts): Template {
  const draft = openDraft(stack.source);
  setBuiltPaths(draft, stack, { dir, result });
  for (const resource of [...stack.functions, ...stack.layers, ...stack.webFunctions]) {
    if (result.folders.has(resource.id) || result.images.has(resource.id))
      setResourceId(draft, resource.logicalId, resource.constructId);
  }
  for (const { logicalId } of stack.children) if (logicalId !== undefined) setResourceId(draft, logicalId);
  for (const resource of stack.functions) changeFunction(draft, resource, result);
  for (const resource of stack.webFunctions) changeWebFunction(draft, resource, result);
  const hasLayers = stack.functions.some(({ id }) => result.dependencyLayers.has(id));
  if (hasLayers) draft.set(['Resources', DEPENDENCY_STACK], dependencyStackResource());
  return draft.finish();
}

function setBuiltPaths(draft: Draft, stack: Stack, { dir, result }: { dir: string; result: BuildArtifacts }): void {
  const children = new Set(stack.children.map(({ logicalId }) => logicalId));
  const moved = (local: Pick<LocalPath, 'value' | 'content'>): string => {
    if (path.isAbsolute(local.value)) return local.value;
    const base = local.content === 'code' ? stack.codeDir : path.dirname(stack.templateFile);
    return portable(path.relative(dir, resolveLocalPath(local.value, base)));
  };
  for (const local of findLocalPaths(stack.source, stack.resolved)) {
    const built = local.logicalId !== undefined && result.folders.has(identifierOf(stack.path, local.logicalId));
    const nested = local.content === 'template' && children.has(local.logicalId);
    if (local.content === 'code' && built) draft.set(local.path, local.logicalId ?? '');
    else draft.set(local.path, nested ? `${local.logicalId}/${TEMPLATE}` : moved(local));
  }
  const shared = draft.get(['Globals', 'Function', 'CodeUri']);
  if (isLocalPath(shared)) draft.set(['Globals', 'Function', 'CodeUri'], moved({ value: shared, content: 'code' }));
}

/** Returns a path with `/`, as templates have it on every system. */
function portable(relative: string): string {
  return relative === '' ? '.' : withSlashes(relative);
}

/** Marks a built resource as SAM CLI does; SAM counts Metadata in the logical id of a layer. */
function setResourceId(draft: Draft, logicalId: string, constructId?: string): void {
  const at = ['Resources', logicalId, 'Metadata'];
  draft.set(at, { ...mapOf(draft.get(at)), SamResourceId: constructId ?? logicalId });
}

function changeFunction(draft: Draft, resource: FunctionResource, result: BuildArtifacts): void {
  const { id, logicalId } = resource;
  const properties = ['Resources', logicalId, 'Properties'];
  const handler = result.handlers.get(id);
  if (handler !== undefined) draft.set([...properties, 'Handler'], handler);
  const image = result.images.get(id);
  if (image) draft.set(['Resources', logicalId, ...imagePath(resource.type)], image.name);
  if (result.sourceMaps.has(id)) turnOnSourceMaps(draft, resource);
  if (!result.dependencyLayers.has(id)) return;
  const own = draft.get([...properties, 'Layers']) ?? sharedLayers(draft, resource);
  draft.set([...properties, 'Layers'], appendLayer(own, dependencyLayerReference(id)));
}

function changeWebFunction(draft: Draft, resource: WebFunctionResource, result: BuildArtifacts): void {
  const { id, logicalId, entryPoint } = resource;
  const moved = result.handlers.get(id);
  // without one in the template the runtime starts its own default
  if (moved !== undefined && entryPoint !== undefined)
    draft.set(['Resources', logicalId, 'Properties', 'EntryPoint'], moved);
  if (result.sourceMaps.has(id)) turnOnSourceMaps(draft, resource);
}

/**
 * Returns `Globals.Function.Layers` if SAM would not merge it: SAM prepends a list to the function's own layers, but the
 * function's `Layers` replace any other form, so the function must name both.
 */
function sharedLayers(draft: Draft, resource: FunctionResource): TemplateValue | undefined {
  if (!isServerless(resource.type)) return undefined;
  const shared = draft.get(['Globals', 'Function', 'Layers']);
  return Array.isArray(shared) ? undefined : shared;
}

async function writeTemplates(stack: BuiltStack): Promise<void> {
  const text = dumpYaml(stack.template);
  if ((await readTextIfExists(stack.templateFile)) !== text) await writeFileAtomic(stack.templateFile, text);
  await Promise.all(stack.children.map(writeTemplates));
}
