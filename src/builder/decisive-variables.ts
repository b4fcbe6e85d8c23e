import type { WorkflowName } from './workflows/select-workflow.ts';

/**
 * Variables of the environment that change what the tools of a workflow build: in the key of a build on this machine, and in that of
 * a shared one. `*` stands for any ending.
 */
const DECISIVE_VARIABLES: Readonly<Partial<Record<WorkflowName, readonly string[]>>> = {
  go: ['CGO_ENABLED', 'GOFLAGS', 'GOWORK', 'GOEXPERIMENT', 'GOAMD64', 'GOARM64', 'GOTOOLCHAIN'],
  rust: [
    'RUSTFLAGS',
    'RUSTUP_TOOLCHAIN',
    'CARGO_ENCODED_RUSTFLAGS',
    'CARGO_BUILD_RUSTFLAGS',
    'CARGO_PROFILE_*',
    'CARGO_TARGET_*_RUSTFLAGS',
  ],
  java: ['MAVEN_ARGS', 'ORG_GRADLE_PROJECT_*'],
  ruby: ['BUNDLE_WITH', 'BUNDLE_WITHOUT', 'BUNDLE_ONLY'],
};

/** Returns the variables that change what a workflow builds, as far as they are set. Sorted. */
export function decisiveVariables(
  workflow: string,
  env: Readonly<Record<string, string | undefined>>,
): [name: string, value: string][] {
  const names = DECISIVE_VARIABLES[workflow as WorkflowName] ?? [];
  if (names.length === 0) return [];
  const patterns = names.map((name) => new RegExp(`^${name.replace('*', '.+')}$`));
  return Object.entries(env)
    .flatMap(([name, value]): [string, string][] =>
      value !== undefined && value !== '' && patterns.some((pattern) => pattern.test(name)) ? [[name, value]] : [],
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
