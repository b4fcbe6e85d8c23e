/** Names of workflows; each has a folder of that name here (`nodejs`: `node/`). */
export type WorkflowName = 'python' | 'nodejs' | 'esbuild' | 'ruby' | 'java' | 'go' | 'dotnet' | 'rust' | 'makefile';

/** What a workflow builds. */
interface WorkflowRow {
  /** Runtimes and build methods. The patterns of two workflows never match the same one. */
  methods: RegExp;
  /** The folder of a layer in which Lambda looks for its code; undefined: it builds no layers, neither here nor in SAM CLI. */
  layerFolder: string | undefined;
  /** Whether Lambda also loads its packages from a layer, so that they can become a dependency layer. */
  hasDependencyLayer: boolean;
}

/** A new runtime needs a row, or a wider pattern in one. */
const WORKFLOWS: Readonly<Record<WorkflowName, WorkflowRow>> = {
  python: { methods: /^python-uv$|^python3\.\d+$/, layerFolder: 'python', hasDependencyLayer: true },
  nodejs: { methods: /^nodejs\d+\.x$/, layerFolder: 'nodejs', hasDependencyLayer: true },
  esbuild: { methods: /^esbuild$/, layerFolder: 'nodejs', hasDependencyLayer: false },
  ruby: { methods: /^ruby\d+\.\d+$/, layerFolder: 'ruby/lib', hasDependencyLayer: true },
  java: { methods: /^java\d+(?:\.al2|\.al2023)?$/, layerFolder: 'java', hasDependencyLayer: true },
  go: { methods: /^go1\.x$/, layerFolder: undefined, hasDependencyLayer: false },
  dotnet: { methods: /^dotnet(?:core)?(?:\d+(?:\.\d+)?)?$/, layerFolder: 'dotnet', hasDependencyLayer: false },
  rust: { methods: /^rust-cargolambda$/, layerFolder: undefined, hasDependencyLayer: false },
  makefile: { methods: /^makefile$|^provided(?:\.|$)/, layerFolder: '', hasDependencyLayer: false },
};

const NAMES = Object.keys(WORKFLOWS) as WorkflowName[];

/** Selects the workflow of a runtime or `Metadata.BuildMethod`; undefined if no workflow builds it. */
export function selectWorkflow(runtime: string | undefined, buildMethod: string | undefined): WorkflowName | undefined {
  const method = buildMethod ?? runtime;
  return method === undefined ? undefined : NAMES.find((name) => WORKFLOWS[name].methods.test(method));
}

/** Returns the folder of a layer in which Lambda looks for the code of a workflow. */
export function layerFolder(workflow: WorkflowName): string {
  return WORKFLOWS[workflow].layerFolder ?? '';
}

/** Whether the workflow can build layers. */
export function buildsLayers(workflow: WorkflowName | undefined): boolean {
  return workflow !== undefined && WORKFLOWS[workflow].layerFolder !== undefined;
}

/** Whether the packages of the workflow's functions can become a dependency layer. */
export function hasDependencyLayer(workflow: WorkflowName): boolean {
  return WORKFLOWS[workflow].hasDependencyLayer;
}
