import type { OptionKey, OptionValues } from './options.ts';

/** Where a value comes from; an earlier source beats a later one. */
export type Source = 'typed' | 'variable' | 'samconfig' | 'default';

/** The values as far as they are resolved. */
export interface OptionFacts {
  value<K extends OptionKey>(key: K): OptionValues[K] | undefined;
  source(key: OptionKey): Source | undefined;
}

/** What is said and changed when options do not go together. */
export interface Rule {
  applies(facts: OptionFacts): boolean;
  /** An error ends the run with exit code 2. */
  level: 'error' | 'warning' | 'info' | 'debug';
  text: string | ((facts: OptionFacts) => string);
  hint?: string;
  /** The options that have no effect. */
  drops?: readonly OptionKey[];
  /** The options of the samconfig that another, typed one replaces: `--save-params` removes them there too. */
  overrules?: readonly OptionKey[];
}

const typed = (facts: OptionFacts, key: OptionKey): boolean => facts.source(key) === 'typed';
const given = (facts: OptionFacts, key: OptionKey): boolean =>
  facts.source(key) !== undefined && facts.source(key) !== 'default' && !isNothing(facts.value(key));
const isNothing = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
/** Both say something, and neither is more to be believed because it alone was typed. */
const clash = (facts: OptionFacts, one: OptionKey, other: OptionKey): boolean =>
  given(facts, one) && given(facts, other) && typed(facts, one) === typed(facts, other);
/** Both say something, but only `one` was typed. */
const beats = (facts: OptionFacts, one: OptionKey, other: OptionKey): boolean =>
  given(facts, one) && given(facts, other) && typed(facts, one) && !typed(facts, other);

const limits = (facts: OptionFacts): OptionKey[] =>
  (['resourceId', 'resource'] as const).filter((key) => given(facts, key));
const limited = (facts: OptionFacts): string =>
  limits(facts)
    .map((key) => (key === 'resource' ? '--resource' : '--resource-id'))
    .join(' and ');
const partial = (facts: OptionFacts): boolean => facts.value('code') === true || facts.value('watch') === true;

/** How options go together, in the order in which it is looked at; what one rule drops, later ones do not see. */
export const RULES: readonly Rule[] = [
  {
    applies: (facts) => isNothing(facts.value('stackName')),
    level: 'error',
    text: 'The option --stack-name is missing',
    hint: 'Give it on the command line, or as stack_name in [default.sync.parameters] of samconfig.toml.',
  },
  {
    applies: (facts) => clash(facts, 's3Bucket', 'resolveS3') && typed(facts, 's3Bucket'),
    level: 'error',
    text: '--s3-bucket and --resolve-s3 exclude each other: the second one means the managed bucket',
  },
  {
    // the peer's sync does not know resolve_s3, so that files for several commands hold both
    applies: (facts) => clash(facts, 's3Bucket', 'resolveS3'),
    level: 'warning',
    text: 'The samconfig has both s3_bucket and resolve_s3; s3_bucket counts',
    drops: ['resolveS3'],
  },
  {
    applies: (facts) => beats(facts, 's3Bucket', 'resolveS3'),
    level: 'debug',
    text: 'Using --s3-bucket, not resolve_s3 of the samconfig',
    overrules: ['resolveS3'],
  },
  {
    applies: (facts) => beats(facts, 'resolveS3', 's3Bucket'),
    level: 'info',
    text: 'Using the managed bucket, as --resolve-s3 says, not the s3_bucket of the samconfig',
    overrules: ['s3Bucket'],
  },
  {
    applies: (facts) => facts.value('tail') === true && facts.value('watch') !== true && typed(facts, 'tail'),
    level: 'error',
    text: '--tail needs --watch: log lines are shown as long as it runs',
  },
  {
    applies: (facts) => !partial(facts) && limits(facts).some((key) => typed(facts, key)),
    level: 'error',
    text: (facts) => `${limited(facts)} needs --code or --watch: without them the whole stack is deployed`,
  },
  {
    applies: (facts) => !partial(facts) && limits(facts).length > 0,
    level: 'warning',
    text: (facts) => `${limited(facts)} of the samconfig has no effect without --code or --watch`,
    drops: ['resourceId', 'resource'],
  },
  {
    applies: (facts) => typed(facts, 'buildImage') && !facts.value('useContainer'),
    level: 'error',
    text: '--build-image needs --use-container',
  },
  {
    applies: (facts) => typed(facts, 'containerEnvVarFile') && !facts.value('useContainer'),
    level: 'error',
    text: '--container-env-var-file needs --use-container',
  },
  {
    applies: (facts) => typed(facts, 'containerEnvVar') && !facts.value('useContainer'),
    level: 'error',
    text: '--container-env-var needs --use-container',
  },
  {
    applies: (facts) => clash(facts, 'buildInSource', 'useContainer') && typed(facts, 'useContainer'),
    level: 'error',
    text: '--build-in-source and --use-container exclude each other',
  },
  {
    applies: (facts) => beats(facts, 'buildInSource', 'useContainer'),
    level: 'info',
    text: 'Building in the source folder, as --build-in-source says, not in containers as the samconfig says',
    overrules: ['useContainer'],
  },
  {
    applies: (facts) => given(facts, 'buildInSource') && given(facts, 'useContainer'),
    level: 'warning',
    text: 'Containers do not build in the source folder; build_in_source has no effect',
    drops: ['buildInSource'],
  },
  {
    applies: (facts) => clash(facts, 'imageRepository', 'imageRepositories'),
    level: 'error',
    text: '--image-repository and --image-repositories exclude each other: one repository for all images, or one for each function',
  },
  {
    applies: (facts) =>
      typed(facts, 'imageRepository') && typed(facts, 'resolveImageRepos') && facts.value('resolveImageRepos') === true,
    level: 'error',
    text: '--image-repository and --resolve-image-repos exclude each other: one repository for all images, or managed ones',
  },
  {
    applies: (facts) => beats(facts, 'imageRepository', 'imageRepositories'),
    level: 'info',
    text: 'Using --image-repository, not the image_repositories of the samconfig',
    overrules: ['imageRepositories'],
  },
  {
    applies: (facts) => beats(facts, 'imageRepositories', 'imageRepository'),
    level: 'info',
    text: 'Using --image-repositories, not the image_repository of the samconfig',
    overrules: ['imageRepository'],
  },
  {
    applies: (facts) => facts.value('useContainer') === true && facts.value('dependencyLayer') === true,
    level: 'info',
    text: 'The dependency layer does not go with --use-container yet: going on without it',
    drops: ['dependencyLayer'],
  },
  {
    applies: (facts) => facts.value('local') === true && typed(facts, 'profile'),
    level: 'warning',
    text: 'The local cloud has credentials of its own: --profile has no effect with --local',
    drops: ['profile'],
  },
];
