import { describe, expect, it } from 'vitest';
import { DEPENDENCY_STACK, dependencyLayerId } from '../../../src/builder/dependency-layers/dependency-layer.ts';
import type { PackagedStack } from '../../../src/package/package-templates.ts';
import { compareDeployed } from '../../../src/sync/compare-deployed.ts';
import type { Template, TemplateMap } from '../../../src/template/template.ts';
import { fakeFunction, fakeLayer, fakeStack } from '../../support/stack-builder.ts';

const RESOURCES = {
  Fn: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: 's3://b/fn1', MemorySize: 128 } },
  Raw: { Type: 'AWS::Lambda::Function', Properties: { Code: { S3Bucket: 'b', S3Key: 'raw1' } } },
  Far: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: 's3://theirs/far' } },
  Layer: { Type: 'AWS::Serverless::LayerVersion', Properties: { ContentUri: 's3://b/layer1' } },
  Api: { Type: 'AWS::Serverless::Api', Properties: { DefinitionBody: include('s3://b/api1'), StageName: 'dev' } },
  Machine: { Type: 'AWS::Serverless::StateMachine', Properties: { DefinitionUri: { Bucket: 'b', Key: 'machine1' } } },
  Steps: { Type: 'AWS::StepFunctions::StateMachine', Properties: { Definition: include('s3://b/steps1') } },
  Child: { Type: 'AWS::Serverless::Application', Properties: { Location: 'https://s3/b/child1.template' } },
  [DEPENDENCY_STACK]: {
    Type: 'AWS::CloudFormation::Stack',
    Properties: { TemplateURL: 'https://s3/b/deps1.template' },
  },
} satisfies TemplateMap;

function include(location: string): TemplateMap {
  return { 'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: location } } };
}

const CHILD = { Inner: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: 's3://b/inner1' } } };
const LAYERS = {
  [dependencyLayerId('Fn')]: { Type: 'AWS::Serverless::LayerVersion', Properties: { ContentUri: 's3://b/d1' } },
};

const root = fakeStack({
  source: {
    Resources: {
      Api: { Type: 'AWS::Serverless::Api', Properties: { DefinitionBody: { paths: {} } } },
      Machine: { Type: 'AWS::Serverless::StateMachine', Properties: { DefinitionUri: 'machine.json' } },
      Steps: { Type: 'AWS::StepFunctions::StateMachine', Properties: { Definition: { StartAt: 'A' } } },
    },
  },
  functions: [
    fakeFunction({ id: 'Fn' }),
    fakeFunction({ id: 'Raw', type: 'AWS::Lambda::Function' }),
    fakeFunction({ id: 'Far', code: { kind: 'remote' } }),
  ],
  layers: [fakeLayer({ id: 'Layer' })],
  children: [fakeStack({ path: 'Child', logicalId: 'Child', functions: [fakeFunction({ id: 'Child/Inner' })] })],
});

const packaged = (path: string, resources: TemplateMap, children: PackagedStack[] = []): PackagedStack => ({
  path,
  template: { Resources: resources },
  text: '',
  artifacts: [],
  children,
});

/** The template with some values changed: `Fn.Properties.CodeUri` → value. */
function changed(resources: TemplateMap, changes: Record<string, TemplateMap[string]>): TemplateMap {
  const copy = structuredClone(resources);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('/');
    const last = keys.pop() ?? '';
    const map = keys.reduce((inner, key) => inner[key] as TemplateMap, copy);
    map[last] = value;
  }
  return copy;
}

async function compare(
  changes: Record<string, TemplateMap[string]>,
  nested: { child?: TemplateMap; layers?: TemplateMap; deployed?: Record<string, Template | undefined> } = {},
) {
  const asked: string[] = [];
  const deployed: Record<string, Template | undefined> = {
    Child: { Resources: CHILD },
    [DEPENDENCY_STACK]: { Resources: LAYERS },
    ...nested.deployed,
  };
  const children = [packaged('Child', nested.child ?? CHILD), packaged(DEPENDENCY_STACK, nested.layers ?? LAYERS)];
  const result = await compareDeployed(root, packaged('', changed(RESOURCES, changes), children), {
    template: { Resources: RESOURCES },
    readNested: (path) => {
      asked.push(path);
      return Promise.resolve(deployed[path]);
    },
  });
  return {
    asked,
    result: result.kind === 'code-only' ? [...result.ids] : result.kind === 'same' ? 'same' : result.differences,
  };
}

const NESTED = { 'Child/Properties/Location': 'https://s3/b/child2.template' };
const DEPENDENCIES = { [`${DEPENDENCY_STACK}/Properties/TemplateURL`]: 'https://s3/b/deps2.template' };

describe('what differs from the deployed templates', () => {
  it.each<[string, Record<string, TemplateMap[string]>, unknown]>([
    ['nothing', {}, 'same'],
    ['code of a function', { 'Fn/Properties/CodeUri': 's3://b/fn2' }, ['Fn']],
    ['its bucket', { 'Raw/Properties/Code/S3Bucket': 'c' }, ['Raw']],
    ['a layer', { 'Layer/Properties/ContentUri': 's3://b/layer2' }, ['Layer']],
    ['an included definition', { 'Api/Properties/DefinitionBody': include('s3://b/api2') }, ['Api']],
    ['an included state machine', { 'Steps/Properties/Definition': include('s3://b/steps2') }, ['Steps']],
    ['a state machine', { 'Machine/Properties/DefinitionUri/Key': 'machine2' }, ['Machine']],
    ['code that is not here', { 'Far/Properties/CodeUri': 's3://theirs/far2' }, ['Far: CodeUri changed']],
    [
      'a property',
      { 'Fn/Properties/MemorySize': 256, 'Fn/Properties/CodeUri': 's3://b/fn2' },
      ['Fn: MemorySize changed'],
    ],
    ['a new property', { 'Layer/Properties/Description': 'x' }, ['Layer: Description was added']],
    [
      'a definition in the template',
      { 'Api/Properties/DefinitionBody': { paths: {} } },
      [expect.stringContaining('Api: DefinitionBody'), expect.anything()],
    ],
    ['a new resource', { New: { Type: 'AWS::SQS::Queue' } }, ['New was added']],
  ])('%s', async (_, changes, expected) => {
    expect(await compare(changes)).toEqual({ asked: [], result: expected });
  });

  it('looks into nested stacks whose template is elsewhere', async () => {
    const child = changed(CHILD, { 'Inner/Properties/CodeUri': 's3://b/inner2' });
    expect(await compare(NESTED, { child })).toEqual({ asked: ['Child'], result: ['Child/Inner'] });
    const more = changed(CHILD, { 'Inner/Properties/Timeout': 3 });
    expect((await compare(NESTED, { child: more })).result).toEqual(['Child/Inner: Timeout was added']);
    expect((await compare(NESTED, { deployed: { Child: undefined } })).result).toEqual(['template of Child']);
  });

  it('stops at the first difference that needs a deployment', async () => {
    const changes = { ...NESTED, 'Fn/Properties/MemorySize': 256 };
    expect(await compare(changes)).toEqual({ asked: [], result: ['Fn: MemorySize changed'] });
    const stacks = Array.from({ length: 30 }, (_, index) => `S${index}`);
    const location = (version: number): TemplateMap =>
      Object.fromEntries(
        stacks.map((id) => [
          id,
          { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: `${id}${version}` } },
        ]),
      );
    const asked: string[] = [];
    const own = packaged(
      '',
      location(2),
      stacks.map((path) => packaged(path, { New: { Type: 'AWS::SQS::Queue' } })),
    );
    const result = await compareDeployed(root, own, {
      template: { Resources: location(1) },
      readNested: (path) => {
        asked.push(path);
        return Promise.resolve({ Resources: {} });
      },
    });
    expect(result.kind).toBe('differs');
    expect(asked.length).toBeLessThan(10);
  });

  it('defect 10: a dependency layer belongs to its function', async () => {
    const layers = changed(LAYERS, { [`${dependencyLayerId('Fn')}/Properties/ContentUri`]: 's3://b/d2' });
    expect(await compare(DEPENDENCIES, { layers })).toEqual({ asked: [DEPENDENCY_STACK], result: ['Fn'] });
  });

  it('does not know what was deployed', async () => {
    const result = await compareDeployed(root, packaged('', RESOURCES), {
      template: undefined,
      readNested: () => Promise.resolve(undefined),
    });
    expect(result).toEqual({ kind: 'differs', differences: ['template'] });
  });
});
