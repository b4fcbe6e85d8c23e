import { ExportApiCommand, GetDeploymentsCommand as GetHttpDeployments } from '@aws-sdk/client-apigatewayv2';
import { paginateGetDeployments } from '@aws-sdk/client-api-gateway';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { BatchGetImageCommand } from '@aws-sdk/client-ecr';
import {
  GetFunctionCommand,
  GetLayerVersionByArnCommand,
  paginateListLayerVersions,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import { ListBucketsCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import {
  DescribeStateMachineAliasCommand,
  DescribeStateMachineCommand,
  ListStateMachineAliasesCommand,
  ListStateMachineVersionsCommand,
} from '@aws-sdk/client-sfn';
import yauzl from 'yauzl';
import { callRestApi, clients, stackEvents } from './cloud.ts';
import { textOf } from './fault-app.ts';
import { listResources } from './snapshot.ts';

/** What a cloud has of an application. */
export interface CloudState {
  /** Code, layers and definitions that are in effect, by resource. */
  content: Record<string, unknown>;
  /** Things that a request makes anew each time, by resource. */
  counts: Record<string, number>;
}

/** Reads the state of a stack. `names`: text → its placeholder, so that states of different versions can be compared. */
export async function readCloudState(
  endpoint: string,
  stackName: string,
  names: Readonly<Record<string, string>>,
): Promise<CloudState> {
  const content: CloudState['content'] = {};
  const counts: CloudState['counts'] = {};
  const { cloudformation, s3 } = clients(endpoint);
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackName }));
  content['(stack)'] = Stacks?.[0]?.StackStatus?.replace(/^(CREATE|UPDATE)_/, '');
  const events = await stackEvents(endpoint, stackName);
  counts['operations of the stack'] = new Set(events.map((event) => event.ClientRequestToken)).size;
  await Promise.all(
    [...(await listResources(endpoint, stackName))].map(async ([generated, { type, physicalId }]) => {
      // SAM appends a hash of the content
      const id = generated.replace(/[0-9a-f]{10}$/, '');
      const state = await READERS[type]?.(endpoint, physicalId);
      if (state === undefined) return;
      if (state.content !== undefined)
        content[id] = JSON.parse(rename(JSON.stringify(state.content), names)) as unknown;
      for (const [name, count] of Object.entries(state.counts)) counts[`${name} of ${id}`] = count;
    }),
  );
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name } of Buckets) {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: Name }));
    counts['unfinished uploads'] = (counts['unfinished uploads'] ?? 0) + Uploads.length;
  }
  return { content, counts };
}

function rename(text: string, names: Readonly<Record<string, string>>): string {
  return Object.entries(names).reduce((all, [name, placeholder]) => all.replaceAll(name, placeholder), text);
}

type Reader = (endpoint: string, physicalId: string) => Promise<{ content: unknown; counts: CloudState['counts'] }>;

const READERS: Record<string, Reader> = {
  'AWS::Lambda::Function': async (endpoint, FunctionName) => {
    const { lambda } = clients(endpoint);
    const Versions = [];
    for await (const page of paginateListVersionsByFunction({ client: lambda }, { FunctionName })) {
      Versions.push(...(page.Versions ?? []));
    }
    const [latest, live] = await Promise.all([
      readFunction(endpoint, FunctionName),
      readFunction(endpoint, FunctionName, 'live').catch(() => undefined),
    ]);
    const layers = latest.arns.filter((arn) => arn.includes('DepLayer'));
    const counts: Record<string, number> = { versions: Versions.length };
    for (const arn of layers) counts['dependency layer versions'] = await countLayers(endpoint, arn);
    const { arns: _arns, ...published } = live ?? { arns: [] };
    return { content: { ...latest, arns: latest.arns.length, live: published }, counts };
  },
  'AWS::Lambda::LayerVersion': async (endpoint, arn) => ({
    content: undefined,
    counts: { versions: await countLayers(endpoint, arn) },
  }),
  'AWS::StepFunctions::StateMachine': async (endpoint, stateMachineArn) => {
    const { sfn } = clients(endpoint);
    const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const versions = await sfn.send(new ListStateMachineVersionsCommand({ stateMachineArn, maxResults: 1000 }));
    const { stateMachineAliases = [] } = await sfn.send(new ListStateMachineAliasesCommand({ stateMachineArn }));
    const aliases = stateMachineAliases.map(async ({ stateMachineAliasArn }) => {
      const alias = await sfn.send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
      const version = alias.routingConfiguration?.[0]?.stateMachineVersionArn;
      const published = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: version }));
      return [alias.name, published.definition];
    });
    const count = versions.stateMachineVersions?.length ?? 0;
    return { content: { definition, aliases: await Promise.all(aliases) }, counts: { versions: count } };
  },
  'AWS::ApiGateway::RestApi': async (endpoint, restApiId) => {
    let deployments = 0;
    for await (const { items = [] } of paginateGetDeployments(
      { client: clients(endpoint).apigateway },
      { restApiId },
    )) {
      deployments += items.length;
    }
    const answer = await callRestApi(endpoint, { id: restApiId, stage: 'dev', path: '/ping' });
    return { content: answer.body, counts: { deployments } };
  },
  'AWS::ApiGatewayV2::Api': async (endpoint, ApiId) => {
    const { apigatewayv2 } = clients(endpoint);
    const { Items = [] } = await apigatewayv2.send(new GetHttpDeployments({ ApiId, MaxResults: '1000' }));
    const stages = ['$default', 'fixed'].map(async (StageName) => {
      const exported = { ApiId, Specification: 'OAS30', OutputType: 'JSON', StageName };
      const { body = [] } = await apigatewayv2.send(new ExportApiCommand(exported));
      return Object.keys((JSON.parse(Buffer.from(body).toString()) as { paths: object }).paths);
    });
    return { content: await Promise.all(stages), counts: { deployments: Items.length } };
  },
};

async function readFunction(endpoint: string, FunctionName: string, Qualifier?: string) {
  const { lambda } = clients(endpoint);
  const { Configuration, Code } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier }));
  const { Environment, Layers = [], LastUpdateStatus } = Configuration ?? {};
  const arns = Layers.map(({ Arn = '' }) => Arn);
  const layers = arns.map(async (Arn) => {
    const { Content } = await lambda.send(new GetLayerVersionByArnCommand({ Arn }));
    return zipTexts(Content?.Location ?? '');
  });
  return {
    arns,
    Environment,
    LastUpdateStatus: Qualifier === undefined ? LastUpdateStatus : undefined,
    code:
      Code?.ImageUri === undefined ? await zipTexts(Code?.Location ?? '') : await imageText(endpoint, Code.ImageUri),
    layers: await Promise.all(layers),
  };
}

/** What ECR has of an image of `fault-docker.cjs`. */
async function imageText(endpoint: string, uri: string): Promise<string | undefined> {
  const [, repositoryName, imageTag, imageDigest] = /^[^/]+\/([^:@]+)(?::(.+)|@(.+))$/.exec(uri) ?? [];
  const { ecr } = clients(endpoint);
  const { images } = await ecr.send(
    new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag, imageDigest }] }),
  );
  return images?.[0]?.imageManifest;
}

async function countLayers(endpoint: string, arn: string): Promise<number> {
  const LayerName = arn.slice(0, arn.lastIndexOf(':'));
  let count = 0;
  const client = clients(endpoint).lambda;
  for await (const { LayerVersions = [] } of paginateListLayerVersions({ client }, { LayerName })) {
    count += LayerVersions.length;
  }
  return count;
}

/** Path → text of each file of a zip. */
async function zipTexts(url: string): Promise<Record<string, string>> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(await (await fetch(url)).arrayBuffer()));
  const files: Record<string, string> = {};
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    files[entry.fileName] = textOf(Buffer.concat(chunks));
  }
  return files;
}
