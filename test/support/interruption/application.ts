import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describeDeployed } from '../snapshot.ts';
import { snapshotFolder, writeFiles } from '../temp-folder.ts';

/** Which version of its code and of its settings an application has. */
export interface AppVersion {
  code: number;
  settings: number;
}

/** Large enough to be uploaded in parts, and hardly compressible (bytes). */
const LARGE = 9_000_000;

const code = ({ code: n }: AppVersion): string => `version-${n}.`;
const settings = ({ settings: n }: AppVersion): string => `settings-${n}.`;

/** The files of an application with a build tool, a bundle, layers, an alias, an API, a state machine and a nested stack. */
function appFiles(version: AppVersion): Record<string, string> {
  const text = code(version);
  const python = `def handler(event, context):\n    return "${text}"\n`;
  return {
    'template.yaml': template(settings(version)),
    'plain/app.py': python,
    'made/app.py': python,
    'made/Makefile': 'build-Made:\n\tcp app.py "$(ARTIFACTS_DIR)"\n',
    'large/app.py': python,
    'bundle/app.ts': `import { text } from './text';\nexport const handler = async (): Promise<string> => text;\n`,
    'bundle/text.ts': `export const text = '${text}';\n`,
    'shared/text.py': `TEXT = "${text}"\n`,
    'api.yaml': api(text),
    'flow.json': JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Pass', Result: text, End: true } } }),
    'child/template.yaml': CHILD,
    'child/fn/app.py': python,
  };
}

/** Writes the files, and what never changes. */
export async function writeApp(folder: string, version: AppVersion): Promise<void> {
  await writeFiles(folder, appFiles(version));
  const large = path.join(folder, 'large', 'data.bin');
  if (await fs.stat(large).catch(() => undefined)) return;
  await fs.writeFile(large, noise(LARGE));
}

/** What a stack with this application must have, from one that was deployed without disturbance. */
export interface Expectation {
  at(version: AppVersion): unknown;
}

/**
 * What a stack has (`describeDeployed`), without the hashes that SAM puts into logical IDs, and without the layer that
 * CloudFormation created last: functions have the one that counts.
 */
export async function describeStackState(endpoint: string, stackName: string): Promise<Record<string, unknown>> {
  const described = Object.entries(await describeDeployed(endpoint, stackName));
  return Object.fromEntries(
    described.flatMap(([id, value]) =>
      /^Shared[0-9a-f]{10}$/.test(id) ? [] : [[id.replace(/[0-9a-f]{10}$/, ''), value]],
    ),
  );
}

/** Reads what is deployed and built, as the model of what other versions must look like. */
export async function learnExpectation(
  endpoint: string,
  app: { folder: string; stackName: string; version: AppVersion },
): Promise<Expectation> {
  const described = JSON.stringify(await describeStackState(endpoint, app.stackName));
  const built = await snapshotFolder(path.join(app.folder, '.aws-sam', 'sam-sync', 'artifacts'));
  const files = [...Object.values(built), ...Object.values(appFiles(app.version))];
  const texts = new Map(files.filter((text) => text.includes(code(app.version))).map((text) => [hash(text), text]));
  return {
    at: (version) => {
      let expected = described;
      const atVersion = (text: string): string =>
        text.replaceAll(code(app.version), code(version)).replaceAll(settings(app.version), settings(version));
      for (const [old, text] of texts) expected = expected.replaceAll(old, hash(atVersion(text)));
      return JSON.parse(atVersion(expected)) as unknown;
    },
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The same bytes in every run. */
function noise(size: number): Buffer {
  return createHash('shake256', { outputLength: size }).digest();
}

function template(note: string): string {
  return `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, Handler: app.handler}
Resources:
  Plain:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: plain, AutoPublishAlias: live, Layers: [!Ref Shared], Environment: {Variables: {NOTE: ${note}}}}
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: made}
  Large:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: large, Layers: [!Ref Shared]}
  Bundle:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {Minify: false, EntryPoints: [app.ts]}}
    Properties: {Runtime: nodejs22.x, CodeUri: bundle}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: shared, CompatibleRuntimes: [python3.11]}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, DefinitionUri: api.yaml}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.json, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: sts:AssumeRole}]
  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: child/template.yaml}
`;
}

const CHILD = `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: fn}
`;

function api(text: string): string {
  return `openapi: '3.0.1'
info: {title: interrupted, version: '1.0'}
paths:
  /${text}:
    get:
      responses: {'200': {description: OK}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: '200'}}
`;
}
