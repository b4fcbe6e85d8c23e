import { createHash } from 'node:crypto';
import { GetIntegrationsCommand, GetRoutesCommand } from '@aws-sdk/client-apigatewayv2';
import { GetResourcesCommand } from '@aws-sdk/client-api-gateway';
import { DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, GetLayerVersionByArnCommand } from '@aws-sdk/client-lambda';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import yauzl from 'yauzl';
import { clients } from './cloud.ts';

/** A resource of a stack or of one nested in it. */
export interface SeenResource {
  type: string;
  physicalId: string;
}

/** All resources of a stack and of those nested in it, by `Child/LogicalId`. */
export async function listResources(
  endpoint: string,
  stackName: string,
  prefix = '',
): Promise<Map<string, SeenResource>> {
  const { cloudformation } = clients(endpoint);
  const { StackResourceSummaries = [] } = await cloudformation.send(
    new ListStackResourcesCommand({ StackName: stackName }),
  );
  const found = new Map<string, SeenResource>();
  for (const { LogicalResourceId, ResourceType, PhysicalResourceId } of StackResourceSummaries) {
    const id = prefix + LogicalResourceId;
    found.set(id, { type: ResourceType ?? '', physicalId: PhysicalResourceId ?? '' });
    if (ResourceType !== 'AWS::CloudFormation::Stack' || !PhysicalResourceId) continue;
    for (const [nested, resource] of await listResources(endpoint, PhysicalResourceId, `${id}/`)) {
      found.set(nested, resource);
    }
  }
  return found;
}

/** What a stack's functions, layers, APIs and state machines are like, without what differs from deploy to deploy. */
export async function describeDeployed(endpoint: string, stackName: string): Promise<Record<string, unknown>> {
  const resources = await listResources(endpoint, stackName);
  const described: Record<string, unknown> = {};
  for (const [id, { type, physicalId }] of resources) {
    const describe = DESCRIBERS[type];
    if (describe) described[id] = await describe(endpoint, physicalId);
  }
  const { cloudformation } = clients(endpoint);
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackName }));
  described['(outputs)'] = (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey }) => OutputKey).sort();
  described['(parameters)'] = Stacks?.[0]?.Parameters;
  return described;
}

/** Path → hash of the content, for each file of a function's code or a layer. */
export async function zipContent(url: string): Promise<Record<string, string>> {
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  const zip = await yauzl.fromBufferPromise(bytes);
  const files: Record<string, string> = {};
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    const hash = createHash('sha256');
    for await (const chunk of await zip.openReadStreamPromise(entry)) hash.update(chunk as Buffer);
    files[entry.fileName] = hash.digest('hex').slice(0, 12);
  }
  return files;
}

const DESCRIBERS: Record<string, (endpoint: string, physicalId: string) => Promise<unknown>> = {
  'AWS::Lambda::Function': async (endpoint, physicalId) => {
    const { Configuration, Code } = await clients(endpoint).lambda.send(
      new GetFunctionCommand({ FunctionName: physicalId }),
    );
    const { Runtime, Handler, MemorySize, Timeout, Environment, Layers = [], Architectures } = Configuration ?? {};
    const layers = await Promise.all(Layers.map(({ Arn }) => layerContent(endpoint, Arn ?? '')));
    const code = await zipContent(Code?.Location ?? '');
    return { Runtime, Handler, MemorySize, Timeout, Environment, Architectures, code, layers };
  },
  'AWS::Lambda::LayerVersion': layerContent,
  'AWS::StepFunctions::StateMachine': async (endpoint, physicalId) => {
    const { definition, type } = await clients(endpoint).sfn.send(
      new DescribeStateMachineCommand({ stateMachineArn: physicalId }),
    );
    return { type, definition: JSON.parse(definition ?? '') as unknown };
  },
  'AWS::ApiGateway::RestApi': async (endpoint, physicalId) => {
    const { items = [] } = await clients(endpoint).apigateway.send(
      new GetResourcesCommand({ restApiId: physicalId, embed: ['methods'] }),
    );
    return items
      .map(
        ({ path, resourceMethods }) =>
          `${path} ${Object.keys(resourceMethods ?? {})
            .sort()
            .join(' ')}`,
      )
      .sort();
  },
  'AWS::ApiGatewayV2::Api': async (endpoint, physicalId) => {
    const { apigatewayv2 } = clients(endpoint);
    const [routes, integrations] = await Promise.all([
      apigatewayv2.send(new GetRoutesCommand({ ApiId: physicalId })),
      apigatewayv2.send(new GetIntegrationsCommand({ ApiId: physicalId })),
    ]);
    return {
      routes: (routes.Items ?? []).map(({ RouteKey }) => RouteKey).sort(),
      integrations: (integrations.Items ?? []).map(({ IntegrationUri }) => IntegrationUri).sort(),
    };
  },
};

async function layerContent(endpoint: string, arn: string): Promise<Record<string, string>> {
  const { Content } = await clients(endpoint).lambda.send(new GetLayerVersionByArnCommand({ Arn: arn }));
  const files = await zipContent(Content?.Location ?? '');
  // the peer's own note in each dependency layer
  delete files['AWS_SAM_CLI_README'];
  return files;
}
