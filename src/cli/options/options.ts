import { SYNCABLE_TYPES } from '../../template/kinds/kinds.ts';
import { CONTAINER_VARIABLES } from './container-variables.ts';
import { DIRECTORY, FILE, FLAG, TEXT, checked, choice, list, oneOf } from './grammar.ts';
import type { Grammar } from './grammar.ts';
import { BUILD_IMAGES, EXCLUDES, byIdentifier } from './identified-grammars.ts';
import { METADATA } from './metadata-grammar.ts';
import {
  checkArn,
  checkBucket,
  checkRegion,
  checkRepository,
  checkResourceId,
  checkStackName,
  checkTags,
} from './option-checks.ts';
import { PARAMETER_OVERRIDES } from './parameter-overrides.ts';
import { TAGS } from './tags-grammar.ts';

/** The headings of `--help`, in this order. */
export const OPTION_GROUPS = [
  'What to sync',
  'Account and Region',
  'Stack',
  'Artifacts',
  'Build',
  'Configuration',
  'Other',
] as const;

/** One option: all that parsing, help, samconfig, `--save-params` and the README know about it. */
export interface OptionSpec<T> {
  /** As typed; the first is the one that messages use. */
  names: readonly string[];
  /** The name that switches a flag off. */
  negation?: string;
  grammar: Grammar<T>;
  /** Takes all words up to the next one that starts with `-`. */
  greedy?: boolean;
  /** May be typed several times; all its words count. Otherwise the last time counts. */
  repeatable?: boolean;
  /** Throws for a value that has the right form but cannot be meant. */
  check?: (value: string, place: string) => void;
  default?: T;
  /** What help shows as the default where it is no value. */
  defaultText?: string;
  group: (typeof OPTION_GROUPS)[number];
  /** One or more sentences. */
  help: string;
  /** Keys in a samconfig's `parameters`; `--save-params` writes the first. */
  configKeys: readonly string[];
  /** Environment variables of its own, which beat the samconfig. */
  variables: readonly string[];
  /** Values may be secrets and are never shown. */
  secret: boolean;
  /** Whether `--save-params` writes it. */
  saved: boolean;
}

type Declaration<T> = Pick<OptionSpec<T>, 'names' | 'grammar' | 'group' | 'help'> & Partial<OptionSpec<T>>;

function option<T>(declaration: Declaration<T>): OptionSpec<T> {
  return { configKeys: [], variables: [], secret: false, saved: declaration.configKeys !== undefined, ...declaration };
}

const WORDS = /[\s,]+/;

/** Every option of `sam sync`. */
export const OPTIONS = {
  stackName: option({
    names: ['--stack-name'],
    grammar: TEXT,
    check: checkStackName,
    group: 'What to sync',
    help: 'Name of the CloudFormation stack. Required here or in the samconfig.',
    configKeys: ['stack_name'],
  }),
  templateFile: option({
    names: ['--template-file', '--template', '-t'],
    grammar: FILE,
    defaultText: 'template.yaml, template.yml or template.json',
    group: 'What to sync',
    help: 'The AWS SAM or CloudFormation template, YAML or JSON.',
    configKeys: ['template_file', 'template'],
    variables: ['SAM_TEMPLATE_FILE'],
  }),
  watch: option({
    names: ['--watch'],
    negation: '--no-watch',
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'Stay, and sync each change of the project as it is saved.',
    configKeys: ['watch'],
  }),
  code: option({
    names: ['--code'],
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'Sync code only (functions, layers, API definitions, state machines), directly through the service APIs and without CloudFormation.',
    configKeys: ['code'],
  }),
  resourceId: option({
    names: ['--resource-id'],
    grammar: list({ metavar: 'ID', split: { by: WORDS, typedToo: false }, check: checkResourceId }),
    repeatable: true,
    group: 'What to sync',
    help: 'With --code or --watch: only this resource. LogicalId, or ChildStack/LogicalId in a nested stack.',
    configKeys: ['resource_id'],
  }),
  resource: option({
    names: ['--resource'],
    grammar: list({ metavar: 'TYPE', split: { by: WORDS, typedToo: false }, check: oneOf(SYNCABLE_TYPES) }),
    repeatable: true,
    group: 'What to sync',
    help: `With --code or --watch: only resources of this type. One of ${SYNCABLE_TYPES.join(', ')}.`,
    configKeys: ['resource'],
  }),
  skipDeploySync: option({
    names: ['--skip-deploy-sync'],
    negation: '--no-skip-deploy-sync',
    grammar: FLAG,
    default: true,
    group: 'What to sync',
    help: 'Leave out the deployment if the stack already has what the templates say.',
    configKeys: ['skip_deploy_sync'],
  }),
  watchExclude: option({
    names: ['--watch-exclude'],
    grammar: EXCLUDES,
    repeatable: true,
    group: 'What to sync',
    help: 'What --watch leaves alone of resource ID: a regular expression for the path, or a glob, e.g. HelloFunction=*.db.',
    configKeys: ['watch_exclude'],
  }),
  tail: option({
    names: ['--tail'],
    negation: '--no-tail',
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'With --watch: show log lines of the functions as they come (CloudWatch Logs).',
    configKeys: ['tail'],
  }),

  region: option({
    names: ['--region'],
    grammar: TEXT,
    check: checkRegion,
    group: 'Account and Region',
    help: 'AWS Region. Else from the samconfig, AWS_REGION, AWS_DEFAULT_REGION or the profile.',
    configKeys: ['region'],
  }),
  profile: option({
    names: ['--profile'],
    grammar: TEXT,
    group: 'Account and Region',
    help: 'Profile of the AWS configuration files whose credentials and Region are used.',
    configKeys: ['profile'],
  }),
  local: option({
    names: ['--local'],
    negation: '--no-local',
    grammar: FLAG,
    default: false,
    group: 'Account and Region',
    help: 'Sync to the local cloud on this machine instead of an AWS account. It is set up and started when needed.',
    configKeys: ['local'],
    saved: false,
  }),

  parameterOverrides: option({
    names: ['--parameter-overrides'],
    grammar: PARAMETER_OVERRIDES,
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'Values of template parameters: Key=Value words, or file://params.yaml (.toml, .yaml, .yml, .json).',
    configKeys: ['parameter_overrides'],
    secret: true,
  }),
  capabilities: option({
    names: ['--capabilities'],
    grammar: list({
      metavar: 'CAPABILITY...',
      split: { by: WORDS, typedToo: true },
      check: oneOf(['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND', 'CAPABILITY_RESOURCE_POLICY']),
    }),
    greedy: true,
    repeatable: true,
    default: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    group: 'Stack',
    help: 'What the template may do. CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND, CAPABILITY_RESOURCE_POLICY.',
    configKeys: ['capabilities'],
  }),
  roleArn: option({
    names: ['--role-arn'],
    grammar: TEXT,
    check: checkArn,
    group: 'Stack',
    help: 'IAM role that CloudFormation takes to change the stack.',
    configKeys: ['role_arn'],
  }),
  notificationArns: option({
    names: ['--notification-arns'],
    grammar: list({
      metavar: 'ARN...',
      split: { by: WORDS, typedToo: true },
      check: (arn, place) => {
        checkArn(arn, place);
        return arn;
      },
    }),
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'SNS topics that CloudFormation tells about the stack.',
    configKeys: ['notification_arns'],
  }),
  tags: option({
    names: ['--tags'],
    grammar: checked(TAGS, checkTags),
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'Tags of the stack, which CloudFormation gives to its resources too.',
    configKeys: ['tags'],
  }),
  express: option({
    names: ['--express'],
    negation: '--no-express',
    grammar: FLAG,
    default: true,
    group: 'Stack',
    help: "CloudFormation's express mode: done when the configuration is applied, without waiting for resources to settle.",
    configKeys: ['express'],
  }),

  s3Bucket: option({
    names: ['--s3-bucket'],
    grammar: TEXT,
    check: checkBucket,
    defaultText: "the account's managed bucket",
    group: 'Artifacts',
    help: 'Bucket for code and templates.',
    configKeys: ['s3_bucket'],
  }),
  resolveS3: option({
    names: ['--resolve-s3'],
    negation: '--no-resolve-s3',
    grammar: FLAG,
    default: false,
    group: 'Artifacts',
    help: 'Use the managed bucket, which is the default, even if the samconfig names another.',
    configKeys: ['resolve_s3'],
  }),
  s3Prefix: option({
    names: ['--s3-prefix'],
    grammar: TEXT,
    group: 'Artifacts',
    help: 'Folder in the bucket.',
    configKeys: ['s3_prefix'],
  }),
  kmsKeyId: option({
    names: ['--kms-key-id'],
    grammar: TEXT,
    defaultText: "S3's own keys",
    group: 'Artifacts',
    help: 'KMS key that encrypts what is uploaded.',
    configKeys: ['kms_key_id'],
  }),
  metadata: option({
    names: ['--metadata'],
    grammar: METADATA,
    repeatable: true,
    group: 'Artifacts',
    help: 'Metadata of the uploaded S3 objects: key=value,key2=value2 or a JSON object.',
    configKeys: ['metadata'],
  }),
  imageRepository: option({
    names: ['--image-repository'],
    grammar: { ...TEXT, metavar: 'URI' },
    check: checkRepository,
    group: 'Artifacts',
    help: 'ECR repository for the images of all functions of package type Image.',
    configKeys: ['image_repository'],
  }),
  imageRepositories: option({
    names: ['--image-repositories'],
    grammar: byIdentifier('ID=URI', checkRepository),
    repeatable: true,
    group: 'Artifacts',
    help: 'ECR repository for the image of one function.',
    configKeys: ['image_repositories'],
  }),
  resolveImageRepos: option({
    names: ['--resolve-image-repos'],
    negation: '--no-resolve-image-repos',
    grammar: FLAG,
    default: false,
    group: 'Artifacts',
    help: 'Have an ECR repository made for each function of package type Image that has none, in a stack of their own.',
    configKeys: ['resolve_image_repos'],
  }),

  baseDir: option({
    names: ['--base-dir', '-s'],
    grammar: DIRECTORY,
    defaultText: "each template's own folder",
    group: 'Build',
    help: 'Relative paths to source code start here, in nested stacks too.',
    configKeys: ['base_dir'],
  }),
  dependencyLayer: option({
    names: ['--dependency-layer'],
    negation: '--no-dependency-layer',
    grammar: FLAG,
    default: true,
    group: 'Build',
    help: "Put a function's dependencies into a layer of their own, so that code alone travels when code alone changes.",
    configKeys: ['dependency_layer'],
  }),
  useContainer: option({
    names: ['--use-container', '-u'],
    negation: '--no-use-container',
    grammar: FLAG,
    default: false,
    group: 'Build',
    help: 'Build in containers like those of Lambda. Goes without the dependency layer.',
    configKeys: ['use_container'],
  }),
  buildImage: option({
    names: ['--build-image', '-bi'],
    grammar: BUILD_IMAGES,
    repeatable: true,
    group: 'Build',
    help: 'With --use-container: image to build in, for all functions and layers (URI) or one (ID=URI).',
    configKeys: ['build_image'],
  }),
  containerEnvVarFile: option({
    names: ['--container-env-var-file', '-ef'],
    grammar: FILE,
    group: 'Build',
    help: 'With --use-container: JSON file with environment variables of the build containers.',
    configKeys: ['container_env_var_file'],
  }),
  containerEnvVar: option({
    names: ['--container-env-var', '-e'],
    grammar: CONTAINER_VARIABLES,
    repeatable: true,
    group: 'Build',
    help: 'With --use-container: environment variable of the build containers, of all or of one function or layer.',
    configKeys: ['container_env_var'],
    secret: true,
  }),
  buildInSource: option({
    names: ['--build-in-source'],
    negation: '--no-build-in-source',
    grammar: FLAG,
    default: false,
    group: 'Build',
    help: 'Build in the source folder instead of a copy (Node.js, esbuild, makefile).',
    configKeys: ['build_in_source'],
  }),
  languageExtensions: option({
    names: ['--language-extensions'],
    negation: '--no-language-extensions',
    grammar: FLAG,
    defaultText: "on if the template's Transform names AWS::LanguageExtensions",
    group: 'Build',
    help: 'Resolve AWS::LanguageExtensions (Fn::ForEach and others) before building.',
    configKeys: ['language_extensions'],
    variables: ['SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS'],
  }),

  configFile: option({
    names: ['--config-file'],
    grammar: FILE,
    defaultText: 'samconfig.toml, .yaml, .yml or .json',
    group: 'Configuration',
    help: 'File with values of options, looked for beside the template and in the current folder.',
  }),
  configEnv: option({
    names: ['--config-env'],
    grammar: TEXT,
    default: 'default',
    group: 'Configuration',
    help: 'Which environment of that file counts: its sections [ENV.global.parameters] and [ENV.sync.parameters].',
  }),
  saveParams: option({
    names: ['--save-params'],
    grammar: FLAG,
    default: false,
    group: 'Configuration',
    help: 'Write the options typed now into that file, so that the next run needs none.',
    configKeys: ['save_params'],
    saved: false,
  }),

  dryRun: option({
    names: ['--dry-run'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Show what would be uploaded, updated and deployed, and why. Nothing in the cloud is changed.',
  }),
  yes: option({
    names: ['--yes', '-y'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Answer all questions with yes, but never delete a stack in REVIEW_IN_PROGRESS or DELETE_FAILED. So does the environment variable CI.',
  }),
  output: option<'text' | 'json'>({
    names: ['--output'],
    grammar: choice(['text', 'json']),
    default: 'text',
    group: 'Other',
    help: 'json: one JSON document with the result on standard output (with --watch: one event a line), everything else on standard error.',
  }),
  betaFeatures: option({
    names: ['--beta-features'],
    negation: '--no-beta-features',
    grammar: FLAG,
    group: 'Other',
    help: 'Accepted for compatibility; no feature here hides behind it.',
    configKeys: ['beta_features'],
    saved: false,
  }),
  debug: option({
    names: ['--debug'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Show what is done and how long it takes: tools, service calls, decisions.',
    configKeys: ['debug'],
    variables: ['SAM_DEBUG'],
    saved: false,
  }),
  version: option({ names: ['--version'], grammar: FLAG, group: 'Other', help: 'Show the version and stop.' }),
  help: option({ names: ['--help', '-h'], grammar: FLAG, group: 'Other', help: 'Show this text and stop.' }),
} as const;

/** The name of an option in the program. */
export type OptionKey = keyof typeof OPTIONS;

/** The value of each option. */
export type OptionValues = {
  [K in OptionKey]: (typeof OPTIONS)[K] extends OptionSpec<infer T> ? T : never;
};

/** All rows of the table. */
export const OPTION_ENTRIES = Object.entries(OPTIONS) as [OptionKey, OptionSpec<unknown>][];

/** What a name on the command line means. */
export interface NamedOption {
  key: OptionKey;
  spec: OptionSpec<unknown>;
  /** The name is the one that switches the flag off. */
  off: boolean;
}

/** All names, and the option that each means. */
export const OPTIONS_BY_NAME: ReadonlyMap<string, NamedOption> = new Map(
  OPTION_ENTRIES.flatMap(([key, spec]) => {
    const negations = spec.negation === undefined ? [] : [spec.negation];
    return [
      ...spec.names.map((name): [string, NamedOption] => [name, { key, spec, off: false }]),
      ...negations.map((name): [string, NamedOption] => [name, { key, spec, off: true }]),
    ];
  }),
);
