import { createHash } from 'node:crypto';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { clients } from '../cloud.ts';
import { describeDeployed } from '../snapshot.ts';

/** What somebody wants a stack to be: the version of all code and definitions, and of the template. */
export interface Intent {
  code: number;
  settings: number;
}

const python = (version: number): string => `def handler(event, context):\n    return ${version}\n`;
const layer = (version: number): string => `TEXT = ${version}\n`;
const flow = (version: number): string =>
  JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Pass', Result: version, End: true } } });

/** The files of a small application that SAM CLI and sam-sync build equally. */
export function sharedApp({ code, settings }: Intent): Record<string, string> {
  return {
    'template.yaml': `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters: {Note: {Type: String, Default: none}}
Globals:
  Function: {Runtime: python3.11, Handler: app.handler}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: one, Layers: [!Ref Shared], Timeout: ${3 + (settings % 800)}, Description: !Ref Note}
  Two:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: two, Timeout: ${3 + (settings % 800)}}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: shared, CompatibleRuntimes: [python3.11]}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.json, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: sts:AssumeRole}]
`,
    'one/app.py': python(code),
    'two/app.py': python(code),
    'shared/text.py': layer(code),
    'flow.json': flow(code),
  };
}

/** What the stack has: its status, and for each resource the versions that it has. */
export async function readIntents(
  endpoint: string,
  stackName: string,
  newest: number,
): Promise<Record<string, unknown>> {
  const { Stacks } = await clients(endpoint)
    .cloudformation.send(new DescribeStacksCommand({ StackName: stackName }))
    .catch(() => ({ Stacks: undefined }));
  if (Stacks === undefined) return { stack: 'absent' };
  const versions = new Map<string, number>();
  for (let version = 0; version <= newest; version++) {
    for (const text of [python(version), layer(version)]) versions.set(hash(text), version);
  }
  const described = await describeDeployed(endpoint, stackName);
  const functions = ['One', 'Two'].map((id) => described[id] as DescribedFunction | undefined);
  const read = (files: Record<string, string> | undefined): (number | undefined)[] =>
    Object.values(files ?? {}).map((content) => versions.get(content));
  const { definition } = (described['Flow'] ?? {}) as { definition?: { States: { Done: { Result: number } } } };
  return {
    stack: /^(CREATE|UPDATE)_COMPLETE$/.test(Stacks[0]?.StackStatus ?? '') ? 'complete' : Stacks[0]?.StackStatus,
    code: functions.map((one) => read(one?.code)).flat(),
    layers: (functions[0]?.layers ?? []).map(read).flat(),
    flow: definition?.States.Done.Result,
    settings: functions.map((one) => (one?.Timeout ?? 0) - 3),
  };
}

/** What `readIntents` returns if everything is as intended. */
export function intended({ code, settings }: Intent): Record<string, unknown> {
  return { stack: 'complete', code: [code, code], layers: [code], flow: code, settings: [settings, settings] };
}

interface DescribedFunction {
  Timeout?: number;
  code: Record<string, string>;
  layers: Record<string, string>[];
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
