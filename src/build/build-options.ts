/** What the build needs to know of a run. */
export interface BuildOptions {
  /** Where `.aws-sam` lives. Absolute. */
  projectDir: string;
  stackName: string;
  dependencyLayer: boolean;
  buildInSource: boolean;
  /** The environment of the user, for the tools that are run (PATH, proxies, registries). */
  env: Readonly<Record<string, string | undefined>>;
}
