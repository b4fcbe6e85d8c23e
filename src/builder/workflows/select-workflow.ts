/** The ways to build, each one file in this folder. */
export type WorkflowName = 'python' | 'nodejs' | 'esbuild' | 'ruby' | 'java' | 'go' | 'dotnet' | 'rust' | 'makefile';

/** Runtimes and build methods, and how they are built. A new runtime: a line here, or a wider pattern. */
const METHODS: readonly (readonly [method: RegExp, workflow: WorkflowName])[] = [
  [/^esbuild$/, 'esbuild'],
  [/^makefile$/, 'makefile'],
  [/^python-uv$|^python3\.\d+$/, 'python'],
  [/^nodejs\d+\.x$/, 'nodejs'],
  [/^ruby\d+\.\d+$/, 'ruby'],
  [/^java\d+(?:\.al2|\.al2023)?$/, 'java'],
  [/^go1\.x$/, 'go'],
  [/^dotnet(?:core)?(?:\d+(?:\.\d+)?)?$/, 'dotnet'],
  [/^rust-cargolambda$/, 'rust'],
  [/^provided(?:\.|$)/, 'makefile'],
];

/** The way to build that a runtime or `Metadata.BuildMethod` asks for; undefined: none of ours. */
export function selectWorkflow(runtime: string | undefined, buildMethod: string | undefined): WorkflowName | undefined {
  const method = buildMethod ?? runtime;
  if (method === undefined) return undefined;
  return METHODS.find(([pattern]) => pattern.test(method))?.[1];
}

const LAYER_FOLDERS: Partial<Record<WorkflowName, string>> = {
  python: 'python',
  nodejs: 'nodejs',
  esbuild: 'nodejs',
  ruby: 'ruby/lib',
  java: 'java',
  dotnet: 'dotnet',
};

/** The folder of a layer in which Lambda looks for code that a workflow builds. */
export function layerFolder(workflow: WorkflowName): string {
  return LAYER_FOLDERS[workflow] ?? '';
}

/** Programs have no place in a layer, neither here nor in SAM CLI. */
const FUNCTIONS_ONLY: ReadonlySet<WorkflowName> = new Set(['go', 'rust']);

/** Whether a layer can be built in this way. */
export function buildsLayers(workflow: WorkflowName | undefined): boolean {
  return workflow !== undefined && !FUNCTIONS_ONLY.has(workflow);
}
