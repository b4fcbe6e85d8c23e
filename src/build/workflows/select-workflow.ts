/** The ways to build, each one file in this folder. */
export type WorkflowName = 'python' | 'nodejs' | 'esbuild' | 'makefile';

/** The ways to build that a runtime or `Metadata.BuildMethod` asks for; undefined: none of ours. */
export function selectWorkflow(runtime: string | undefined, buildMethod: string | undefined): WorkflowName | undefined {
  const method = buildMethod ?? runtime;
  if (method === undefined) return undefined;
  if (method === 'esbuild' || method === 'makefile') return method;
  if (method === 'python-uv' || /^python3\.\d+$/.test(method)) return 'python';
  if (/^nodejs\d+\.x$/.test(method)) return 'nodejs';
  if (/^provided(\.|$)/.test(method)) return 'makefile';
  return undefined;
}

/** The folder of a layer in which Lambda looks for code that a workflow builds. */
export function layerFolder(workflow: WorkflowName): string {
  if (workflow === 'python') return 'python';
  return workflow === 'nodejs' ? 'nodejs' : '';
}
