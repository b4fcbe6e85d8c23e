/** Workflows, each with a folder of its own here. */
export type WorkflowName = 'python' | 'nodejs' | 'esbuild' | 'ruby' | 'java' | 'go' | 'dotnet' | 'rust' | 'makefile';

/** Runtimes and build methods with their workflows; the first match counts. */
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

/** Selects the workflow of a runtime or `Metadata.BuildMethod`; undefined if no workflow builds it. */
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

/** Returns the folder of a layer in which Lambda looks for the code of a workflow. */
export function layerFolder(workflow: WorkflowName): string {
  return LAYER_FOLDERS[workflow] ?? '';
}

/** Neither we nor SAM CLI build layers of these. */
const FUNCTIONS_ONLY: ReadonlySet<WorkflowName> = new Set(['go', 'rust']);

/** Whether the workflow can build layers. */
export function buildsLayers(workflow: WorkflowName | undefined): boolean {
  return workflow !== undefined && !FUNCTIONS_ONLY.has(workflow);
}
