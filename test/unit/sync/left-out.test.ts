import * as path from 'node:path';
import { expect, it } from 'vitest';
import { readStacks } from '../../../src/model/read-stacks.ts';
import { describeLeftOut } from '../../../src/sync/code/left-out.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function leftOutOf(resources: string): Promise<string | undefined> {
  const template = (text: string): string => `Transform: AWS::Serverless-2016-10-31\nResources:\n${text}`;
  const folder = await tempFolder({
    'root.yaml': template(resources),
    'child.yaml': template('  Job: {Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: a.js}}}'),
    'a.js': '',
  });
  const { root } = await readStacks({
    templateFile: path.join(folder, 'root.yaml'),
    parameterOverrides: {},
    pseudo: { region: 'eu-west-1', stackName: 'app' },
    cwd: folder,
  });
  return describeLeftOut(root);
}

it('--code names the resources with files here that only a deployment updates', async () => {
  const graph = `  Graph:
    Type: AWS::Serverless::GraphQLApi
    Properties:
      Auth: {Type: API_KEY}
      SchemaUri: a.js
      Functions: {f: {CodeUri: a.js, DataSource: NONE, Runtime: {Name: APPSYNC_JS, Version: 1.0.0}}}
`;
  const child = '  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}\n';
  expect(await leftOutOf(graph + child)).toBe(
    '--code does not sync the files of Graph, Child/Job. Only a deployment updates them.',
  );
});

it('and nothing where code syncs update every file', async () => {
  const flow = '  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: a.js}}\n';
  const fn = '  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: nodejs24.x}}\n';
  expect(await leftOutOf(flow + fn)).toBeUndefined();
});
