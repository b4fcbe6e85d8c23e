import { FILE, FLAG, TEXT, choice } from '../grammar.ts';
import { option } from '../option-spec.ts';

/** Options of the configuration file. */
export const CONFIGURATION = {
  configFile: option({
    names: ['--config-file'],
    grammar: FILE,
    defaultText: 'samconfig.toml, .yaml, .yml or .json',
    group: 'Configuration',
    help: 'Configuration file, in the folder of the template or the current folder.',
    commandLineOnly: true,
  }),
  configEnv: option({
    names: ['--config-env'],
    grammar: TEXT,
    default: 'default',
    group: 'Configuration',
    help: 'Which environment of that file to use: its sections [ENV.global.parameters] and [ENV.sync.parameters].',
    commandLineOnly: true,
  }),
  saveParams: option({
    names: ['--save-params'],
    grammar: FLAG,
    default: false,
    group: 'Configuration',
    help: 'Save the options of this command line in that file.',
    configKeys: ['save_params'],
    saved: false,
    commandLineOnly: true,
  }),
} as const;

/** The other options. */
export const OTHER = {
  dryRun: option({
    names: ['--dry-run'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Show what a sync would upload, update and deploy, and why. Changes nothing in the cloud.',
    whenChanged: 'start',
  }),
  yes: option({
    names: ['--yes', '-y'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Answer all questions with yes, as the environment variable CI does. Never deletes a stack in REVIEW_IN_PROGRESS or DELETE_FAILED.',
  }),
  output: option<'text' | 'json'>({
    names: ['--output'],
    grammar: choice(['text', 'json']),
    default: 'text',
    group: 'Other',
    help: 'json: write the result to standard output as one JSON document (with --watch: one event per line), and everything else to standard error.',
    whenChanged: 'fixed',
  }),
  betaFeatures: option({
    names: ['--beta-features'],
    negation: '--no-beta-features',
    grammar: FLAG,
    group: 'Other',
    help: 'Accepted for compatibility; has no effect.',
    configKeys: ['beta_features'],
    saved: false,
    commandLineOnly: true,
  }),
  debug: option({
    names: ['--debug'],
    grammar: FLAG,
    default: false,
    group: 'Other',
    help: 'Show tools, service calls, decisions and how long each step takes.',
    configKeys: ['debug'],
    variables: ['SAM_DEBUG'],
    saved: false,
    whenChanged: 'start',
  }),
  version: option({
    names: ['--version'],
    grammar: FLAG,
    group: 'Other',
    help: 'Show the version and exit.',
    commandLineOnly: true,
  }),
  help: option({
    names: ['--help', '-h'],
    grammar: FLAG,
    group: 'Other',
    help: 'Show this help and exit.',
    commandLineOnly: true,
  }),
} as const;
