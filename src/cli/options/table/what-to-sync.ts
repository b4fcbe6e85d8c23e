import { SYNCABLE_TYPES } from '../../../template/kinds/kinds.ts';
import type { SyncableType } from '../../../template/kinds/kinds.ts';
import { FILE, FLAG, TEXT, list, oneOf } from '../grammar.ts';
import { EXCLUDES } from '../identified-grammars.ts';
import { checkResourceId, checkStackName } from '../option-checks.ts';
import { WORDS, option } from '../option-spec.ts';

/** Options that choose what a run syncs. */
export const WHAT_TO_SYNC = {
  stackName: option({
    names: ['--stack-name'],
    grammar: TEXT,
    check: checkStackName,
    group: 'What to sync',
    help: 'Name of the CloudFormation stack. Required, here or in the samconfig.',
    configKeys: ['stack_name'],
    whenChanged: 'fixed',
  }),
  templateFile: option({
    names: ['--template-file', '--template', '-t'],
    grammar: FILE,
    defaultText: 'template.yaml, template.yml or template.json',
    group: 'What to sync',
    help: 'AWS SAM or CloudFormation template, in YAML or JSON.',
    configKeys: ['template_file', 'template'],
    variables: ['SAM_TEMPLATE_FILE'],
  }),
  watch: option({
    names: ['--watch'],
    negation: '--no-watch',
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'Keep running and sync every change you save.',
    configKeys: ['watch'],
    whenChanged: 'start',
  }),
  directConfig: option({
    names: ['--direct-config'],
    negation: '--no-direct-config',
    grammar: FLAG,
    default: true,
    group: 'What to sync',
    help: 'With --watch: changed settings of functions, queues, schedules, alarms, … and definitions in the template take effect at once, through the service APIs; a deployment of the stack follows when you pause.',
    configKeys: ['direct_config'],
  }),
  code: option({
    names: ['--code'],
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'Sync only code (functions, layers, API definitions, state machines), through the service APIs instead of CloudFormation.',
    configKeys: ['code'],
    whenChanged: 'fixed',
  }),
  resourceIds: option({
    names: ['--resource-id'],
    grammar: list({ metavar: 'ID', split: { by: WORDS, typedToo: false }, check: checkResourceId }),
    repeatable: true,
    default: [],
    group: 'What to sync',
    help: 'With --code or --watch: sync only this resource. Format: LogicalId, or ChildStack/LogicalId in a nested stack.',
    configKeys: ['resource_id'],
  }),
  resourceTypes: option<SyncableType[]>({
    names: ['--resource'],
    grammar: list({ metavar: 'TYPE', split: { by: WORDS, typedToo: false }, check: oneOf(SYNCABLE_TYPES) }),
    repeatable: true,
    default: [],
    group: 'What to sync',
    help: `With --code or --watch: sync only resources of this type: ${SYNCABLE_TYPES.join(', ')}.`,
    configKeys: ['resource'],
  }),
  skipDeploySync: option({
    names: ['--skip-deploy-sync'],
    negation: '--no-skip-deploy-sync',
    grammar: FLAG,
    default: true,
    group: 'What to sync',
    help: 'Skip the deployment if the templates match the deployed stack.',
    configKeys: ['skip_deploy_sync'],
  }),
  watchExclude: option({
    names: ['--watch-exclude'],
    grammar: EXCLUDES,
    repeatable: true,
    default: {},
    group: 'What to sync',
    help: 'Files of resource ID that --watch ignores: a regular expression for the path, or a glob, e.g. HelloFunction=*.db.',
    configKeys: ['watch_exclude'],
  }),
  tail: option({
    names: ['--tail'],
    negation: '--no-tail',
    grammar: FLAG,
    default: false,
    group: 'What to sync',
    help: 'With --watch: show the log lines of functions (CloudWatch Logs).',
    configKeys: ['tail'],
  }),
} as const;
