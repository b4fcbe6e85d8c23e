import { describe, expect, it } from 'vitest';
import type { DeployedStack } from '../../../src/deploy/describe-stack.ts';
import { answerUnasked, planDeploy, type DeployPlan, type DeployRequest } from '../../../src/deploy/plan-deploy.ts';
import type { Template } from '../../../src/template/template.ts';

const TEMPLATE: Template = {
  Parameters: {
    Stage: { Type: 'String', Default: 'dev' },
    Size: { Type: 'Number', Default: 128 },
    Password: { Type: 'String', NoEcho: true, Default: '' },
  },
  Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
};

const REQUEST: DeployRequest = {
  stackName: 'app',
  template: TEMPLATE,
  parameters: {},
  tags: undefined,
  capabilities: ['CAPABILITY_NAMED_IAM'],
  roleArn: undefined,
  notificationArns: undefined,
  express: true,
};

const DEPLOYED: DeployedStack = {
  name: 'app',
  id: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1',
  account: '123456789012',
  region: 'eu-west-1',
  status: 'UPDATE_COMPLETE',
  statusReason: undefined,
  createdAt: new Date('2026-11-01T00:00:00Z'),
  updatedAt: new Date('2026-11-22T10:00:00Z'),
  parameters: { Stage: 'dev', Size: '128', Password: '****' },
  tags: { team: 'a' },
  outputs: [],
  capabilities: [],
  roleArn: 'arn:aws:iam::123456789012:role/deploy',
  notificationArns: ['arn:t1', 'arn:t2'],
  terminationProtection: false,
};

function plan(
  request: Partial<DeployRequest>,
  deployed?: Partial<DeployedStack>,
  template: Template = TEMPLATE,
): DeployPlan {
  const stack = deployed === undefined ? undefined : { ...DEPLOYED, ...deployed };
  return planDeploy({ ...REQUEST, ...request }, stack, stack === undefined ? undefined : template);
}

function changes(request: Partial<DeployRequest>, deployed: Partial<DeployedStack> = {}): readonly string[] {
  const made = plan(request, deployed);
  return made.action === 'update' ? made.differences : made.action === 'none' ? [] : [`unexpected ${made.action}`];
}

describe('each status of a stack', () => {
  it.each<[string, DeployPlan['action']]>([
    ['CREATE_COMPLETE', 'none'],
    ['UPDATE_COMPLETE', 'none'],
    ['UPDATE_ROLLBACK_COMPLETE', 'none'],
    ['IMPORT_COMPLETE', 'none'],
    ['IMPORT_ROLLBACK_COMPLETE', 'none'],
    ['CREATE_FAILED', 'recreate'],
    ['ROLLBACK_COMPLETE', 'recreate'],
    ['ROLLBACK_FAILED', 'recreate'],
    ['DELETE_FAILED', 'recreate'],
    ['REVIEW_IN_PROGRESS', 'recreate'],
    ['DELETE_COMPLETE', 'create'],
    ['CREATE_IN_PROGRESS', 'wait'],
    ['ROLLBACK_IN_PROGRESS', 'wait'],
    ['DELETE_IN_PROGRESS', 'wait'],
    ['UPDATE_IN_PROGRESS', 'wait'],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'wait'],
    ['UPDATE_ROLLBACK_IN_PROGRESS', 'wait'],
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'wait'],
    ['IMPORT_IN_PROGRESS', 'wait'],
    ['IMPORT_ROLLBACK_IN_PROGRESS', 'wait'],
    ['UPDATE_FAILED', 'stop'],
    ['UPDATE_ROLLBACK_FAILED', 'stop'],
    ['IMPORT_ROLLBACK_FAILED', 'stop'],
  ])('%s: %s', (status, action) => expect(plan({}, { status }).action).toBe(action));

  it('none: create', () => expect(plan({})).toEqual({ action: 'create', parameters: [], warnings: [] }));

  it('never created: the question says what it is and why', () => {
    expect(plan({}, { status: 'ROLLBACK_COMPLETE', statusReason: 'The role is wrong' })).toMatchObject({
      question:
        'Stack app was never created successfully (ROLLBACK_COMPLETE: The role is wrong). Delete it and create it again?',
    });
    expect(plan({}, { status: 'REVIEW_IN_PROGRESS' })).toMatchObject({
      question: expect.stringContaining('change set'),
    });
  });

  it.each([
    ['CREATE_FAILED', false],
    ['ROLLBACK_COMPLETE', false],
    ['ROLLBACK_FAILED', false],
    ['DELETE_FAILED', true],
    ['REVIEW_IN_PROGRESS', true],
  ])('%s: is for a person to say: %s', (status, forPerson) => {
    const made = plan({}, { status });
    if (made.action !== 'recreate') throw new Error(made.action);
    if (!forPerson) return expect(answerUnasked(made)).toBe(true);
    expect(() => answerUnasked(made)).toThrow(status);
    expect(made.unattended?.hint).toContain('delete-stack --stack-name app --region eu-west-1');
  });

  it('never created, but protected: says how to allow its deletion', () => {
    const made = plan({}, { status: 'ROLLBACK_COMPLETE', terminationProtection: true });
    expect(made).toMatchObject({
      action: 'stop',
      error: {
        message: 'Stack app is in ROLLBACK_COMPLETE and has termination protection',
        hint: expect.stringContaining('--no-enable-termination-protection --stack-name app --region eu-west-1'),
      },
    });
  });

  it('a failed update: names the command that fixes it', () => {
    expect(plan({}, { status: 'UPDATE_ROLLBACK_FAILED', statusReason: 'X failed' })).toMatchObject({
      error: {
        message: 'Stack app cannot be updated: an earlier operation left it in UPDATE_ROLLBACK_FAILED: X failed',
        hint: expect.stringContaining(
          'aws cloudformation continue-update-rollback --stack-name app --region eu-west-1',
        ),
      },
    });
    expect(plan({}, { status: 'UPDATE_FAILED' })).toMatchObject({
      error: { hint: expect.stringContaining('aws cloudformation rollback-stack') },
    });
    // where the last update was in express mode, CloudFormation refuses that
    const express = plan({}, { status: 'UPDATE_FAILED', deploymentMode: 'EXPRESS' });
    expect(express).toMatchObject({
      error: {
        hint: expect.stringMatching(
          /rejects rollback-stack.*`aws cloudformation update-stack --stack-name app --region eu-west-1 .*Mode=EXPRESS,DisableRollback=true`/,
        ),
      },
    });
  });

  it('busy: says since when', () => {
    expect(plan({}, { status: 'UPDATE_IN_PROGRESS' })).toEqual({
      action: 'wait',
      reason: 'Stack app is in UPDATE_IN_PROGRESS since 2026-11-22T10:00:00.000Z',
    });
  });
});

describe('what is an update', () => {
  it.each<[string, Partial<DeployRequest>, string[]]>([
    ['nothing', {}, []],
    ['the same override', { parameters: { Stage: 'dev' } }, []],
    ['another override', { parameters: { Stage: 'prod' } }, ['parameter Stage changed']],
    ['a number as text', { parameters: { Size: '128' } }, []],
    ['the same tags', { tags: { team: 'a' } }, []],
    ['other tags', { tags: { team: 'b' } }, ['tags changed']],
    ['fewer tags', { tags: {} }, ['tags changed']],
    ['the same role', { roleArn: 'arn:aws:iam::123456789012:role/deploy' }, []],
    ['another role', { roleArn: 'arn:aws:iam::123456789012:role/other' }, ['role changed']],
    ['the same topics', { notificationArns: ['arn:t2', 'arn:t1'] }, []],
    ['other topics', { notificationArns: [] }, ['notification topics changed']],
    ['capabilities and express mode are none', { capabilities: [], express: false }, []],
    ['a resource', { template: { ...TEMPLATE, Resources: {} } }, ['Topic was removed']],
  ])('%s', (_name, request, expected) => expect(changes(request)).toEqual(expected));

  it('defect 5: a secret override is left to CloudFormation, which alone can compare', () => {
    expect(changes({ parameters: { Password: 'new' } })).toEqual(['secret parameter Password may have changed']);
    expect(changes({})).toEqual([]);
  });

  it('a deployed template that cannot be read differs', () => {
    expect(planDeploy(REQUEST, DEPLOYED, undefined)).toMatchObject({ action: 'update', differences: ['template'] });
  });
});

describe('parameters', () => {
  const WITH_NEW: Template = {
    ...TEMPLATE,
    Parameters: { ...(TEMPLATE['Parameters'] as object), New: { Type: 'String' } },
  };

  it('create: overrides; the rest by default', () => {
    expect(plan({ parameters: { Stage: 'prod' } })).toMatchObject({
      parameters: [{ ParameterKey: 'Stage', ParameterValue: 'prod' }],
    });
  });

  it('update: what is not given keeps its value, what is new takes its default', () => {
    const { Password: _, ...parameters } = DEPLOYED.parameters;
    expect(plan({ parameters: { Stage: 'prod' } }, { parameters })).toMatchObject({
      parameters: [
        { ParameterKey: 'Stage', ParameterValue: 'prod' },
        { ParameterKey: 'Size', UsePreviousValue: true },
      ],
    });
  });

  it('an empty value is a value', () => {
    expect(plan({ parameters: { Stage: '' } }, {})).toMatchObject({
      differences: ['parameter Stage changed'],
      parameters: expect.arrayContaining([{ ParameterKey: 'Stage', ParameterValue: '' }]),
    });
  });

  it('a parameter of the stack that the template has no more is not sent', () => {
    const made = plan({ tags: {} }, { parameters: { ...DEPLOYED.parameters, Old: 'x' } });
    expect(JSON.stringify(made)).not.toContain('Old');
  });

  it.each<[string, Partial<DeployedStack> | undefined]>([
    ['create', undefined],
    ['update', {}],
  ])('%s: a parameter without any value is named', (_name, deployed) => {
    expect(() => plan({ template: WITH_NEW }, deployed)).toThrow(
      expect.objectContaining({
        message: 'The parameter New has no value: neither the template, stack app nor the options provide one',
        hint: 'Pass it with --parameter-overrides New=VALUE',
      }),
    );
  });

  it('defect 5: an override that the template does not know is left out with a warning, and is no update', () => {
    const made = plan({ parameters: { Typo: 'x' } }, {});
    expect(made).toMatchObject({
      action: 'none',
      warnings: ['--parameter-overrides sets Typo, but the template has no such parameter: ignored'],
    });
    expect(plan({ parameters: { Typo: 'x' } })).toMatchObject({ action: 'create', parameters: [] });
  });
});
