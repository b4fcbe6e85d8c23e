import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { resourceOf } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import * as lambdaWeb from '../../src/aws/clients/lambda-web.ts';
import type { Json, JsonBody } from '../../src/aws/clients/lambda-web.ts';
import { clients } from './cloud.ts';
import { listResources } from './snapshot.ts';

/** An application with Web Functions: one bundled, one as it is, one in a nested stack, and a function beside them. */
export const WEB_APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Site:
    Type: AWS::Serverless::WebFunction
    Metadata: { BuildMethod: esbuild, BuildProperties: { Sourcemap: true } }
    Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth, EntryPoint: src/server.ts }
  Plain:
    Type: AWS::Serverless::WebFunction
    Properties:
      CodeUri: plain/
      Runtime: nodejs24.x
      AuthType: ApplicationManaged
      EntryPoint: index.js
      EnvironmentVariables: { MODE: one }
  Fn:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: fn, Handler: app.handler, Runtime: python3.11 }
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: child/template.yaml }
Outputs:
  Domain: { Value: !GetAtt SiteEndpoint.DomainName }
`,
  'child/template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Inner:
    Type: AWS::Serverless::WebFunction
    Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth, EntryPoint: main.js }
`,
  'site/package.json': '{"name":"site","version":"1.0.0"}',
  'site/src/server.ts': 'import { createServer } from "node:http";\ncreateServer().listen(8080 as number);\n',
  'plain/index.js': 'require("node:http").createServer().listen(8080);\n',
  'fn/app.py': 'def handler(event, context): return 1\n',
  'child/site/main.js': 'require("node:http").createServer().listen(8080);\n',
};

/** A resource of the template that a stack was deployed with, as plain data. */
export async function deployedResource(endpoint: string, stackName: string, logicalId: string): Promise<unknown> {
  const { cloudformation } = clients(endpoint);
  const request = new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' });
  const { TemplateBody = '' } = await cloudformation.send(request);
  return JSON.parse(JSON.stringify(resourceOf(parseTemplate(TemplateBody, 'template.yaml'), logicalId)));
}

/** The keys in a bucket. */
export async function keysIn(endpoint: string, bucket: string): Promise<string[]> {
  const { Contents = [] } = await clients(endpoint).s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key).sort();
}

/** A Web Function as Lambda has it. */
export interface WebFunctionSeen {
  /** The ID of the stack's revision. */
  own: string;
  /** What its endpoint serves: `revision ID` → weight. */
  weights: Record<string, number>;
  /** The revisions by ID. */
  revisions: Record<string, JsonBody>;
  /** Divides the requests of its endpoint. */
  divide(weights: Record<string, number>): Promise<void>;
}

/** Reads a Web Function (`Child/Id` in a nested stack). */
export async function webFunction(endpoint: string, stackName: string, id: string): Promise<WebFunctionSeen> {
  const resources = await listResources(endpoint, stackName);
  const nameOf = (suffix: string): string => resources.get(`${id}${suffix}`)?.physicalId.split('/').at(-1) ?? '';
  const [functionName, endpointName] = [nameOf(''), nameOf('Endpoint')];
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new lambdaWeb.Client({ endpoint, region: 'us-east-1', credentials });
  const seen = await client.send(new lambdaWeb.GetWebFunctionEndpointCommand({ functionName, endpointName }));
  const list = await client.send(new lambdaWeb.ListWebFunctionRevisionsCommand({ functionName, body: {} }));
  const listOf = (value: Json | undefined): JsonBody[] => JSON.parse(JSON.stringify(value ?? [])) as JsonBody[];
  const revisions: Record<string, JsonBody> = {};
  for (const { revisionId } of listOf(list.body?.['revisions'])) {
    const request = { functionName, revisionId: String(revisionId) };
    revisions[String(revisionId)] =
      (await client.send(new lambdaWeb.GetWebFunctionRevisionCommand(request))).body ?? {};
  }
  const weights = listOf(seen.body?.['revisionWeights']).map((one) => [one['revisionId'], Number(one['weight'])]);
  return {
    own: nameOf('Revision'),
    weights: Object.fromEntries(weights) as Record<string, number>,
    revisions,
    divide: async (wanted) => {
      const revisionWeights = Object.entries(wanted).map(([revisionId, weight]) => ({ revisionId, weight }));
      const body = { revisionWeights };
      await client.send(new lambdaWeb.UpdateWebFunctionEndpointCommand({ functionName, endpointName, body }));
    },
  };
}
