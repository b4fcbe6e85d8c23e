import { UserError } from '../../errors.ts';
import type { SyncOptions } from '../../sync/sync-options.ts';
import type { WatchEnvironment } from '../../sync/sync-environment.ts';

/**
 * What a running watch does when the value of an option changes. `followed`: the next sync uses it. `deployed`: the next
 * deployment uses it, which the user starts with `--code`. `fixed`: it determines the target, so the change is an error.
 * `start`: it takes effect at the next start.
 */
type Handling = 'followed' | 'deployed' | 'fixed' | 'start';

/** The handling of each option. */
export const HANDLING: Readonly<Record<keyof SyncOptions, Handling>> = {
  stackName: 'fixed',
  region: 'fixed',
  profile: 'fixed',
  local: 'fixed',
  projectDir: 'fixed',
  code: 'fixed',
  output: 'fixed',
  watch: 'start',
  debug: 'start',
  dryRun: 'start',
  tags: 'deployed',
  notificationArns: 'deployed',
  templateFile: 'followed',
  baseDir: 'followed',
  tail: 'followed',
  resourceIds: 'followed',
  resourceTypes: 'followed',
  dependencyLayer: 'followed',
  skipDeploySync: 'followed',
  express: 'followed',
  useContainer: 'followed',
  buildInSource: 'followed',
  buildImage: 'followed',
  buildImages: 'followed',
  containerEnvVarFile: 'followed',
  containerVariables: 'followed',
  imageRepository: 'followed',
  imageRepositories: 'followed',
  resolveImageRepos: 'followed',
  s3Bucket: 'followed',
  s3Prefix: 'followed',
  kmsKeyId: 'followed',
  roleArn: 'followed',
  metadata: 'followed',
  capabilities: 'followed',
  parameterOverrides: 'followed',
  watchExclude: 'followed',
  languageExtensions: 'followed',
  yes: 'followed',
};

/** The options as read again. */
export interface ChangedOptions {
  options: SyncOptions;
  files: readonly string[];
  isChanged: boolean;
  /** What the user has to know or do. */
  warnings: readonly string[];
}

/** Reads the options from the samconfig and parameter files again. Rejects if they are wrong or change the target. */
export async function readChangedOptions(
  before: SyncOptions,
  watch: Pick<WatchEnvironment, 'readOptions'>,
): Promise<ChangedOptions> {
  const { options, files } = await watch.readOptions();
  const changed = (Object.keys(HANDLING) as (keyof SyncOptions)[]).filter(
    (name) => JSON.stringify(options[name]) !== JSON.stringify(before[name]),
  );
  const changedWith = (handling: Handling): (keyof SyncOptions)[] =>
    changed.filter((name) => HANDLING[name] === handling);
  const fixed = changedWith('fixed');
  if (fixed.length > 0) {
    throw new UserError(`The configuration changed ${configNames(fixed)}, which a running watch cannot follow`, {
      hint: 'Restart the watch, or undo the change.',
    });
  }
  const late = changedWith('start');
  const waiting = before.code ? changedWith('deployed') : [];
  const warnings = [
    ...warnOf(late, 'it takes effect at the next start'),
    ...warnOf(waiting, 'press d, or sync without --code, to apply it'),
  ];
  const kept = Object.fromEntries(late.map((name) => [name, before[name]]));
  return { options: { ...options, ...kept }, files, isChanged: changed.length > late.length, warnings };
}

function warnOf(names: readonly (keyof SyncOptions)[], what: string): string[] {
  return names.length === 0 ? [] : [`The configuration changed ${configNames(names)}: ${what}`];
}

/** Names the options as the samconfig does. */
function configNames(names: readonly (keyof SyncOptions)[]): string {
  return names.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).join(', ');
}
