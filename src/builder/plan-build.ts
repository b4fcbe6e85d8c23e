import * as path from 'node:path';
import { flattenStacks } from '../model/stack.ts';
import type {
  FunctionResource,
  LayerResource,
  ResourceIdentifier,
  Stack,
  WebFunctionResource,
} from '../model/stack.ts';
import { DEFAULT_ENTRY_POINT } from '../model/web-functions.ts';
import { isMap, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import type { BuildNote } from './build-result.ts';
import { keyOf } from './build-key.ts';
import type { KeyPart } from './build-key.ts';
import type { BuildOptions } from './build-options.ts';
import { planFunctionCheck, planWebFunctionCheck } from './checks/function-check.ts';
import type { FunctionCheck } from './checks/function-check.ts';
import { containerSettings } from './containers/container-options.ts';
import type { ContainerSettings } from './containers/container-options.ts';
import { deprecatedSince } from './lambda-runtimes.ts';
import { planDependencyLayer } from './dependency-layers/dependency-layer.ts';
import { planImages } from './images/plan-images.ts';
import type { ImageDefinition } from './images/plan-images.ts';
import { wantsSourceMaps, whyNoSourceMaps } from './source-maps.ts';
import { buildsLayers, selectWorkflow } from './workflows/select-workflow.ts';
import type { WorkflowName } from './workflows/select-workflow.ts';

/** One build, and the functions or the layers that share its result. */
export interface BuildDefinition {
  /** Equal for equal builds, in every run. */
  key: string;
  ids: readonly ResourceIdentifier[];
  kind: 'function' | 'layer' | 'web-function';
  /** undefined: there is no way to build this yet. */
  workflow: WorkflowName | undefined;
  /** As the template says it: `Metadata.BuildMethod`. */
  buildMethod: string | undefined;
  /** The folder that is built. Absolute. */
  codeDir: string;
  /** A function's runtime; for a layer its build method, or what it says it is compatible with. */
  runtime: string | undefined;
  architecture: 'x86_64' | 'arm64';
  /** A Web Function's is the file that the runtime starts. */
  handler: string | undefined;
  buildProperties: TemplateMap;
  /** `NODE_OPTIONS` of the function asks for source maps. */
  wantsSourceMaps: boolean;
  /** For makefiles: the target's name and the folders that Metadata names, absolute. */
  makefile: MakefileSettings | undefined;
  /** Dependencies, if there are any, go into a layer of their own. */
  wantsDependencyLayer: boolean;
  /** The container that its tools run in; undefined: on this machine. */
  container?: ContainerSettings | undefined;
}

/** What Metadata says about a makefile build. */
interface MakefileSettings {
  logicalId: string;
  /** `ContextPath`: where the Makefile is. */
  contextDir: string | undefined;
  /** `WorkingDirectory`: where make runs. */
  workingDir: string | undefined;
  /** `ProjectRootDirectory`: what is copied instead of the code's folder. */
  projectRoot: string | undefined;
}

/** Everything that is to be built. */
export interface BuildPlan {
  definitions: readonly BuildDefinition[];
  images: readonly ImageDefinition[];
  /** What is looked at of functions after their builds. */
  checks: readonly FunctionCheck[];
  notes: readonly BuildNote[];
}

/** What must be built of the application, or of the resources in `only`: each different build once. Pure. */
export function planBuild(root: Stack, options: BuildOptions, only?: ReadonlySet<ResourceIdentifier>): BuildPlan {
  const definitions = new Map<string, BuildDefinition>();
  const notes: BuildNote[] = [];
  const checks: FunctionCheck[] = [];
  const add = (definition: BuildDefinition): void => {
    const known = definitions.get(definition.key);
    definitions.set(definition.key, known ? { ...known, ids: [...known.ids, ...definition.ids] } : definition);
  };
  for (const stack of flattenStacks(root)) {
    for (const layer of stack.layers) {
      if (isIn(only, layer.id) && isBuiltLayer(layer)) add(defineLayer(layer, stack, options));
    }
    for (const resource of stack.functions) {
      if (!isIn(only, resource.id) || !isBuiltFunction(resource)) continue;
      notes.push(...warnings(resource, stack));
      const layer = planDependencyLayer(resource, selectWorkflow(resource.runtime, resource.buildMethod), options);
      if (layer.note) notes.push(layer.note);
      add(defineFunction(resource, stack, options, layer.wanted));
      checks.push(planFunctionCheck(resource, stack));
    }
    for (const resource of stack.webFunctions) {
      if (!isIn(only, resource.id) || !isBuiltWebFunction(resource)) continue;
      notes.push(...warnings(resource, stack));
      add(defineWebFunction(resource, stack, options));
      checks.push(planWebFunctionCheck(resource, stack));
    }
  }
  return { definitions: [...definitions.values()], images: planImages(root, options.env, only), checks, notes };
}

/** What the user should know of a function before it is built. */
function warnings(resource: FunctionResource | WebFunctionResource, stack: Stack): BuildNote[] {
  const { id, runtime, buildMethod } = resource;
  const since = deprecatedSince(runtime);
  const texts = [
    since === undefined
      ? undefined
      : `runtime ${runtime} is deprecated since ${since}: it gets no security updates, and Lambda will refuse changes one day`,
    selectWorkflow(runtime, buildMethod) === 'esbuild' ? whyNoSourceMaps(stack.source, resource) : undefined,
  ];
  return texts.flatMap((text) => (text === undefined ? [] : [{ level: 'warning', ids: [id], text }]));
}

function isIn(only: ReadonlySet<ResourceIdentifier> | undefined, id: ResourceIdentifier): boolean {
  return only === undefined || only.has(id);
}

/** Whether the function's code is made from source here, as a folder. */
export function isBuiltFunction(resource: FunctionResource): boolean {
  return resource.packageType === 'Zip' && !resource.skipBuild && resource.code.kind === 'folder';
}

/** Whether the layer's content is made from source here. */
export function isBuiltLayer(layer: LayerResource): boolean {
  return !layer.skipBuild && layer.buildMethod !== undefined && layer.code.kind === 'folder';
}

/** Whether the Web Function's code is made from source here. */
export function isBuiltWebFunction(resource: WebFunctionResource): boolean {
  return !resource.skipBuild && resource.code.kind === 'folder';
}

/** A part of the definition only where there is one: keys of other builds stay what they were. */
function inContainer(
  resource: FunctionResource | LayerResource | WebFunctionResource,
  method: string | undefined,
  options: BuildOptions,
): Pick<BuildDefinition, 'container'> {
  const { id, logicalId, architecture } = resource;
  const container = containerSettings({ id, logicalId, method, architecture }, options.container);
  return container === undefined ? {} : { container };
}

function defineFunction(
  resource: FunctionResource,
  stack: Stack,
  options: BuildOptions,
  wantsDependencyLayer: boolean,
): BuildDefinition {
  return defineCode({ ...resource, kind: 'function' }, stack, { options, wantsDependencyLayer });
}

/** It takes no layers, so its packages stay with its code. */
function defineWebFunction(resource: WebFunctionResource, stack: Stack, options: BuildOptions): BuildDefinition {
  const handler = resource.entryPoint ?? DEFAULT_ENTRY_POINT;
  return defineCode({ ...resource, kind: 'web-function', handler }, stack, { options, wantsDependencyLayer: false });
}

/** What is built of a function of either kind. */
type CodeToBuild =
  | (FunctionResource & { kind: 'function' })
  | (WebFunctionResource & { kind: 'web-function'; handler: string });

function defineCode(
  resource: CodeToBuild,
  stack: Stack,
  { options, wantsDependencyLayer }: { options: BuildOptions; wantsDependencyLayer: boolean },
): BuildDefinition {
  const workflow = selectWorkflow(resource.runtime, resource.buildMethod);
  return withKey({
    ids: [resource.id],
    kind: resource.kind,
    workflow,
    buildMethod: resource.buildMethod,
    codeDir: resource.code.kind === 'folder' ? resource.code.path : stack.codeDir,
    runtime: resource.runtime,
    architecture: resource.architecture,
    handler: handlerMatters(workflow, resource) ? resource.handler : undefined,
    buildProperties: resource.buildProperties,
    wantsSourceMaps: workflow === 'esbuild' && wantsSourceMaps(resource),
    makefile: workflow === 'makefile' ? makefileSettings(resource, stack) : undefined,
    wantsDependencyLayer,
    ...inContainer(resource, containerMethod(resource), options),
  });
}

/** Build images have the names of runtimes; one has that of a build method. */
function containerMethod({
  buildMethod,
  runtime,
}: Pick<FunctionResource, 'buildMethod' | 'runtime'>): string | undefined {
  return buildMethod === 'dotnet7' ? buildMethod : (runtime ?? buildMethod);
}

function defineLayer(layer: LayerResource, stack: Stack, options: BuildOptions): BuildDefinition {
  const workflow = selectWorkflow(undefined, layer.buildMethod);
  const compatible = layer.compatibleRuntimes.find((runtime) => selectWorkflow(runtime, undefined) === workflow);
  return withKey({
    ids: [layer.id],
    kind: 'layer',
    workflow: buildsLayers(workflow) ? workflow : undefined,
    buildMethod: layer.buildMethod,
    codeDir: layer.code.kind === 'folder' ? layer.code.path : stack.codeDir,
    runtime: layer.buildMethod === 'python-uv' ? compatible : layer.buildMethod,
    architecture: layer.architecture,
    handler: undefined,
    buildProperties: layer.buildProperties,
    wantsSourceMaps: false,
    makefile: workflow === 'makefile' ? makefileSettings(layer, stack) : undefined,
    wantsDependencyLayer: false,
    ...inContainer(layer, layerMethod(layer), options),
  });
}

/** A makefile of a layer runs in the image of a runtime that the layer is for, as with the peer. */
function layerMethod({ buildMethod, compatibleRuntimes }: LayerResource): string | undefined {
  const isRuntime = buildMethod !== undefined && /\d/.test(buildMethod);
  return isRuntime ? buildMethod : (compatibleRuntimes[0] ?? buildMethod);
}

function withKey(definition: Omit<BuildDefinition, 'key'>): BuildDefinition {
  const { ids: _ids, buildProperties, makefile, container, ...rest } = definition;
  return {
    ...definition,
    key: keyOf({
      ...rest,
      buildProperties: asKey(buildProperties),
      makefile: makefile && { ...makefile },
      ...(container && { container: { image: container.image, env: { ...container.env } } }),
    }),
  };
}

function asKey(value: TemplateValue): KeyPart {
  if (Array.isArray(value)) return value.map(asKey);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asKey(part)]));
  return value === null ? null : (scalarText(value) ?? null);
}

function handlerMatters(workflow: WorkflowName | undefined, resource: CodeToBuild): boolean {
  // a Go program is named after it, or found in the folder of its name; a script may say what it needs (PEP 723)
  return (
    workflow === 'esbuild' ||
    workflow === 'go' ||
    resource.buildMethod === 'python-uv' ||
    (workflow === 'python' && resource.buildProperties['ParentPackageMode'] === 'auto')
  );
}

function makefileSettings(resource: CodeToBuild | LayerResource, stack: Stack): MakefileSettings {
  const folder = (name: string): string | undefined => {
    const text = scalarText(resource.metadata[name]);
    return text === undefined || text === '' ? undefined : path.resolve(stack.codeDir, text);
  };
  return {
    logicalId: resource.logicalId,
    contextDir: folder('ContextPath'),
    workingDir: folder('WorkingDirectory'),
    projectRoot: folder('ProjectRootDirectory'),
  };
}
