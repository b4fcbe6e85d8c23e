import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { tempFolder, writeFiles } from './temp-folder.ts';
import { writeWheel } from './python-packages.ts';

/** The application that meets the faults: one resource of each kind that a sync updates. */
export interface FaultApp {
  dir: string;
  /** Writes all code and definitions with this text in each. */
  writeCode(version: string): Promise<void>;
  /** Writes the template with this text in a property. */
  writeTemplate(shape: string): Promise<void>;
}

/** Identifiers of its resources that a code sync updates. */
export const CODE_RESOURCES = ['Greet', 'Words', 'Rest', 'Http', 'Flow', 'Child/Log'] as const;

/** Bytes of a file that makes S3 receive the code in parts. */
const LARGE = 9 * 1024 * 1024;

/** Creates the application in a folder of its own. `isLarge`: with code that is uploaded in parts, and an image. */
export async function createFaultApp({ isLarge = false }: { isLarge?: boolean } = {}): Promise<FaultApp> {
  const dir = await tempFolder({
    'greet/requirements.txt': './tiny-1.0-py3-none-any.whl\n',
    'child/template.yaml': CHILD,
  });
  await writeWheel(path.join(dir, 'greet'), { name: 'tiny', version: '1.0', files: { 'tiny.py': 'TINY = 1\n' } });
  return {
    dir,
    writeCode: async (version) => {
      await writeFiles(dir, codeOf(version));
      if (!isLarge) return;
      await fs.writeFile(path.join(dir, 'greet', 'large'), [`${version}\n`, randomBytes(LARGE)]);
      await writeFiles(dir, { 'picture/Dockerfile': 'FROM scratch\n', 'picture/word.txt': version });
    },
    writeTemplate: (shape) => writeFiles(dir, { 'template.yaml': templateOf(shape) + (isLarge ? PICTURE : '') }),
  };
}

function codeOf(version: string): Record<string, string> {
  const api = { openapi: '3.0.1', info: { title: 'faults', version: '1.0' } };
  const answer = { statusCode: '200', responseTemplates: { 'application/json': `{"answer": "${version}"}` } };
  const mock = {
    responses: { 200: { description: 'OK' } },
    'x-amazon-apigateway-integration': {
      type: 'mock',
      requestTemplates: { 'application/json': '{"statusCode": 200}' },
      responses: { default: answer },
    },
  };
  const proxy = {
    'x-amazon-apigateway-integration': {
      type: 'http_proxy',
      httpMethod: 'GET',
      uri: 'http://127.0.0.1:9/',
      payloadFormatVersion: '1.0',
    },
  };
  const states = { StartAt: 'End', States: { End: { Type: 'Pass', Result: version, End: true } } };
  return {
    'greet/app.py': `def handler(event, context):\n    return "${version}"\n`,
    'words/python/words.py': `WORD = "${version}"\n`,
    'api/rest.json': JSON.stringify({ ...api, paths: { '/ping': { get: mock } } }),
    'api/http.json': JSON.stringify({ ...api, paths: { [`/${version}`]: { get: proxy } } }),
    'flow.asl.json': JSON.stringify(states),
    'child/log/index.js': `exports.handler = async () => '${version}';\n`,
  };
}

const templateOf = (shape: string): string => `
Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      CodeUri: greet
      Handler: app.handler
      Role: arn:aws:iam::000000000000:role/x
      AutoPublishAlias: live
      Layers: [!Ref Words]
      Environment: {Variables: {SHAPE: ${shape}}}
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: words}
  Rest:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, DefinitionUri: api/rest.json}
  Http:
    Type: AWS::Serverless::HttpApi
    Properties: {DefinitionUri: api/http.json}
  Fixed:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Http, StageName: fixed, DeploymentId: !Ref First}
  First:
    Type: AWS::ApiGatewayV2::Deployment
    Properties: {ApiId: !Ref Http}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: flow.asl.json
      AutoPublishAlias: live
      Role: arn:aws:iam::000000000000:role/x
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child/template.yaml}
`;

/** A function of an image (`fault-docker.cjs`). */
const PICTURE = `  Picture:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, Role: arn:aws:iam::000000000000:role/x}
    Metadata: {DockerContext: picture}
`;

const CHILD = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Log:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      CodeUri: log
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/x
`;

/** The text of a file; of a large one its first line. */
export function textOf(content: Buffer): string {
  return content.length < LARGE ? content.toString() : content.subarray(0, content.indexOf('\n')).toString();
}
