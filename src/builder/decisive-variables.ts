import type { WorkflowName } from './workflows/select-workflow.ts';

/** Settings of npm that choose what it installs and runs, under both names that npm reads. */
const NPM = ['ignore_scripts', 'omit', 'include', 'legacy_peer_deps', 'install_strategy', 'build_from_source'].flatMap(
  (name) => [`npm_config_${name}`, `NPM_CONFIG_${name.toUpperCase()}`],
);

/**
 * Variables of the environment that change what the tools of a workflow build: in the key of a build on this machine, and in that of
 * a shared one. `*` stands for any ending.
 */
const DECISIVE_VARIABLES: Readonly<Partial<Record<WorkflowName, readonly string[]>>> = {
  nodejs: NPM,
  esbuild: NPM,
  go: ['CGO_ENABLED', 'GOFLAGS', 'GOWORK', 'GOEXPERIMENT', 'GOAMD64', 'GOARM64', 'GOTOOLCHAIN', 'GOFIPS140'],
  rust: [
    'RUSTFLAGS',
    'RUSTUP_TOOLCHAIN',
    'CARGO_ENCODED_RUSTFLAGS',
    'CARGO_BUILD_RUSTFLAGS',
    'CARGO_PROFILE_*',
    'CARGO_TARGET_*_RUSTFLAGS',
  ],
  java: ['MAVEN_ARGS', 'ORG_GRADLE_PROJECT_*'],
  ruby: ['BUNDLE_WITH', 'BUNDLE_WITHOUT', 'BUNDLE_ONLY', 'BUNDLE_FORCE_RUBY_PLATFORM'],
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
