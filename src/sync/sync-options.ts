import type { Acceptance } from '../shared-cache/acceptance.ts';
import type { SyncableType } from '../template/kinds/kinds.ts';

/** Environment variables of build containers. */
export interface ContainerVariables {
  all: Readonly<Record<string, string>>;
  /** By the id of a function or layer. */
  byId: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Build images: `all` for every function and layer, `byId` for single ones, which take precedence. */
export interface BuildImages {
  all: string | undefined;
  byId: Readonly<Record<string, string>>;
}

/**
 * What a running watch does when the samconfig changes an option. `followed`: the next sync uses the new value. `deployed`:
 * the next deployment uses it, which `--code` leaves to the user. `fixed`: it decides where everything goes, so the watch
 * refuses the change. `start`: the watch has used it already.
 */
export type OptionChange = 'followed' | 'deployed' | 'fixed' | 'start';

/**
 * Everything that one run needs to know, resolved once from command line, environment, samconfig and defaults.
 * Nothing below `cli/` reads `process.env` or `process.argv`.
 */
export interface SyncOptions {
  stackName: string;
  /** Absolute. */
  templateFile: string;
  /** Where `.aws-sam` lives: the folder the command was run in. Absolute. */
  projectDir: string;
  /** `--base-dir`, absolute; relative code paths resolve against it instead of their template's folder. */
  baseDir: string | undefined;
  /** `--code`: service APIs only, no CloudFormation. */
  code: boolean;
  watch: boolean;
  /** `--direct-config`: with `watch`, settings that services take take effect before they are deployed. */
  directConfig: boolean;
  /** `--tail`: with `watch`, log lines of the functions. */
  tail: boolean;
  /** `--ui`: with `watch`, a page of the session. */
  ui: boolean;
  /** `Child/Grand/LogicalId`; empty means all. */
  resourceIds: readonly string[];
  resourceTypes: readonly SyncableType[];
  dependencyLayer: boolean;
  skipDeploySync: boolean;
  express: boolean;
  useContainer: boolean;
  buildInSource: boolean;
  buildImages: BuildImages;
  /** `--container-env-var-file`, absolute. */
  containerEnvVarFile: string | undefined;
  /** That file's variables and those of `--container-env-var`. */
  containerVariables: ContainerVariables;
  /** Places of shared build caches, in the order of reading. */
  buildCache: readonly string[];
  /** Builds are added to the first one. */
  buildCacheWrite: boolean;
  buildCacheAccept: Acceptance;
  imageRepository: string | undefined;
  imageRepositories: Readonly<Record<string, string>>;
  /** `--resolve-image-repos`. */
  resolveImageRepos: boolean;
  /** undefined: the managed bucket. */
  s3Bucket: string | undefined;
  s3Prefix: string | undefined;
  kmsKeyId: string | undefined;
  roleArn: string | undefined;
  /** undefined: not given; an updated stack keeps its topics. */
  notificationArns: readonly string[] | undefined;
  tags: Readonly<Record<string, string>> | undefined;
  /** Metadata of uploaded S3 objects. */
  metadata: Readonly<Record<string, string>> | undefined;
  capabilities: readonly string[];
  parameterOverrides: Readonly<Record<string, string>>;
  /** What to do about parameter overrides that the samconfig has for another command or environment. */
  overridesElsewhere?: string | undefined;
  /** Resource identifier → patterns. */
  watchExclude: Readonly<Record<string, readonly string[]>>;
  /** undefined: as the template's `Transform` says. */
  languageExtensions: boolean | undefined;
  profile: string | undefined;
  /** From `--region`, the environment, samconfig or the profile; undefined if none of them has it. */
  region: string | undefined;
  debug: boolean;
  /** `--yes`, or `CI` is set: questions are answered with yes. */
  yes: boolean;
  output: 'text' | 'json';
  /** `--local`: the local cloud instead of an account. */
  local: boolean;
  dryRun: boolean;
}
