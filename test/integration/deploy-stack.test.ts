import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  SignalResourceCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import type { StackOutput, SyncEvent } from '../../src/console/reporter.ts';
import { deployStack, readDeployedState, type DeployInput, type DeployTools } from '../../src/deploy/deploy-stack.ts';
import { describeStack, readDeployedTemplate } from '../../src/deploy/describe-stack.ts';
import type { StackEventRecord } from '../../src/deploy/first-cause.ts';
import { StackFailedError } from '../../src/deploy/stack-failure.ts';
import { InterruptedError, UserError } from '../../src/errors.ts';
import type { Template, TemplateMap } from '../../src/template/template.ts';
import { clients, poll } from '../support/cloud.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();
let cloudformation: ReturnType<typeof clients>['cloudformation'];
let names = 0;

beforeAll(async () => {
  ({ cloudformation } = clients(cloud.endpoint));
});
afterEach(() => proxy.clear());

/** A run of the program against one stack of its own. */
function run(stackName = `app-${++names}`, env: Record<string, string> = {}) {
  const events: SyncEvent[] = [];
  const reporter = { report: (event: SyncEvent) => void events.push(event) };
  const controller = new AbortController();
  const { signal } = controller;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const aws = createAws({ env, endpoint: proxy.endpoint, credentials, reporter, signal });
  const tools: DeployTools = {
    reporter,
    signal,
    pollDelayMs: 30,
    confirm: () => Promise.reject(new Error('nothing to ask')),
    uploadTemplate: () => Promise.reject(new Error('nothing to upload')),
  };
  const deploy = (template: Template, more: Partial<DeployInput> = {}, other: Partial<DeployTools> = {}) =>
    deployStack(aws, toInput(stackName, template, more), { ...tools, ...other }).then(({ stack, ...result }) => {
      return { ...result, stackId: stack.id, status: stack.status, outputs: stack.outputs };
    });
  return {
    stackName,
    aws,
    controller,
    deploy,
    ids: () => events.flatMap((event) => (event.type === 'stack-event' ? [(event.event as StackEventRecord).id] : [])),
    notes: () => events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
    rows: () =>
      events.flatMap((event) => {
        if (event.type !== 'stack-event') return [];
        const { stackPath, logicalId, status } = event.event;
        return [`${stackPath === '' ? '' : `${stackPath}/`}${logicalId} ${status}`];
      }),
    until: (text: string) =>
      poll(() => Promise.resolve(events.some((event) => JSON.stringify(event).includes(text)) ? true : undefined)),
  };
}

function toInput(stackName: string, template: Template, more: Partial<DeployInput>): DeployInput {
  return {
    stackName,
    template,
    templateText: JSON.stringify(template),
    parameters: {},
    tags: undefined,
    capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    roleArn: undefined,
    notificationArns: undefined,
    express: true,
    ...more,
  };
}

function topic(displayName = 'one'): Template {
  return {
    Parameters: {
      Stage: { Type: 'String', Default: 'dev' },
      Secret: { Type: 'String', NoEcho: true, Default: 'none' },
    },
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: displayName } } },
    Outputs: {
      Name: { Description: 'The topic', Value: { 'Fn::GetAtt': ['Topic', 'TopicName'] } },
      Stage: { Value: { Ref: 'Stage' } },
    },
  };
}

/** Its code is nowhere. */
const BAD: TemplateMap = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Runtime: 'python3.12',
    Handler: 'app.handler',
    Role: 'arn:aws:iam::000000000000:role/any',
    Code: { S3Bucket: 'nowhere', S3Key: 'nothing' },
  },
};
/** Waits until somebody signals it. */
const HOLD: TemplateMap = {
  Type: 'AWS::CloudFormation::WaitCondition',
  CreationPolicy: { ResourceSignal: { Timeout: 'PT2M', Count: 1 } },
};

function held(template: Template): Template {
  return { ...template, Resources: { ...(template['Resources'] as TemplateMap), Hold: HOLD } };
}

/** Lets the wait condition go on. It may not listen yet. */
async function signalHold(stackName: string): Promise<void> {
  const signal = new SignalResourceCommand({
    StackName: stackName,
    LogicalResourceId: 'Hold',
    UniqueId: '1',
    Status: 'SUCCESS',
  });
  await poll(() =>
    cloudformation.send(signal).then(
      () => true,
      () => undefined,
    ),
  );
}

/** An event of `DescribeEvents`; later operations have higher numbers. */
function operationEvent(operation: string, fields: Readonly<Record<string, string>>): string {
  const all = { OperationId: operation, Timestamp: `2026-01-0${operation}T00:00:00Z`, ...fields };
  const members = Object.entries(all).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<member>${members.join('')}</member>`;
}

function eventsPage(members: string, hasNext: boolean): string {
  const next = hasNext ? '<NextToken>2</NextToken>' : '';
  const result = `<OperationEvents>${members}</OperationEvents>${next}`;
  return `<DescribeEventsResponse><DescribeEventsResult>${result}</DescribeEventsResult></DescribeEventsResponse>`;
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error('it was fulfilled'),
    (reason: unknown) => reason,
  );
  return error as Error;
}

function outputs(result: { outputs: readonly StackOutput[] }): Record<string, string> {
  return Object.fromEntries(result.outputs.map(({ key, value }) => [key, value]));
}

describe('create, update, nothing', () => {
  it('creates, then finds nothing to do, then updates', async () => {
    const { deploy, stackName, aws, rows } = run();
    const created = await deploy(topic());
    expect(created).toMatchObject({ status: 'CREATE_COMPLETE', changed: true });
    expect(created.outputs[0]).toMatchObject({ key: 'Name', description: 'The topic' });
    expect(rows()).toEqual([
      `${stackName} CREATE_IN_PROGRESS`,
      'Topic CREATE_IN_PROGRESS',
      'Topic CREATE_COMPLETE',
      `${stackName} CREATE_COMPLETE`,
    ]);
    const create = proxy.calls.find((call) => call.operation === 'CreateStack')?.body.toString();
    expect(create).toContain('DeploymentConfig.Mode=EXPRESS');
    expect(create).toMatch(/ClientRequestToken=sam-sync-/);

    proxy.clear();
    expect(await deploy(topic())).toMatchObject({
      status: 'CREATE_COMPLETE',
      changed: false,
      outputs: created.outputs,
    });
    expect(proxy.calls.map((call) => call.operation).sort()).toEqual(['DescribeStacks', 'GetTemplate']);

    expect(await deploy(topic('two'), { express: false })).toMatchObject({ status: 'UPDATE_COMPLETE', changed: true });
    const update = proxy.calls.find((call) => call.operation === 'UpdateStack')?.body.toString();
    expect(update).not.toContain('DeploymentConfig');
    expect(update).toContain('DisableRollback=false');
    expect(rows().filter((row) => row.startsWith('Topic UPDATE'))).toEqual([
      'Topic UPDATE_IN_PROGRESS',
      'Topic UPDATE_COMPLETE',
    ]);
    expect(await readDeployedTemplate(aws, stackName)).toMatchObject({
      Resources: { Topic: { Properties: { DisplayName: 'two' } } },
    });
  });

  it('parameters that are not given keep their values', async () => {
    const { deploy, aws, stackName } = run();
    expect(outputs(await deploy(topic(), { parameters: { Stage: 'prod' } }))['Stage']).toBe('prod');
    expect(outputs(await deploy(topic('two')))['Stage']).toBe('prod');
    expect(outputs(await deploy(topic('two'), { parameters: { Stage: 'test' } }))['Stage']).toBe('test');
    expect((await describeStack(aws, stackName))?.parameters['Stage']).toBe('test');
  });

  it('defects 5, 6, 7: "no updates are to be performed" is success, said as unchanged', async () => {
    const { deploy } = run();
    const parameters = { Secret: 'hidden' };
    await deploy(topic(), { parameters });
    proxy.clear();
    expect(await deploy(topic(), { parameters })).toMatchObject({ status: 'CREATE_COMPLETE', changed: false });
    expect(proxy.count('UpdateStack')).toBe(1);
  });

  it('tags: kept when not given, replaced, removed when empty', async () => {
    const { deploy, aws, stackName } = run();
    const tags = async () => (await describeStack(aws, stackName))?.tags;
    await deploy(topic(), { tags: { team: 'a=b', env: 'x' } });
    expect(await tags()).toEqual({ team: 'a=b', env: 'x' });
    await deploy(topic('two'));
    expect(await tags()).toEqual({ team: 'a=b', env: 'x' });
    expect(await deploy(topic('two'), { tags: { team: 'c' } })).toMatchObject({ changed: true });
    expect(await tags()).toEqual({ team: 'c' });
    expect(await deploy(topic('two'), { tags: {} })).toMatchObject({ changed: true });
    expect(await tags()).toEqual({});
  });

  it('a template beyond 51,200 bytes goes by its URL', async () => {
    const { deploy } = run();
    const { s3 } = clients(cloud.endpoint);
    await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
    const template: Template = { ...topic(), Metadata: { Padding: 'x'.repeat(51_200) } };
    const uploadTemplate = async (text: string): Promise<string> => {
      await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: 'big', Body: text }));
      return `${cloud.endpoint}/templates/big`;
    };
    expect(await deploy(template, {}, { uploadTemplate })).toMatchObject({ changed: true });
    expect(proxy.calls.find((call) => call.operation === 'CreateStack')?.body.toString()).toContain('TemplateURL=');
    expect(await deploy(template, {}, { uploadTemplate })).toMatchObject({ changed: false });
  });

  it('all events of a large stack are told once, page by page', async () => {
    const { deploy, rows } = run();
    const Resources = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [`T${index}`, { Type: 'AWS::SNS::Topic' }]),
    );
    await deploy({ Resources }, {}, { pollDelayMs: 1_000 });
    const told = rows();
    expect(new Set(told).size).toBe(told.length);
    expect(told.filter((row) => row.endsWith('CREATE_COMPLETE'))).toHaveLength(151);
  });
});

/** A template with a nested stack of this template. */
async function nest(name: string, child: Template): Promise<Template> {
  const { s3 } = clients(cloud.endpoint);
  await s3.send(new CreateBucketCommand({ Bucket: 'nested' }));
  await s3.send(new PutObjectCommand({ Bucket: 'nested', Key: name, Body: JSON.stringify(child) }));
  const stack = {
    Type: 'AWS::CloudFormation::Stack',
    Properties: { TemplateURL: `${cloud.endpoint}/nested/${name}` },
  };
  return { Resources: { Child: stack, After: { Type: 'AWS::SNS::Topic', DependsOn: 'Child' } } };
}

describe('nested stacks', () => {
  it("tells a nested stack's events by its path", async () => {
    const { deploy, rows, ids } = run();
    const grandchild = await nest('grandchild', topic());
    await deploy(await nest('child', grandchild));
    expect(rows()).toEqual(
      expect.arrayContaining([
        'Child/Child/Topic CREATE_COMPLETE',
        'Child/After CREATE_COMPLETE',
        'After CREATE_COMPLETE',
      ]),
    );
    expect(new Set(ids()).size).toBe(ids().length);
  });

  it('a nested stack that the user may not look into: the deployment goes on without its events', async () => {
    const { deploy, rows } = run();
    const denied = { kind: 'error', status: 403, code: 'AccessDenied', message: 'no' } as const;
    const nested = { operation: 'DescribeStackEvents', when: ({ body }: ProxiedCall) => body.includes('-Child-') };
    proxy.fault(nested, denied, { times: Infinity });
    expect(await deploy(await nest('hidden', topic()))).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(proxy.calls.filter(({ fault }) => fault === 'error')).toHaveLength(1);
    expect(rows().filter((row) => row.startsWith('Child/'))).toEqual([]);
  });

  it('a failure in a nested stack: its resource and reason, not the cascade', async () => {
    const { deploy } = run();
    const error = await rejection(
      deploy(await nest('bad', { Resources: { Good: { Type: 'AWS::SNS::Topic' }, Bad: BAD } })),
    );
    expect(error).toBeInstanceOf(StackFailedError);
    expect(error).toMatchObject({ failure: { id: 'Child/Bad', resourceType: 'AWS::Lambda::Function' } });
    expect(error.message).toMatch(/^Child\/Bad \(AWS::Lambda::Function\) failed: /);
    expect(error.message).not.toContain('Embedded stack');
  });
});

describe('failures', () => {
  it('defect 29: a creation that failed is removed after the question and made anew', async () => {
    const { deploy, stackName, aws } = run();
    const failed = await rejection(deploy({ Resources: { Bad: BAD } }));
    expect(failed).toMatchObject({ status: 'ROLLBACK_COMPLETE', hint: expect.stringContaining('was not created') });
    // CloudFormation still has its template, of which nothing is there
    expect((await readDeployedState(aws, stackName)).template).toBeUndefined();

    const refused = await rejection(deploy(topic(), {}, { confirm: () => Promise.resolve(false) }));
    expect(refused).toBeInstanceOf(UserError);
    expect(refused.message).toContain(`Stack ${stackName} was never created successfully (ROLLBACK_COMPLETE`);

    const questions: string[] = [];
    const confirm = (question: string): Promise<boolean> => Promise.resolve(questions.push(question) > 0);
    expect(await deploy(topic(), {}, { confirm })).toMatchObject({ status: 'CREATE_COMPLETE', changed: true });
    expect(questions).toHaveLength(1);
    expect(proxy.count('DeleteStack')).toBe(1);
  });

  it('an update that failed: the stack is as before, and can be updated', async () => {
    const { deploy, aws, stackName } = run();
    await deploy(topic());
    const bad: Template = { ...topic('two'), Resources: { ...(topic('two')['Resources'] as TemplateMap), Bad: BAD } };
    const error = await rejection(deploy(bad));
    expect(error).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', failure: { id: 'Bad' } });
    expect((error as UserError).hint).toContain(`Stack ${stackName} was rolled back to its previous state`);
    expect((await describeStack(aws, stackName))?.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await deploy(topic())).toMatchObject({ changed: false });
    expect(await deploy(topic('two'))).toMatchObject({ changed: true });
  });

  describe('a failure whose events only point at DescribeEvents', () => {
    const POINTER =
      'The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. ' +
      'To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.';

    const EARLIER = operationEvent('1', { EventType: 'PROVISIONING_ERROR', ResourceStatusReason: 'long ago' });
    const WARNING = operationEvent('2', { EventType: 'VALIDATION_ERROR', ValidationFailureMode: 'WARN' });
    const PROPERTY = operationEvent('2', {
      EventType: 'VALIDATION_ERROR',
      LogicalResourceId: 'Fn',
      ResourceType: 'AWS::Lambda::Function',
      ValidationFailureMode: 'FAIL',
      ValidationStatusReason: 'Unsupported property [Memory]',
      ValidationPath: '/Resources/Fn/Properties/Memory',
    });
    const HOOK = operationEvent('2', {
      EventType: 'HOOK_INVOCATION_ERROR',
      LogicalResourceId: 'Bucket',
      HookFailureMode: 'FAIL',
      HookType: 'Org::Check',
      HookStatusReason: 'no tags',
    });

    /** Lets a creation fail like one that early validation ends. */
    async function failEarly(): Promise<UserError> {
      const { deploy } = run();
      const body = (text: string): string =>
        text.replaceAll(/<ResourceStatusReason>[^<]+</g, `<ResourceStatusReason>${POINTER}<`);
      proxy.fault({ operation: 'DescribeStackEvents' }, { kind: 'change', body }, { times: Infinity });
      return (await rejection(deploy({ Resources: { Bad: BAD } }))) as UserError;
    }

    it('asks there for the cause of this operation, on all pages, without warnings', async () => {
      for (const events of [EARLIER + WARNING + PROPERTY, HOOK])
        proxy.fault({ operation: 'DescribeEvents' }, { kind: 'answer', body: eventsPage(events, events !== HOOK) });
      const error = await failEarly();
      expect(error.message).toBe(
        'Fn (AWS::Lambda::Function) failed: Unsupported property [Memory] (at /Resources/Fn/Properties/Memory)\n' +
          'Also failed: Bucket: the hook Org::Check rejected it: no tags',
      );
      expect(error.hint).not.toContain('describe-events');
    });

    it.each([
      ['an endpoint without that operation', undefined],
      ['a missing permission', { kind: 'error', status: 403, code: 'AccessDenied', message: 'no' } as const],
    ])('%s: what the events say, and how to see the cause', async (_name, fault) => {
      if (fault) proxy.fault({ operation: 'DescribeEvents' }, fault, { times: Infinity });
      const error = await failEarly();
      expect(error.message).toContain(POINTER);
      expect(error.hint).toMatch(/aws cloudformation describe-events --stack-name app-\d+ --filters FailedEvents=true/);
      expect(proxy.count('DescribeEvents')).toBe(1);
    });
  });

  it('a template that CloudFormation refuses: what it says, and nothing is there', async () => {
    const { deploy, aws, stackName } = run();
    const error = await rejection(deploy({ Resources: { X: { Type: 'AWS::Nonsense::Thing' } } }));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain('AWS::Nonsense::Thing');
    expect(await describeStack(aws, stackName)).toBeUndefined();
  });

  it('a missing capability: which one, and the option', async () => {
    const { deploy } = run();
    const message = 'Requires capabilities : [CAPABILITY_AUTO_EXPAND]';
    proxy.fault(
      { operation: 'CreateStack' },
      { kind: 'error', status: 400, code: 'InsufficientCapabilitiesException', message },
    );
    const error = await rejection(deploy(topic(), { capabilities: ['CAPABILITY_IAM'] }));
    expect(error).toMatchObject({
      message: expect.stringMatching(/^The template of stack .* needs the capability CAPABILITY_AUTO_EXPAND$/),
      hint: 'Allow it with --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND',
    });
  });

  it('deleted by someone else meanwhile', async () => {
    const { deploy, stackName, until } = run();
    const deployment = rejection(deploy(held(topic())));
    await until('Hold');
    await cloudformation.send(new DeleteStackCommand({ StackName: stackName }));
    expect(await deployment).toMatchObject({ hint: expect.stringContaining('Someone else deleted stack') });
  });
});

describe('other people', () => {
  it("waits for the end of someone else's operation, says so, and goes on", async () => {
    const { deploy, stackName, notes, until } = run();
    await cloudformation.send(
      new CreateStackCommand({ StackName: stackName, TemplateBody: JSON.stringify(held(topic())) }),
    );
    const deployment = deploy(held(topic('two')));
    await until('waiting for it to finish');
    expect(proxy.count('UpdateStack')).toBe(0);
    await signalHold(stackName);
    expect(await deployment).toMatchObject({ status: 'UPDATE_COMPLETE', changed: true });
    expect(notes()[0]).toMatch(new RegExp(`^Stack ${stackName} is in CREATE_IN_PROGRESS since .*: waiting`));
  });

  it.each([
    [
      'an update that began between plan and act',
      (name: string) =>
        `Stack:arn:aws:cloudformation:us-east-1:000000000000:stack/${name}/1-2 is in UPDATE_IN_PROGRESS state and can not be updated.`,
    ],
    ['a stack that vanished between plan and act', (name: string) => `Stack [${name}] does not exist`],
  ])('plans again: %s', async (_name, message) => {
    const { deploy, stackName } = run();
    await deploy(topic());
    const refused = { kind: 'error', status: 400, code: 'ValidationError', message: message(stackName) } as const;
    proxy.fault({ operation: 'UpdateStack' }, refused);
    expect(await deploy(topic('two'))).toMatchObject({ status: 'UPDATE_COMPLETE', changed: true });
    expect(proxy.count('UpdateStack')).toBe(2);
  });

  it.each([
    'S3 error: The specified key does not exist.',
    'Parameter validation failed: parameter value sg-1 for parameter name Group does not exist. Rollback requested by user.',
    'Role arn:aws:iam::1:role/deployer does not exist',
    'Stack [another] does not exist',
    'Template error: no updates are to be performed by Fn::Sub',
  ])('a refusal about something else is reported at once, in the words of CloudFormation: %s', async (message) => {
    const { deploy, notes } = run();
    await deploy(topic());
    proxy.fault({ operation: 'UpdateStack' }, { kind: 'error', status: 400, code: 'ValidationError', message });
    const error = await rejection(deploy(topic('two')));
    expect(error.message).toContain(`CloudFormation rejected UpdateStack: ${message.replace(/\.$/, '')}`);
    expect(proxy.count('UpdateStack')).toBe(1);
    expect(notes().join()).not.toContain('looking again');
  });

  it('a refusal that contradicts what the stack is ends with the words of CloudFormation', async () => {
    const { deploy, stackName } = run();
    await deploy(topic());
    const message = `Stack [${stackName}] does not exist`;
    const refused = { kind: 'error', status: 400, code: 'ValidationError', message } as const;
    proxy.fault({ operation: 'UpdateStack' }, refused, { times: Infinity });
    const error = await rejection(deploy(topic('two')));
    expect(error.message).toContain(`CloudFormation rejected UpdateStack: ${message}`);
  });

  it('a description that is refused for another reason is no stack that is missing', async () => {
    const { deploy } = run();
    const message = 'The security policy of this organization does not exist';
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'error', status: 400, code: 'ValidationError', message });
    const error = await rejection(deploy(topic()));
    expect(error.message).toContain(`CloudFormation rejected DescribeStacks: ${message}`);
    expect(proxy.count('CreateStack')).toBe(0);
  });

  it('plans anew: a stack of that name was created between plan and act', async () => {
    const { deploy, stackName } = run();
    const create = proxy.hold({ operation: 'CreateStack' });
    const deployment = deploy(topic('two'));
    await create.arrived;
    await cloudformation.send(new CreateStackCommand({ StackName: stackName, TemplateBody: JSON.stringify(topic()) }));
    create.release();
    expect(await deployment).toMatchObject({ status: 'UPDATE_COMPLETE', changed: true });
  });
});

it('the template of a stack that was deleted, which GetTemplate still gives, does not count', async () => {
  const { aws, stackName } = run();
  const template = { Resources: { Old: { Type: 'AWS::SNS::Topic' } } };
  const body = `<GetTemplateResponse><GetTemplateResult><TemplateBody>${JSON.stringify(template)}</TemplateBody></GetTemplateResult></GetTemplateResponse>`;
  proxy.fault({ operation: 'GetTemplate' }, { kind: 'answer', body }, { times: 2 });
  expect(await readDeployedTemplate(aws, stackName)).toEqual(template);
  expect(await readDeployedState(aws, stackName)).toEqual({ stack: undefined, template: undefined });
});

describe('interruption', () => {
  it('Ctrl-C while the stack is being created says what goes on; the next sync goes on from there', async () => {
    const first = run();
    const { stackName } = first;
    const deployment = rejection(first.deploy(held(topic())));
    await first.until('Hold');
    first.controller.abort(new InterruptedError('Interrupted'));
    const error = await deployment;
    expect(error).toBeInstanceOf(InterruptedError);
    expect(error.message).toBe(`Interrupted; CloudFormation continues to create stack ${stackName}`);
    expect(error).toMatchObject({ hint: expect.stringContaining('Sync again'), exitCode: 130 });

    const second = run(stackName);
    const next = second.deploy(held(topic()));
    await second.until('waiting for it to finish');
    await signalHold(stackName);
    expect(await next).toMatchObject({ status: 'CREATE_COMPLETE', changed: false });
  });

  it('Ctrl-C before anything is started ends at once', async () => {
    const { deploy, controller } = run();
    const held = proxy.hold({ operation: 'DescribeStacks' });
    const deployment = rejection(deploy(topic()));
    await held.arrived;
    const reason = new InterruptedError('stop');
    controller.abort(reason);
    expect(await deployment).toBe(reason);
    held.release();
    expect(proxy.count('CreateStack')).toBe(0);
  });
});

describe('a bad network', () => {
  it.each(['CreateStack', 'UpdateStack'])(
    'the answer of %s is lost: one operation, followed to its end',
    async (operation) => {
      const { deploy, aws, stackName } = run();
      if (operation === 'UpdateStack') await deploy(topic());
      proxy.clear();
      proxy.fault({ operation }, { kind: 'reset', when: 'after-answer' });
      expect(await deploy(topic('two'))).toMatchObject({ changed: true });
      expect(proxy.count(operation)).toBe(2);
      expect((await describeStack(aws, stackName))?.status).toBe(
        operation.replace('Stack', '').toUpperCase() + '_COMPLETE',
      );
    },
  );

  it.each([
    ['throttled', { kind: 'throttle' }],
    ['broken', { kind: 'error', status: 503 }],
    ['cut', { kind: 'reset', when: 'before' }],
    ['truncated', { kind: 'truncate' }],
  ] as const)('events are %s for a while: nothing is lost', async (_name, fault) => {
    const { deploy, rows } = run();
    proxy.fault({ operation: 'DescribeStackEvents' }, fault, { times: 2 });
    await deploy(topic());
    expect(rows().filter((row) => row === 'Topic CREATE_COMPLETE')).toHaveLength(1);
    expect(proxy.count('DescribeStackEvents')).toBeGreaterThan(2);
  });

  it('the endpoint is away while the stack is being created: says so, tries again, goes on', async () => {
    const { deploy, stackName, until, notes } = run(undefined, { AWS_MAX_ATTEMPTS: '1' });
    const deployment = deploy(held(topic()));
    await until('Hold');
    await proxy.close();
    await until('retrying for 5 minutes');
    await proxy.open();
    await signalHold(stackName);
    expect(await deployment).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(notes().at(-1)).toBe('CloudFormation is reachable again');
  });

  it('a page of the network stays in place of events: gives up after the time of five requests', async () => {
    const { deploy } = run(undefined, { AWS_MAX_ATTEMPTS: '1', SAM_SYNC_REQUEST_TIMEOUT: '0.2' });
    proxy.fault({ operation: 'DescribeStackEvents' }, { kind: 'html' }, { times: Infinity });
    expect((await rejection(deploy(topic()))).message).toMatch(/CloudFormation/);
  });

  it('credentials expire while the stack is being created: says what goes on', async () => {
    const { deploy, stackName } = run();
    const code = 'ExpiredToken';
    const message = 'The security token included in the request is expired';
    proxy.fault({ operation: 'DescribeStackEvents' }, { kind: 'error', status: 403, code, message });
    const error = await rejection(deploy(topic()));
    expect(error.message).toContain('have expired');
    expect(error.message).toContain(`CloudFormation continues to create stack ${stackName}`);
  });
});

it('a cloud whose events bear no token: they are told all the same', async () => {
  const { deploy, rows } = run();
  proxy.fault(
    { operation: 'CreateStack' },
    { kind: 'rewrite', body: (text) => text.replace(/&ClientRequestToken=[^&]*/, '') },
  );
  expect(await deploy(topic())).toMatchObject({ status: 'CREATE_COMPLETE', changed: true });
  expect(rows()).toContain('Topic CREATE_COMPLETE');
});

it('describes a stack with all that a plan needs', async () => {
  const { deploy, aws, stackName } = run();
  await deploy(topic(), { tags: { a: 'b' }, parameters: { Secret: 'hidden' } });
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackName }));
  expect(await describeStack(aws, stackName)).toMatchObject({
    name: stackName,
    id: Stacks?.[0]?.StackId,
    account: '000000000000',
    region: 'us-east-1',
    status: 'CREATE_COMPLETE',
    parameters: { Stage: 'dev', Secret: '****' },
    tags: { a: 'b' },
    terminationProtection: false,
  });
  expect(await describeStack(aws, 'nowhere')).toBeUndefined();
  expect(await readDeployedTemplate(aws, 'nowhere')).toBeUndefined();
});
