import { FLAG, TEXT, checked, list, oneOf } from '../grammar.ts';
import { checkRoleArn, checkTags, checkTopicArn } from '../option-checks.ts';
import { WORDS, option } from '../option-spec.ts';
import { PARAMETER_OVERRIDES } from '../parameter-overrides.ts';
import { TAGS } from '../tags-grammar.ts';

/** Options of the deployment. */
export const STACK = {
  parameterOverrides: option({
    names: ['--parameter-overrides'],
    grammar: PARAMETER_OVERRIDES,
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'Values of template parameters: Key=Value pairs, or file://params.yaml (.toml, .yaml, .yml, .json).',
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
    help: 'Capabilities the template needs: CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND, CAPABILITY_RESOURCE_POLICY.',
    configKeys: ['capabilities'],
  }),
  roleArn: option({
    names: ['--role-arn'],
    grammar: TEXT,
    check: checkRoleArn,
    group: 'Stack',
    help: 'IAM role CloudFormation assumes for the deployment.',
    configKeys: ['role_arn'],
  }),
  notificationArns: option({
    names: ['--notification-arns'],
    grammar: list({
      metavar: 'ARN...',
      split: { by: WORDS, typedToo: true },
      check: (arn, place) => {
        checkTopicArn(arn, place);
        return arn;
      },
    }),
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'SNS topics that receive the events of the stack.',
    configKeys: ['notification_arns'],
    whenChanged: 'deployed',
  }),
  tags: option({
    names: ['--tags'],
    grammar: checked(TAGS, checkTags),
    greedy: true,
    repeatable: true,
    group: 'Stack',
    help: 'Tags of the stack. CloudFormation also applies them to its resources.',
    configKeys: ['tags'],
    whenChanged: 'deployed',
  }),
  express: option({
    names: ['--express'],
    negation: '--no-express',
    grammar: FLAG,
    default: true,
    group: 'Stack',
    help: "Use CloudFormation's express mode, which does not wait for resources to stabilize.",
    configKeys: ['express'],
  }),
} as const;
