import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFINITION_FLOWS } from '../../../src/services/definitions.ts';
import { API_GATEWAY } from '../../../src/template/kinds/apigateway.ts';
import { APP_SYNC } from '../../../src/template/kinds/appsync.ts';
import { fillPattern } from '../../../src/template/kinds/attribute-patterns.ts';
import { CLOUD_CONTROL } from '../../../src/template/kinds/cloud-control.ts';
import { CLOUD_FORMATION } from '../../../src/template/kinds/cloudformation.ts';
import {
  hasDefinition,
  implicitKind,
  isServerless,
  isSourceProperty,
  kindOf,
  RESOURCE_KINDS,
  SYNCABLE_TYPES,
} from '../../../src/template/kinds/kinds.ts';
import { LAMBDA } from '../../../src/template/kinds/lambda.ts';
import { OTHERS } from '../../../src/template/kinds/others.ts';
import type { ResourceKind } from '../../../src/template/kinds/resource-kind.ts';
import { STEP_FUNCTIONS } from '../../../src/template/kinds/stepfunctions.ts';

const ROWS: [type: string, kind: ResourceKind][] = Object.entries(RESOURCE_KINDS);
const PROPERTY = /^(?:[A-Z][A-Za-z0-9]*|\*)$/;

describe('every row of the table of resource kinds', () => {
  it.each(ROWS)('%s', (type, kind) => {
    expect(type).toMatch(/^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+$/);
    expect(kindOf(type)).toBe(kind);
    const { paths = [], image = [], body = [], settings = [], samChangesDefinition = [], variables = [] } = kind;
    const names = [
      ...paths.flatMap(({ property }) => property),
      ...image,
      ...body,
      ...settings,
      ...samChangesDefinition,
      ...variables,
    ];
    expect(names.filter((name) => !PROPERTY.test(name))).toEqual([]);
    expect([...settings]).toEqual([...new Set(settings)].sort());
    // what says where code is, and what is sent beside it, are two things
    expect(settings.filter((name) => isSourceProperty(type, name) || body.includes(name))).toEqual([]);
    for (const { type: generated } of [
      ...Object.values(kind.companions ?? {}),
      ...(kind.deployedAs ? [kind.deployedAs] : []),
    ])
      expect(kindOf(generated), generated).toBeDefined();
    if (!isServerless(type))
      expect([kind.companions, kind.deployedAs, kind.implicitId, kind.stages]).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
    if (kind.implicitId !== undefined) expect(implicitKind(kind.implicitId)).toBe(kind);
    const values = { partition: 'aws', region: 'r', account: '1', physicalId: 'id', property: () => null };
    for (const pattern of Object.values(kind.attributes ?? {}))
      expect(fillPattern(pattern, values)).toMatch(/^[^{}]+$/);
  });

  it('is in one group only', () => {
    const groups = [LAMBDA, API_GATEWAY, STEP_FUNCTIONS, APP_SYNC, CLOUD_FORMATION, CLOUD_CONTROL, OTHERS];
    expect(groups.flatMap((group) => Object.keys(group))).toEqual(Object.keys(RESOURCE_KINDS));
  });
});

describe('types that code syncs update', () => {
  it('are those of SAM CLI', () => {
    expect(SYNCABLE_TYPES).toEqual([
      'AWS::Serverless::Function',
      'AWS::Lambda::Function',
      'AWS::Serverless::LayerVersion',
      'AWS::Lambda::LayerVersion',
      'AWS::Serverless::Api',
      'AWS::ApiGateway::RestApi',
      'AWS::Serverless::HttpApi',
      'AWS::ApiGatewayV2::Api',
      'AWS::Serverless::StateMachine',
      'AWS::StepFunctions::StateMachine',
    ]);
  });

  it.each(SYNCABLE_TYPES)('%s has code or a definition, and a flow that sends it', async (type) => {
    const kind: ResourceKind = RESOURCE_KINDS[type];
    const contents = new Set(kind.paths?.map(({ content }) => content));
    if (hasDefinition(type)) {
      expect(contents).toEqual(new Set(['file']));
      expect(kind.body?.length).toBeGreaterThan(0);
      expect(await DEFINITION_FLOWS[RESOURCE_KINDS[type].sync]()).toEqual({
        plan: expect.any(Function),
        apply: expect.any(Function),
        requests: expect.any(Function),
      });
    } else {
      expect(contents).toEqual(new Set(['code']));
      expect(kind.sync).toBe(kind.builtAs);
    }
  });

  it('use every flow of definitions', () => {
    expect(Object.keys(DEFINITION_FLOWS)).toEqual([
      ...new Set(SYNCABLE_TYPES.filter(hasDefinition).map((type) => kindOf(type)?.sync)),
    ]);
  });
});

describe('the table', () => {
  /** Files that write resources of these types into templates of their own. */
  const WRITERS = [
    'builder/dependency-layers/dependency-layer-stack.ts',
    'deploy/companion-stack.ts',
    'deploy/managed-bucket.ts',
    'deploy/web-function-bucket.ts',
  ];
  /** A section of a template's metadata, which looks like a type. */
  const NO_TYPE = "'AWS::ServerlessRepo::Application'";

  it('is the only place that names resource types', () => {
    const src = path.resolve(import.meta.dirname, '../../../src');
    const files = fs.readdirSync(src, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
    const others = files.filter(
      (file) => file.endsWith('.ts') && !file.startsWith('template/kinds/') && !WRITERS.includes(file),
    );
    const named = others.flatMap((file) => {
      const types = fs.readFileSync(path.join(src, file), 'utf8').match(/'AWS::\w+::\w+'/g) ?? [];
      return types.filter((type) => type !== NO_TYPE).map((type) => `${file}: ${type}`);
    });
    expect(named).toEqual([]);
  });

  it.each([
    ['AWS::Serverless::Function', 'CodeUri', true],
    ['AWS::Serverless::Function', 'ImageUri', true],
    ['AWS::Serverless::Function', 'Handler', false],
    ['AWS::Lambda::Function', 'Code', true],
    ['AWS::Lambda::Function', 'CodeUri', false],
    ['AWS::Glue::Job', 'Command', true],
    ['AWS::CloudFormation::Stack', 'TemplateURL', false],
    ['AWS::SNS::Topic', 'CodeUri', false],
    ['constructor', 'name', false],
    [undefined, 'CodeUri', false],
  ])('says whether %s %s is a place of code or of a definition: %s', (type, property, expected) => {
    expect(isSourceProperty(type, property)).toBe(expected);
  });
});
