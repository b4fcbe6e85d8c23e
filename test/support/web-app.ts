import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { resourceOf } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { clients } from './cloud.ts';

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
