import { once } from '../../support/once.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { isKnownRuntime, nearestRuntime } from '../lambda-runtimes.ts';
import { UserError } from '../../errors.ts';
import type { BuildDefinition } from '../plan-build.ts';
import type { WorkflowName } from './select-workflow.ts';
import type { Workflow } from './workflow.ts';

/** Workflows, each loaded when the first build needs it. A new one needs a line here and one in `select-workflow.ts`. */
const WORKFLOWS: Record<WorkflowName, () => Promise<Workflow>> = {
  python: once(async () => (await import('./python/python-workflow.ts')).pythonWorkflow),
  nodejs: once(async () => (await import('./node/nodejs-workflow.ts')).nodejsWorkflow),
  esbuild: once(async () => (await import('./esbuild/esbuild-workflow.ts')).esbuildWorkflow),
  ruby: once(async () => (await import('./ruby/ruby-workflow.ts')).rubyWorkflow),
  java: once(async () => (await import('./java/java-workflow.ts')).javaWorkflow),
  go: once(async () => (await import('./go/go-workflow.ts')).goWorkflow),
  dotnet: once(async () => (await import('./dotnet/dotnet-workflow.ts')).dotnetWorkflow),
  rust: once(async () => (await import('./rust/rust-workflow.ts')).rustWorkflow),
  makefile: once(async () => (await import('./makefile/makefile-workflow.ts')).makefileWorkflow),
};

/** Loads the workflow of a build, or throws an error that says what cannot be built. */
export async function loadWorkflow(definition: BuildDefinition): Promise<Workflow> {
  if (definition.workflow !== undefined) return WORKFLOWS[definition.workflow]();
  const ids = definition.ids.join(', ');
  const method = definition.buildMethod;
  if (method === undefined && definition.runtime === undefined) {
    throw new UserError(`${ids}: only CloudFormation knows the runtime, so it cannot be built here`, {
      hint: 'Use a literal Runtime or a template parameter, or set Metadata SkipBuild: true and build it yourself.',
    });
  }
  const what = method === undefined ? `runtime ${definition.runtime}` : `build method ${method}`;
  const name = method ?? definition.runtime ?? '';
  const near = isKnownRuntime(name) ? undefined : (nearestName(name, METHODS) ?? nearestRuntime(name));
  throw new UserError(`${ids}: the ${what} cannot be built${definition.kind === 'layer' ? ' as a layer' : ''}`, {
    hint:
      near === undefined
        ? 'Build it with a makefile (Metadata BuildMethod: makefile), or yourself with Metadata SkipBuild: true.'
        : `Did you mean ${near}?`,
  });
}

/** Build methods that are no runtimes. */
const METHODS = ['esbuild', 'makefile', 'rust-cargolambda', 'go1.x'];
