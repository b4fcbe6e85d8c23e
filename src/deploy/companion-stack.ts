import { createHash } from 'node:crypto';
import type { Aws } from '../aws/aws.ts';
import type { Reporter } from '../console/reporter.ts';
import { step } from '../console/reporter.ts';
import { deployStack, readDeployedState } from '../deploy/deploy-stack.ts';
import { answerUnasked } from '../deploy/plan-deploy.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { ownValue } from '../support/own-value.ts';
import { isMap, mapOf } from '../template/template.ts';
import type { Template, TemplateMap } from '../template/template.ts';
import { dumpYaml } from '../template/yaml/dump-yaml.ts';
import { UserError } from '../errors.ts';

/** What the creation of repositories needs from its caller. */
export interface CompanionTools {
  reporter: Reporter;
  signal: AbortSignal;
  pollDelayMs?: number | undefined;
}

/** Names the stack with the managed repositories of a stack, as `sam deploy --resolve-image-repos` does. */
export function companionStackName(stackName: string): string {
  return `${stackName.slice(0, 104)}-${md5(stackName)}-CompanionStack`;
}

/** A managed repository with SAM CLI's names. */
export interface ManagedRepository {
  logicalId: string;
  outputId: string;
  /** Its name in ECR. */
  name: string;
}

/** Returns the URI of a function's managed repository. Pure. */
export function managedRepositoryUri(
  stackName: string,
  id: ResourceIdentifier,
  { account, region }: { account: string; region: string },
): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `${account}.dkr.ecr.${region}.${domain}/${managedRepository(stackName, id).name}`;
}

function lettersAndDigits(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Names the managed repository of a function. Pure. */
export function managedRepository(stackName: string, id: ResourceIdentifier): ManagedRepository {
  const path = id.replaceAll('/', '');
  return {
    logicalId: `${path.slice(0, 52)}${md5(path)}Repo`,
    outputId: `${path.slice(0, 52)}${md5(path)}Out`,
    name: `${lettersAndDigits(stackName)}${md5(stackName)}/${lettersAndDigits(path)}${md5(path)}repo`,
  };
}

/**
 * Creates missing repositories of functions in the companion stack. Keeps repositories that no function needs, and their
 * images; SAM CLI deletes them.
 */
export async function ensureRepositories(
  aws: Aws,
  { stackName, ids }: { stackName: string; ids: readonly ResourceIdentifier[] },
  tools: CompanionTools,
): Promise<void> {
  const { reporter, signal, pollDelayMs } = tools;
  const repositories = new Map(ids.map((id) => [id, managedRepository(stackName, id)]));
  const name = companionStackName(stackName);
  const deployed = await readDeployedState(aws, name);
  const resources = mapOf(deployed.template?.['Resources']);
  const missing = [...repositories.values()].filter(({ logicalId }) => !isMap(ownValue(resources, logicalId)));
  if (deployed.stack === undefined || missing.length > 0) {
    const template = companionTemplate(name, [...repositories.values()], deployed.template);
    const start = { kind: 'create', id: 'companion-stack', label: 'ECR repositories for images' } as const;
    await step(reporter, start, async () => {
      await deployStack(
        aws,
        {
          stackName: name,
          template,
          templateText: dumpYaml(template),
          parameters: {},
          tags: undefined,
          capabilities: ['CAPABILITY_AUTO_EXPAND'],
          roleArn: undefined,
          notificationArns: undefined,
          express: false,
        },
        {
          // events of this stack would interrupt those of the user's stack
          reporter: { report: (event) => void (event.type === 'stack-event' || reporter.report(event)) },
          signal,
          confirm: async (_question, plan) => answerUnasked(plan),
          uploadTemplate: async () => {
            throw new UserError(`Stack ${name} has too many repositories for one template`);
          },
          pollDelayMs,
        },
        deployed,
      );
      return { value: undefined, detail: `stack ${name}` };
    });
  }
}

/** Adds missing repositories to the companion's deployed template. Pure. */
export function companionTemplate(
  name: string,
  repositories: readonly ManagedRepository[],
  deployed: Template | undefined,
): Template {
  const resources: TemplateMap = { ...mapOf(deployed?.['Resources']) };
  const outputs: TemplateMap = { ...mapOf(deployed?.['Outputs']) };
  for (const repository of repositories) {
    const { logicalId, outputId } = repository;
    resources[logicalId] ??= repositoryResource(name, repository);
    outputs[outputId] ??= {
      Value: { 'Fn::Sub': `\${AWS::AccountId}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/\${${logicalId}}` },
    };
  }
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'Repositories for the container images of functions',
    ...deployed,
    Metadata: { CompanionStackname: name, ...mapOf(deployed?.['Metadata']) },
    Resources: resources,
    Outputs: outputs,
  };
}

function repositoryResource(companion: string, { name }: ManagedRepository): TemplateMap {
  return {
    Type: 'AWS::ECR::Repository',
    Properties: {
      RepositoryName: name,
      Tags: [
        { Key: 'ManagedStackSource', Value: 'AwsSamCli' },
        { Key: 'AwsSamCliCompanionStack', Value: companion },
      ],
      RepositoryPolicyText: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'AllowLambdaSLR',
            Effect: 'Allow',
            Principal: { Service: ['lambda.amazonaws.com'] },
            Action: ['ecr:GetDownloadUrlForLayer', 'ecr:GetRepositoryPolicy', 'ecr:BatchGetImage'],
          },
        ],
      },
    },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 8);
}
