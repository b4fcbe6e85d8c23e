import type { Stack } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.ts';
import type { StackOutput } from '../console/reporter.ts';
import { TemplateError } from '../errors.ts';
import type { Template } from '../template/template.ts';
import { parseTemplate } from '../template/yaml/yaml.ts';
import { isNoSuchStack } from './stack-refusals.ts';

/** A stack as CloudFormation describes it. */
export interface DeployedStack {
  name: string;
  /** Its ARN, which differs each time a stack of this name is created. */
  id: string;
  account: string;
  region: string;
  /** E.g. `UPDATE_COMPLETE`. */
  status: string;
  statusReason: string | undefined;
  createdAt: Date | undefined;
  updatedAt: Date | undefined;
  /** `NoEcho` values are `****`. */
  parameters: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
  outputs: readonly StackOutput[];
  capabilities: readonly string[];
  roleArn: string | undefined;
  notificationArns: readonly string[];
  terminationProtection: boolean;
  /** Mode of the last deployment, `EXPRESS` or `STANDARD`; undefined if CloudFormation does not report it. */
  deploymentMode?: string | undefined;
}

/** Returns the stack with this name or ARN, if there is one. One call. */
export async function describeStack(aws: Aws, name: string): Promise<DeployedStack | undefined> {
  const { send, DescribeStacksCommand } = await aws.cloudFormation();
  try {
    const { Stacks } = await send(new DescribeStacksCommand({ StackName: name }));
    const stack = Stacks?.[0];
    return stack === undefined ? undefined : toDeployedStack(stack);
  } catch (error) {
    if (isNoSuchStack(error, name)) return undefined;
    throw error;
  }
}

/** Returns the original template of the last deployment; undefined if there is none or it cannot be parsed. */
export async function readDeployedTemplate(aws: Aws, name: string): Promise<Template | undefined> {
  return readTemplate(aws, name, 'Original');
}

/** Returns the template that the transforms made of the one that the stack was deployed with. One call. */
export async function readProcessedTemplate(aws: Aws, name: string): Promise<Template | undefined> {
  return readTemplate(aws, name, 'Processed');
}

async function readTemplate(
  aws: Aws,
  name: string,
  TemplateStage: 'Original' | 'Processed',
): Promise<Template | undefined> {
  const { send, GetTemplateCommand } = await aws.cloudFormation();
  try {
    const { TemplateBody } = await send(new GetTemplateCommand({ StackName: name, TemplateStage }));
    return TemplateBody ? parseTemplate(TemplateBody, `the template of stack ${name}`) : undefined;
  } catch (error) {
    // a template of another tool that we cannot parse differs from ours anyway
    if (isNoSuchStack(error, name) || error instanceof TemplateError) return undefined;
    throw error;
  }
}

function toDeployedStack(stack: Stack): DeployedStack {
  const id = stack.StackId ?? '';
  const [, , , region = '', account = ''] = id.split(':');
  return {
    name: stack.StackName ?? '',
    id,
    account,
    region,
    status: stack.StackStatus ?? '',
    statusReason: stack.StackStatusReason || undefined,
    createdAt: stack.CreationTime,
    updatedAt: stack.LastUpdatedTime,
    parameters: toRecord(stack.Parameters, ({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]),
    tags: toRecord(stack.Tags, ({ Key, Value }) => [Key, Value]),
    outputs: (stack.Outputs ?? []).map(({ OutputKey, OutputValue, Description }) => ({
      key: OutputKey ?? '',
      value: OutputValue ?? '',
      description: Description || undefined,
    })),
    capabilities: stack.Capabilities ?? [],
    roleArn: stack.RoleARN,
    notificationArns: stack.NotificationARNs ?? [],
    terminationProtection: stack.EnableTerminationProtection ?? false,
    deploymentMode: stack.DeploymentConfig?.Mode,
  };
}

function toRecord<T>(
  items: readonly T[] | undefined,
  entry: (item: T) => [string | undefined, string | undefined],
): Record<string, string> {
  return Object.fromEntries(
    (items ?? []).map((item) => {
      const [key = '', value = ''] = entry(item);
      return [key, value];
    }),
  );
}
