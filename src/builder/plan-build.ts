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
import { wantsSourceMaps, sourceMapsProblem } from './source-maps.ts';
import { buildsLayers, selectWorkflow } from './workflows/select-workflow.ts';
import type { WorkflowName } from './workflows/select-workflow.ts';

/** One build, and the functions or the layers that share its result. */
export interface BuildDefinition {
  /** Equal for equal builds, in every run. */
  key: string;
  ids: readonly ResourceIdentifier[];
  kind: 'function' | 'layer' | 'web-function';
  /** undefined: no workflow builds this. */
  workflow: WorkflowName | undefined;
  /** `Metadata.BuildMethod`, as written. */
  buildMethod: string | undefined;
  /** The folder of the source. Absolute. */
  codeDir: string;
  /** A function's runtime; a layer's build method or compatible runtime. */
  runtime: string | undefined;
  architecture: 'x86_64' | 'arm64';
  /** For a Web Function: the file that the runtime starts. */
  handler: string | undefined;
  buildProperties: TemplateMap;
  /** `NODE_OPTIONS` of the function asks for source maps. */
  wantsSourceMaps: boolean;
  /** For makefile builds. */
  makefile: MakefileSettings | undefined;
  /** Dependencies, if there are any, become a dependency layer. */
  wantsDependencyLayer: boolean;
  /** The container that the tools run in; undefined: this machine. */
  container?: ContainerSettings | undefined;
}

/** The settings of a makefile build, from Metadata. */
interface MakefileSettings {
  logicalId: string;
  /** `ContextPath`: the folder of the Makefile. Absolute. */
  contextDir: string | undefined;
  /** `WorkingDirectory`: the folder in which make runs. Absolute. */
  workingDir: string | undefined;
  /** `ProjectRootDirectory`: the folder to copy instead of the code's folder. Absolute. */
  projectRoot: string | undefined;
}

/** Everything to build. */
export interface BuildPlan {
  definitions: readonly BuildDefinition[];
  images: readonly ImageDefinition[];
  /** Checks of functions after their builds. */
  checks: readonly FunctionCheck[];
  notes: readonly BuildNote[];
}

/** Plans the builds of the application, or of the resources in `only`: each different build once. Pure. */
export function planBuild(root: Stack, options: BuildOptions, only?: ReadonlySet<ResourceIdentifier>): BuildPlan {
  const definitions = new Map<string, BuildDefinition>();
  const notes: BuildNote[] = [];
  const checks: FunctionCheck[] = [];
  const add = (definition: BuildDefinition): void => {
    const same = definitions.get(definition.key);
    definitions.set(definition.key, same ? { ...same, ids: [...same.ids, ...definition.ids] } : definition);
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

/** Returns warnings about a function before its build. */
function warnings(resource: FunctionResource | WebFunctionResource, stack: Stack): BuildNote[] {
  const { id, runtime, buildMethod } = resource;
  const since = deprecatedSince(runtime);
  const texts = [
    since === undefined
      ? undefined
      : `runtime ${runtime} is deprecated since ${since}: it gets no security updates, and Lambda will eventually block updates`,
    selectWorkflow(runtime, buildMethod) === 'esbuild' ? sourceMapsProblem(stack.source, resource) : undefined,
  ];
  return texts.flatMap((text) => (text === undefined ? [] : [{ level: 'warning', ids: [id], text }]));
}

function isIn(only: ReadonlySet<ResourceIdentifier> | undefined, id: ResourceIdentifier): boolean {
  return only === undefined || only.has(id);
}

/** Whether the function's code is built from a folder. */
export function isBuiltFunction(resource: FunctionResource): boolean {
  return resource.packageType === 'Zip' && !resource.skipBuild && resource.code.kind === 'folder';
}

/** Whether the layer's content is built from a folder. */
export function isBuiltLayer(layer: LayerResource): boolean {
  return !layer.skipBuild && layer.buildMethod !== undefined && layer.code.kind === 'folder';
}

/** Whether the Web Function's code is built from a folder. */
export function isBuiltWebFunction(resource: WebFunctionResource): boolean {
  return !resource.skipBuild && resource.code.kind === 'folder';
}

/** Absent without a container, so that the keys of other builds stay the same. */
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

/** A Web Function has no layers, so its packages stay with its code. */
function defineWebFunction(resource: WebFunctionResource, stack: Stack, options: BuildOptions): BuildDefinition {
  const handler = resource.entryPoint ?? DEFAULT_ENTRY_POINT;
  return defineCode({ ...resource, kind: 'web-function', handler }, stack, { options, wantsDependencyLayer: false });
}

/** A function or Web Function to build. */
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

/** Build images are named after runtimes; only one is named after a build method. */
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

/** A layer's makefile runs in the image of one of the layer's runtimes, as in SAM CLI. */
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

/** Returns a value of a template as a part of a key. */
export function asKey(value: TemplateValue): KeyPart {
  if (Array.isArray(value)) return value.map(asKey);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asKey(part)]));
  return value === null ? null : (scalarText(value) ?? null);
}

function handlerMatters(workflow: WorkflowName | undefined, resource: CodeToBuild): boolean {
  // it may name a Go program or its folder; a Python script may declare what it needs (PEP 723)
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
