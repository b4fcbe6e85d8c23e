import type { OptionKey, OptionValues } from './options.ts';

/** The source of a value; an earlier one takes precedence. */
export type Source = 'typed' | 'variable' | 'samconfig' | 'default';

/** The values resolved so far. */
export interface OptionFacts {
  value<K extends OptionKey>(key: K): OptionValues[K] | undefined;
  source(key: OptionKey): Source | undefined;
}

/** What to report and change when options do not go together. */
export interface Rule {
  applies(facts: OptionFacts): boolean;
  /** An error ends the run with exit code 2. */
  level: 'error' | 'warning' | 'info' | 'debug';
  text: string | ((facts: OptionFacts) => string);
  hint?: string | ((facts: OptionFacts) => string);
  /** Options without effect: they go back to their defaults. */
  drops?: readonly OptionKey[];
  /** Samconfig options that a typed one replaces: they go back to their defaults, and `--save-params` removes them. */
  overrules?: readonly OptionKey[];
  /** Flags to switch off. */
  turnsOff?: readonly OptionKey[];
}

const typed = (facts: OptionFacts, key: OptionKey): boolean => facts.source(key) === 'typed';
const given = (facts: OptionFacts, key: OptionKey): boolean =>
  facts.source(key) !== undefined && facts.source(key) !== 'default' && !isNothing(facts.value(key));
const isNothing = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
/** Both are given, from sources of the same rank. */
const clash = (facts: OptionFacts, one: OptionKey, other: OptionKey): boolean =>
  given(facts, one) && given(facts, other) && typed(facts, one) === typed(facts, other);
/** Both are given, but only `one` was typed. */
const beats = (facts: OptionFacts, one: OptionKey, other: OptionKey): boolean =>
  given(facts, one) && given(facts, other) && typed(facts, one) && !typed(facts, other);

const filters = (facts: OptionFacts): OptionKey[] =>
  (['resourceIds', 'resourceTypes'] as const).filter((key) => given(facts, key));
const filterNames = (facts: OptionFacts): string =>
  filters(facts)
    .map((key) => (key === 'resourceTypes' ? '--resource' : '--resource-id'))
    .join(' and ');
/** The verb that goes with `filterNames`. */
const agrees = (facts: OptionFacts, one: string, several: string): string =>
  filters(facts).length === 1 ? one : several;
const partial = (facts: OptionFacts): boolean => facts.value('code') === true || facts.value('watch') === true;

/** The message of a run without the only option that has no default. */
export const MISSING_STACK_NAME = "Missing option '--stack-name'";

/** Which options go together, in order of evaluation; later rules do not see options that an earlier one dropped. */
export const RULES: readonly Rule[] = [
  {
    applies: (facts) => isNothing(facts.value('stackName')),
    level: 'error',
    text: MISSING_STACK_NAME,
    hint: (facts) =>
      `Pass it on the command line, or set stack_name in [${facts.value('configEnv') ?? 'default'}.sync.parameters] of samconfig.toml.`,
  },
  {
    applies: (facts) => clash(facts, 's3Bucket', 'resolveS3') && typed(facts, 's3Bucket'),
    level: 'error',
    text: '--s3-bucket and --resolve-s3 cannot be combined: --resolve-s3 selects the managed bucket',
  },
  {
    // sync of SAM CLI has no resolve_s3, so samconfigs for several commands may have both
    applies: (facts) => clash(facts, 's3Bucket', 'resolveS3'),
    level: 'warning',
    text: 'The samconfig has both s3_bucket and resolve_s3: using s3_bucket',
    drops: ['resolveS3'],
  },
  {
    applies: (facts) => beats(facts, 's3Bucket', 'resolveS3'),
    level: 'debug',
    text: 'Using --s3-bucket instead of resolve_s3 from the samconfig',
    overrules: ['resolveS3'],
  },
  {
    applies: (facts) => beats(facts, 'resolveS3', 's3Bucket'),
    level: 'info',
    text: 'Using the managed bucket (--resolve-s3) instead of s3_bucket from the samconfig',
    overrules: ['s3Bucket'],
  },
  {
    applies: (facts) => facts.value('dryRun') === true && facts.value('watch') === true && typed(facts, 'watch'),
    level: 'error',
    text: '--dry-run and --watch cannot be combined: a watch syncs what you save',
  },
  {
    applies: (facts) => facts.value('dryRun') === true && facts.value('watch') === true,
    level: 'info',
    text: 'Not watching, because of --dry-run',
    drops: ['watch'],
  },
  {
    applies: (facts) => facts.value('tail') === true && facts.value('watch') !== true && typed(facts, 'tail'),
    level: 'error',
    text: '--tail needs --watch: only a watch shows log lines',
  },
  {
    applies: (facts) => facts.value('ui') === true && facts.value('watch') !== true && typed(facts, 'ui'),
    level: 'error',
    text: '--ui needs --watch: it shows a running session',
  },
  {
    applies: (facts) => !partial(facts) && filters(facts).some((key) => typed(facts, key)),
    level: 'error',
    text: (facts) =>
      `${filterNames(facts)} ${agrees(facts, 'needs', 'need')} --code or --watch: a plain sync deploys the whole stack`,
  },
  {
    applies: (facts) => !partial(facts) && filters(facts).length > 0,
    level: 'warning',
    text: (facts) =>
      `${filterNames(facts)} in the samconfig ${agrees(facts, 'has', 'have')} no effect without --code or --watch`,
    drops: ['resourceIds', 'resourceTypes'],
  },
  {
    applies: (facts) => typed(facts, 'buildImages') && !facts.value('useContainer'),
    level: 'error',
    text: '--build-image needs --use-container',
  },
  {
    applies: (facts) => typed(facts, 'containerEnvVarFile') && !facts.value('useContainer'),
    level: 'error',
    text: '--container-env-var-file needs --use-container',
  },
  {
    applies: (facts) => typed(facts, 'containerVariables') && !facts.value('useContainer'),
    level: 'error',
    text: '--container-env-var needs --use-container',
  },
  {
    applies: (facts) => clash(facts, 'buildInSource', 'useContainer') && typed(facts, 'useContainer'),
    level: 'error',
    text: '--build-in-source and --use-container cannot be combined',
  },
  {
    applies: (facts) => beats(facts, 'buildInSource', 'useContainer'),
    level: 'info',
    text: 'Building in the source folder (--build-in-source) instead of containers (use_container in the samconfig)',
    overrules: ['useContainer'],
  },
  {
    applies: (facts) => given(facts, 'buildInSource') && given(facts, 'useContainer'),
    level: 'warning',
    text: 'build_in_source has no effect with --use-container: containers do not build in the source folder',
    drops: ['buildInSource'],
  },
  {
    applies: (facts) =>
      typed(facts, 'buildCacheWrite') && given(facts, 'buildCacheWrite') && !given(facts, 'buildCache'),
    level: 'error',
    text: '--build-cache-write needs --build-cache',
  },
  {
    applies: (facts) => given(facts, 'buildCacheWrite') && facts.value('watch') === true,
    level: 'info',
    text: 'A watch reads the build cache and writes nothing to it',
    turnsOff: ['buildCacheWrite'],
  },
  {
    applies: (facts) => clash(facts, 'imageRepository', 'imageRepositories'),
    level: 'error',
    text: '--image-repository and --image-repositories cannot be combined: choose one repository for all images or one per function',
  },
  {
    applies: (facts) =>
      typed(facts, 'imageRepository') && typed(facts, 'resolveImageRepos') && facts.value('resolveImageRepos') === true,
    level: 'error',
    text: '--image-repository and --resolve-image-repos cannot be combined: choose one repository for all images or managed ones',
  },
  {
    applies: (facts) => beats(facts, 'imageRepository', 'imageRepositories'),
    level: 'info',
    text: 'Using --image-repository instead of image_repositories from the samconfig',
    overrules: ['imageRepositories'],
  },
  {
    applies: (facts) => beats(facts, 'imageRepositories', 'imageRepository'),
    level: 'info',
    text: 'Using --image-repositories instead of image_repository from the samconfig',
    overrules: ['imageRepository'],
  },
  {
    applies: (facts) => facts.value('useContainer') === true && facts.value('dependencyLayer') === true,
    level: 'info',
    text: '--use-container turns the dependency layer off',
    turnsOff: ['dependencyLayer'],
  },
  {
    applies: (facts) => facts.value('local') === true && typed(facts, 'profile'),
    level: 'warning',
    text: '--profile has no effect with --local: the local cloud has its own credentials',
    drops: ['profile'],
  },
];
