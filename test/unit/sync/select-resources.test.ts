import { describe, expect, it } from 'vitest';
import { selectResources } from '../../../src/sync/code/select-resources.ts';
import type { Selection } from '../../../src/sync/code/select-resources.ts';
import { fakeFunction, fakeLayer, fakeStack } from '../../support/stack-builder.ts';

const cdk = (path: string) => ({ Metadata: { 'aws:cdk:path': path } });
const grand = fakeStack({
  path: 'Child/Grand',
  logicalId: 'Grand',
  source: { Resources: { Deep: { Type: 'AWS::Serverless::Function' } } },
  functions: [fakeFunction({ id: 'Child/Grand/Deep' })],
});
const child = fakeStack({
  path: 'Child',
  logicalId: 'Child',
  source: {
    Resources: {
      Inner: { Type: 'AWS::Lambda::Function', ...cdk('App/Nested/Inner/Resource') },
      Grand: { Type: 'AWS::Serverless::Application' },
    },
  },
  functions: [fakeFunction({ id: 'Child/Inner', type: 'AWS::Lambda::Function', constructId: 'Inner' })],
  children: [grand],
});
const root = fakeStack({
  source: {
    Resources: {
      Hello: { Type: 'AWS::Serverless::Function' },
      World12345678: { Type: 'AWS::Lambda::Function', ...cdk('App/World/Resource') },
      Layer: { Type: 'AWS::Serverless::LayerVersion' },
      Table: { Type: 'AWS::DynamoDB::Table' },
      Api: { Type: 'AWS::Serverless::Api', Properties: { DefinitionUri: 'api.yaml' } },
      Child: { Type: 'AWS::CloudFormation::Stack', ...cdk('App/Nested.NestedStack/Nested.NestedStackResource') },
    },
  },
  functions: [
    fakeFunction({ id: 'Hello' }),
    fakeFunction({ id: 'World12345678', type: 'AWS::Lambda::Function', constructId: 'World' }),
  ],
  layers: [fakeLayer({ id: 'Layer' })],
  children: [child],
});

const select = (selection: Partial<Selection>) => {
  const { resources, failures } = selectResources(root, { ids: [], types: [], ...selection });
  return { ids: resources.map(({ id }) => id), failures };
};

describe('selection', () => {
  it.each<[string, Partial<Selection>, string[]]>([
    ['nothing given', {}, ['Hello', 'World12345678', 'Layer', 'Api', 'Child/Inner', 'Child/Grand/Deep']],
    ['an id', { ids: ['Hello'] }, ['Hello']],
    ['the same id twice', { ids: ['Hello', 'Hello'] }, ['Hello']],
    ['nested ids', { ids: ['Child/Grand/Deep', 'Child/Inner'] }, ['Child/Inner', 'Child/Grand/Deep']],
    ['a type', { types: ['AWS::Serverless::Function'] }, ['Hello', 'Child/Grand/Deep']],
    ['types and ids', { types: ['AWS::Serverless::Api'], ids: ['Layer', 'Api'] }, ['Layer', 'Api']],
    ['a construct id', { ids: ['World'] }, ['World12345678']],
    ['construct ids through nested stacks', { ids: ['Nested/Inner'] }, ['Child/Inner']],
  ])('%s', (_, selection, ids) => {
    expect(select(selection)).toEqual({ ids, failures: [] });
  });

  it.each([
    ['a near name', 'Helo', 'The template has no resource Helo', 'Did you mean Hello?'],
    ['a nested one without its path', 'Inner', 'The template has no resource Inner', 'Did you mean Child/Inner?'],
    [
      'another type',
      'Table',
      'Table is of type AWS::DynamoDB::Table, which --code does not sync',
      /Sync without --code/,
    ],
    ['nothing near', 'Quux', 'The template has no resource Quux', /^There are: Hello, World12345678/],
  ])('fails for %s and keeps the others', (_, id, error, hint) => {
    const { ids, failures } = select({ ids: [id, 'Hello'] });
    expect(ids).toEqual(['Hello']);
    expect(failures).toMatchObject([{ id, outcome: 'failed', error }]);
    expect(failures[0]?.hint).toMatch(hint);
  });
});
