import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ListStateMachineAliasesCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clients,
  deployTemplate,
  invoke,
  poll,
  stackEvents,
  startTestCloud,
  type TestCloud,
} from '../support/cloud.ts';
import { zipBytes } from '../support/zip-bytes.ts';

const SAM = 'AWS::Serverless-2016-10-31';
const BUCKET = 'code-bucket';
const QUEUE = { Type: 'AWS::SQS::Queue' };
const CAPABILITIES = { Capabilities: ['CAPABILITY_NAMED_IAM' as const, 'CAPABILITY_AUTO_EXPAND' as const] };

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;
let names = 0;

beforeAll(async () => {
  cloud = await startTestCloud();
  aws = clients(cloud.endpoint);
  await aws.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await put('one', zipBytes({ 'app.py': 'def handler(event, context): return 1' }));
  await put('two', zipBytes({ 'app.py': 'def handler(event, context): return 2' }));
});
afterAll(() => cloud.stop());

const newName = () => `stack-${++names}`;
const deploy = (name: string, template: unknown, more = {}) => deployTemplate(cloud.endpoint, name, template, more);
const put = (key: string, body: unknown) =>
  aws.s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: key,
      Body: Buffer.isBuffer(body) ? body : JSON.stringify(body),
    }),
  );

function samFunction(key: string, more: Record<string, unknown> = {}) {
  const code = { Runtime: 'python3.11', Handler: 'app.handler', CodeUri: `s3://${BUCKET}/${key}` };
  return { Type: 'AWS::Serverless::Function', Properties: { ...code, ...more } };
}

/** Puts the template of a nested stack and gives a parent's template for it. */
async function parentOf(key: string, child: Record<string, unknown>, more: Record<string, unknown> = {}) {
  await put(key, { Transform: SAM, ...child });
  const url = `https://s3.us-east-1.amazonaws.com/${BUCKET}/${key}`;
  const Child = { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: url } };
  return { Resources: { Child, ...more }, Outputs: { Name: { Value: { 'Fn::GetAtt': ['Child', 'Outputs.Name'] } } } };
}

const nameOutput = { Name: { Value: { Ref: 'Fn' } } };
const statuses = (events: { LogicalResourceId?: string | undefined; ResourceStatus?: string | undefined }[]) =>
  events.map((event) => `${event.LogicalResourceId} ${event.ResourceStatus}`);

describe('nested stacks', () => {
  it('applies the transforms of a nested template, two levels deep', async () => {
    await put('grandchild.json', { Transform: SAM, Resources: { Fn: samFunction('one') }, Outputs: nameOutput });
    const url = `https://s3.amazonaws.com/${BUCKET}/grandchild.json`;
    const Grand = { Type: 'AWS::Serverless::Application', Properties: { Location: url } };
    const child = { Resources: { Grand }, Outputs: { Name: { Value: { 'Fn::GetAtt': 'Grand.Outputs.Name' } } } };
    const { status, outputs } = await deploy(newName(), await parentOf('child-1', child));
    expect(status).toBe('CREATE_COMPLETE');
    expect(await invoke(cloud.endpoint, outputs['Name']!)).toBe(1);
  });

  it('keeps attributes of what an update leaves alone', async () => {
    const name = newName();
    const fn = samFunction('one');
    await deploy(name, await parentOf('child-2a', { Resources: { Fn: fn }, Outputs: nameOutput }));
    const outputs = { Name: { Value: { 'Fn::GetAtt': ['Fn', 'Arn'] } } };
    const changed = { Resources: { Fn: fn, Queue: QUEUE }, Outputs: outputs };
    const { status, outputs: after } = await deploy(name, await parentOf('child-2b', changed));
    expect([status, after['Name']]).toEqual(['UPDATE_COMPLETE', expect.stringContaining(':function:')]);
  });

  it('exports the outputs of nested stacks', async () => {
    const outputs = { Name: { Value: 'exported', Export: { Name: 'from-nested' } } };
    await deploy(newName(), await parentOf('child-3', { Resources: { Queue: QUEUE }, Outputs: outputs }));
    const importing = {
      Resources: { Queue: QUEUE },
      Outputs: { Got: { Value: { 'Fn::ImportValue': 'from-nested' } } },
    };
    expect((await deploy(newName(), importing)).outputs['Got']).toBe('exported');
  });

  it('tells where a nested stack is as soon as it begins, and whose it is', async () => {
    const name = newName();
    const { id, events } = await deploy(
      name,
      await parentOf('child-4', { Resources: { Queue: QUEUE }, Outputs: { Name: { Value: 'x' } } }),
    );
    const begun = events.filter(
      (event) => event.LogicalResourceId === 'Child' && event.ResourceStatus === 'CREATE_IN_PROGRESS',
    );
    const childId = begun.at(-1)?.PhysicalResourceId;
    expect(childId).toMatch(/:stack\/stack-\d+-Child-/);
    const { Stacks } = await aws.cloudformation.send(new DescribeStacksCommand({ StackName: childId }));
    expect([Stacks?.[0]?.ParentId, Stacks?.[0]?.RootId]).toEqual([id, id]);
  });

  it('rolls a nested stack back that cannot be created, and tells the cause there', async () => {
    const name = newName();
    const fn = { ...samFunction('missing'), DependsOn: 'Queue' };
    const child = { Resources: { Queue: QUEUE, Fn: fn }, Outputs: nameOutput };
    const { status, events } = await deploy(name, await parentOf('child-5', child));
    expect(status).toBe('ROLLBACK_COMPLETE');
    const failed = events.find((event) => event.ResourceStatus === 'CREATE_FAILED');
    expect(failed?.ResourceStatusReason).toMatch(
      /^Embedded stack arn:\S+ was not successfully created: The following resource\(s\) failed to create: \[Fn\]/,
    );
    const childId = events.find((event) => event.PhysicalResourceId?.includes('-Child-'))?.PhysicalResourceId;
    const ofChild = await stackEvents(cloud.endpoint, childId!);
    expect(ofChild.find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toContain(
      'NoSuchKey',
    );
    expect(statuses(ofChild)).toContain('Queue DELETE_COMPLETE');
    const root = events.find((event) => event.ResourceStatus === 'ROLLBACK_IN_PROGRESS');
    expect(root?.ResourceStatusReason).toBe(
      'The following resource(s) failed to create: [Child]. Rollback requested by user.',
    );
  });

  it('rolls a nested stack back that cannot be updated', async () => {
    const name = newName();
    const before = { Resources: { Fn: samFunction('one') }, Outputs: nameOutput };
    const { outputs } = await deploy(name, await parentOf('child-6a', before));
    const bad = { Resources: { Topic: { Type: 'AWS::SNS::Topic' }, Fn: samFunction('missing', { MemorySize: 512 }) } };
    const { status, events } = await deploy(name, await parentOf('child-6b', { ...bad, Outputs: nameOutput }));
    expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(events.find((event) => event.ResourceStatus === 'UPDATE_FAILED')?.ResourceStatusReason).toMatch(
      /was not successfully updated\. Currently in UPDATE_ROLLBACK_IN_PROGRESS .*\[Fn\]/,
    );
    const config = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: outputs['Name'] }));
    expect(config.MemorySize).toBe(128);
    expect(await invoke(cloud.endpoint, outputs['Name']!)).toBe(1);
  });

  it('deletes what is in a nested stack with it', async () => {
    const name = newName();
    const child = { Resources: { Fn: samFunction('one') }, Outputs: nameOutput };
    const { outputs } = await deploy(name, await parentOf('child-7', child));
    await deploy(name, { Resources: { Queue: QUEUE } });
    const { Functions } = await aws.lambda.send(new ListFunctionsCommand());
    expect(Functions?.map((fn) => fn.FunctionName)).not.toContain(outputs['Name']);
  });
});

describe('templates', () => {
  it('gives the SAM transform the values of parameters', async () => {
    const template = {
      Transform: SAM,
      Parameters: { Alias: { Type: 'String' }, Stage: { Type: 'String', Default: 'dev' } },
      Resources: {
        Fn: samFunction('one', {
          AutoPublishAlias: { Ref: 'Alias' },
          Events: { Get: { Type: 'Api', Properties: { Path: '/', Method: 'get', RestApiId: { Ref: 'Api' } } } },
        }),
        Api: { Type: 'AWS::Serverless::Api', Properties: { StageName: { Ref: 'Stage' } } },
      },
      Outputs: nameOutput,
    };
    const name = newName();
    const { outputs } = await deploy(name, template, {
      Parameters: [{ ParameterKey: 'Alias', ParameterValue: 'live' }],
    });
    expect(await invoke(cloud.endpoint, `${outputs['Name']}:live`)).toBe(1);
    const { StackResourceSummaries } = await aws.cloudformation.send(
      new ListStackResourcesCommand({ StackName: name }),
    );
    expect(StackResourceSummaries?.find((r) => r.ResourceType === 'AWS::ApiGateway::Stage')?.PhysicalResourceId).toBe(
      'dev',
    );
  });

  it.each([
    ['path style', () => `https://s3.amazonaws.com/${BUCKET}/located.json`],
    ['path style with region', () => `https://s3.us-east-1.amazonaws.com/${BUCKET}/located.json`],
    ['virtual host', () => `https://${BUCKET}.s3.amazonaws.com/located.json`],
    ['virtual host with region', () => `https://${BUCKET}.s3.us-east-1.amazonaws.com/located.json`],
    ['this endpoint', () => `${cloud.endpoint}/${BUCKET}/located.json`],
  ])('finds a template by its address: %s', async (_form, url) => {
    await put('located.json', { Resources: { Queue: QUEUE } });
    expect((await deploy(newName(), undefined, { TemplateURL: url() })).status).toBe('CREATE_COMPLETE');
  });

  it.each([
    ['no resources', { Description: 'x' }, 'At least one Resources member must be defined'],
    [
      'unknown reference',
      { Resources: { Q: { ...QUEUE, Properties: { QueueName: { Ref: 'Nope' } } } } },
      'Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template',
    ],
    [
      'unknown reference in an output',
      { Resources: { Q: QUEUE }, Outputs: { O: { Value: { 'Fn::Sub': '${Nope}' } } } },
      'Unresolved resource dependencies [Nope] in the Outputs block of the template',
    ],
    ['unknown type', { Resources: { Q: { Type: 'AWS::SQS::Quene' } } }, 'AWS::SQS::Quene'],
    [
      'parameter without value',
      { Parameters: { P: { Type: 'String' } }, Resources: { Q: QUEUE } },
      'Parameters: [P] must have values',
    ],
    [
      'invalid SAM resource',
      {
        Transform: SAM,
        Resources: { Fn: { Type: 'AWS::Serverless::Function', Properties: { Runtime: 'python3.11' } } },
      },
      'Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. Number of errors found: 1. Resource with id [Fn] is invalid.',
    ],
    [
      'a type that does not exist',
      { Resources: { A: { Type: 'AWS::AppSync::Apis' } } },
      'Unrecognized resource types: [AWS::AppSync::Apis]',
    ],
  ])('refuses a template: %s', async (_what, template, message) => {
    await expect(deploy(newName(), template)).rejects.toThrow(message);
  });

  it('refuses a parameter that the template does not have', async () => {
    const parameters = { Parameters: [{ ParameterKey: 'P', ParameterValue: 'x' }] };
    await expect(deploy(newName(), { Resources: { Q: QUEUE } }, parameters)).rejects.toThrow(
      'Parameters: [P] do not exist in the template',
    );
  });

  it('takes types that the emulator lacks, with their attributes', async () => {
    const template = {
      Transform: SAM,
      Resources: {
        Group: { Type: 'AWS::ResourceGroups::Group', Properties: { Name: 'x' } },
        Events: { Type: 'AWS::AppSync::Api', Properties: { Name: 'x' } },
        Fn: samFunction('one', { AutoPublishAlias: 'live', DeploymentPreference: { Type: 'AllAtOnce' } }),
        Machine: {
          Type: 'AWS::Serverless::StateMachine',
          Properties: {
            Definition: { StartAt: 'A', States: { A: { Type: 'Pass', End: true } } },
            Role: 'arn:aws:iam::000000000000:role/x',
            AutoPublishAlias: 'live',
          },
        },
      },
      Outputs: {
        Machine: { Value: { Ref: 'Machine' } },
        ApiArn: { Value: { 'Fn::GetAtt': ['Events', 'ApiArn'] } },
        ApiId: { Value: { 'Fn::GetAtt': ['Events', 'ApiId'] } },
      },
    };
    const { status, outputs } = await deploy(newName(), template);
    expect(status).toBe('CREATE_COMPLETE');
    expect(outputs['ApiArn']).toBe(`arn:aws:appsync:us-east-1:000000000000:api/${outputs['ApiId']}`);
    const { stateMachineAliases } = await aws.sfn.send(
      new ListStateMachineAliasesCommand({ stateMachineArn: outputs['Machine'] }),
    );
    expect(stateMachineAliases?.map((alias) => alias.stateMachineAliasArn)).toEqual([`${outputs['Machine']}:live`]);
  });
});

describe('stacks', () => {
  const good = { Resources: { Queue: QUEUE } };
  const failing = { Transform: SAM, Resources: { Fn: samFunction('missing') } };

  it('neither creates nor updates a stack whose creation failed', async () => {
    const name = newName();
    expect((await deploy(name, failing)).status).toBe('ROLLBACK_COMPLETE');
    const input = { StackName: name, TemplateBody: JSON.stringify(good), ...CAPABILITIES };
    await expect(aws.cloudformation.send(new CreateStackCommand(input))).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    });
    await expect(aws.cloudformation.send(new UpdateStackCommand(input))).rejects.toThrow(
      /^Stack:arn:\S+ is in ROLLBACK_COMPLETE state and can not be updated\.$/,
    );
  });

  it('does not update a stack that only has a change set', async () => {
    const name = newName();
    const input = { StackName: name, TemplateBody: JSON.stringify(good) };
    await aws.cloudformation.send(
      new CreateChangeSetCommand({ ...input, ChangeSetName: 'c', ChangeSetType: 'CREATE' }),
    );
    await expect(aws.cloudformation.send(new UpdateStackCommand(input))).rejects.toThrow(
      /is in REVIEW_IN_PROGRESS state/,
    );
  });

  it('knows a deleted stack by its id alone', async () => {
    const name = newName();
    const { id } = await deploy(name, good);
    await aws.cloudformation.send(new DeleteStackCommand({ StackName: name }));
    await poll(async () => {
      const { Stacks } = await aws.cloudformation.send(new DescribeStacksCommand({ StackName: id }));
      return Stacks?.[0]?.StackStatus === 'DELETE_COMPLETE' ? true : undefined;
    });
    await expect(aws.cloudformation.send(new DescribeStackEventsCommand({ StackName: name }))).rejects.toThrow(
      'does not exist',
    );
  });

  it('has events of an update only for what changes', async () => {
    const name = newName();
    const topic = { Type: 'AWS::SNS::Topic' };
    await deploy(name, { Resources: { Same: QUEUE, Changed: QUEUE, Gone: topic } });
    const changed = { ...QUEUE, Properties: { VisibilityTimeout: 60 } };
    const { events } = await deploy(name, { Resources: { Same: QUEUE, Changed: changed, New: topic } });
    expect(statuses(events)).toEqual([
      `${name} UPDATE_IN_PROGRESS`,
      'Changed UPDATE_IN_PROGRESS',
      'Changed UPDATE_COMPLETE',
      'New CREATE_IN_PROGRESS',
      'New CREATE_COMPLETE',
      `${name} UPDATE_COMPLETE_CLEANUP_IN_PROGRESS`,
      'Gone DELETE_IN_PROGRESS',
      'Gone DELETE_COMPLETE',
      `${name} UPDATE_COMPLETE`,
    ]);
    expect(events[1]?.PhysicalResourceId).toContain('Changed');
    const { StackResourceDetail } = await aws.cloudformation.send(
      new DescribeStackResourceCommand({ StackName: name, LogicalResourceId: 'New' }),
    );
    expect(StackResourceDetail?.ResourceStatus).toBe('CREATE_COMPLETE');
  });

  it('remembers role and topics until an update names others', async () => {
    const name = newName();
    const role = 'arn:aws:iam::000000000000:role/deployer';
    const topic = 'arn:aws:sns:us-east-1:000000000000:topic';
    await deploy(name, good, { RoleARN: role, NotificationARNs: [topic] });
    await deploy(name, { Resources: { Queue: QUEUE, Other: QUEUE } });
    const stack = async () =>
      (await aws.cloudformation.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0];
    expect(await stack()).toMatchObject({ RoleARN: role, NotificationARNs: [topic] });
    await deploy(name, good, { NotificationARNs: [] });
    expect((await stack())?.NotificationARNs ?? []).toEqual([]);
  });
});
