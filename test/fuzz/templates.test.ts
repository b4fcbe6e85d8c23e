import { readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { BuildOptions } from '../../src/builder/build-options.ts';
import { planBuiltTemplates } from '../../src/builder/layout/built-templates.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import { compareTemplates, describeDifference } from '../../src/deploy/compare-templates.ts';
import { readDefinitions } from '../../src/model/definitions.ts';
import { readLayerReferences } from '../../src/model/layer-references.ts';
import { readStacks } from '../../src/model/read-stacks.ts';
import { flattenStacks } from '../../src/model/stack.ts';
import type { Stack } from '../../src/model/stack.ts';
import { readVersionReferences } from '../../src/model/version-references.ts';
import { EVERYTHING, selectResources } from '../../src/sync/code/select-resources.ts';
import { dumpYaml, parseYaml } from '../../src/template/yaml/yaml.ts';
import { copyApp } from '../support/app.ts';
import { fuzz, mutatedText, mutatedValue, orUserError } from '../support/fuzz.ts';
import { snapshotFolder } from '../support/temp-folder.ts';

const SHOP = readFileSync(fileURLToPath(new URL('../fixtures/shop/template.yaml', import.meta.url)), 'utf8');
const app = await copyApp('shop');
const outside = path.dirname(app);

/** What the shop does not have: loops, includes, images, build properties, CDK metadata, conditions, plain resources. */
const WIDE = `
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Names: { Type: CommaDelimitedList, Default: 'A,B' }
  Secret: { Type: String, NoEcho: true, Default: hidden }
Mappings:
  Sizes: { dev: { memory: 128 }, prod: { memory: 256 } }
Conditions:
  IsDev: !Equals [!Ref 'AWS::Region', us-east-1]
  Both: !And [!Condition IsDev, !Not [!Equals [a, b]]]
Globals:
  Function: { Runtime: nodejs22.x, Layers: [!Ref Lib], Environment: { Variables: { A: !Ref Secret } } }
Resources:
  Fn::ForEach::Each:
    - Name
    - !Ref Names
    - Fn\${Name}:
        Type: AWS::Serverless::Function
        Properties: { CodeUri: count, Handler: app.handler, MemorySize: !FindInMap [Sizes, dev, memory] }
  Bundle:
    Type: AWS::Serverless::Function
    Condition: IsDev
    Metadata:
      BuildMethod: esbuild
      BuildProperties: { Minify: true, Target: es2022, EntryPoints: [app.js], External: ['@aws-sdk/*'], Loader: ['.txt=text'] }
    Properties: { CodeUri: count, Handler: app.handler, Architectures: [arm64], AutoPublishAlias: live }
  Make:
    Type: AWS::Lambda::Function
    Metadata: { BuildMethod: makefile, ContextPath: ./greet, WorkingDirectory: ., ProjectRootDirectory: ./ }
    Properties: { Code: greet, Handler: bootstrap, Runtime: provided.al2023, Role: !GetAtt Role.Arn }
  Image:
    Type: AWS::Serverless::Function
    Metadata: { Dockerfile: Dockerfile, DockerContext: ./greet, DockerTag: v1, DockerBuildArgs: { A: b }, DockerBuildExtraParams: [--ssh, default] }
    Properties: { PackageType: Image }
  Inline: { Type: AWS::Serverless::Function, Properties: { InlineCode: 'x = 1', Handler: index.handler, Runtime: python3.12 } }
  Cdk:
    Type: AWS::Lambda::Function
    Metadata: { 'aws:cdk:path': Stack/Cdk/Resource, 'aws:asset:path': count, 'aws:asset:property': Code }
    Properties: { Code: { S3Bucket: b, S3Key: k }, Handler: app.handler, Runtime: nodejs22.x }
  Lib:
    Type: AWS::Lambda::LayerVersion
    Metadata: { BuildMethod: nodejs22.x }
    Properties: { Content: words, CompatibleRuntimes: [nodejs22.x] }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Sub '\${AWS::StackName}-x'
      DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api/rest.yaml } } }
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties: { DefinitionString: !Sub ['{"A": "\${X}"}', { X: !GetAtt Bundle.Arn }], RoleArn: !GetAtt Role.Arn }
  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }
  Topic: { Type: AWS::SNS::Topic, Properties: { Tags: !If [Both, [{ Key: a, Value: !Join ['-', [!Select [0, !Split [',', 'a,b']], !Base64 c]] }], !Ref 'AWS::NoValue'] } }
Outputs:
  Version: { Value: !Ref Lib }
`;

const options: BuildOptions = {
  projectDir: app,
  stackName: 'hostile',
  dependencyLayer: true,
  buildInSource: false,
  env: {},
};

/** Everything that plans from a template, up to the text that CloudFormation gets. */
async function planAll(text: string): Promise<void> {
  await fs.writeFile(path.join(app, 'template.yaml'), text);
  const input = {
    templateFile: path.join(app, 'template.yaml'),
    parameterOverrides: { Stage: 'x', Names: '--x,../y' },
    pseudo: { region: 'us-east-1', stackName: 'hostile' },
    cwd: app,
  };
  const read = await orUserError(async () => readStacks(input));
  // only a deployment needs a valid template; the others are planned without
  await orUserError(async () => readStacks({ ...input, validation: { keptParameters: async () => new Set() } }));
  if (read !== undefined) await orUserError(() => planFrom(read.root));
}

function planFrom(root: Stack): void {
  const plan = planBuild(root, options);
  const folders = new Map(
    plan.definitions.flatMap(({ ids, codeDir }) => ids.map((id) => [id, { path: codeDir, cached: true }])),
  );
  const nothing = {
    dependencyLayers: new Map(),
    images: new Map(),
    handlers: new Map(),
    sourceMaps: new Set<string>(),
  };
  const { stack, layout } = planBuiltTemplates(root, { ...nothing, folders }, options);
  // every folder that would be filled is one of ours
  for (const { dir } of layout) expect(path.relative(path.join(app, '.aws-sam'), dir)).not.toMatch(/^\.\./);
  const text = dumpYaml(stack.template);
  expect(
    compareTemplates(stack.template, parseYaml(text, 'built') as typeof stack.template).map(describeDifference),
  ).toEqual([]);
  selectResources(root, EVERYTHING);
  readVersionReferences(root);
  readLayerReferences(root);
  for (const one of flattenStacks(root)) readDefinitions(one);
}

fuzz(
  'a template that is changed at random is read and planned, or refused in a sentence',
  800,
  mutatedText([SHOP, WIDE]),
  planAll,
);

const values = [SHOP, WIDE].map((text): unknown => JSON.parse(JSON.stringify(parseYaml(text, 'sample'))));

fuzz(
  'a template whose parts are in other places is read and planned, or refused in a sentence',
  1_000,
  mutatedValue(values),
  async (value) => {
    await planAll(JSON.stringify(value) ?? '');
  },
);

fuzz(
  'nested templates and included files that are changed at random are read and planned, or refused in a sentence',
  200,
  mutatedText(['orders/template.yaml', 'api/rest.yaml'].map((file) => readFileSync(path.join(app, file), 'utf8'))),
  async (text) => {
    await fs.writeFile(path.join(app, 'orders/template.yaml'), text);
    await fs.writeFile(path.join(app, 'api/rest.yaml'), text);
    await planAll(text.length % 2 === 0 ? SHOP : WIDE);
    expect(Object.keys(await snapshotFolder(outside)).filter((name) => !name.startsWith('app'))).toEqual([]);
  },
);
