import { expect, it } from 'vitest';
import { listSyncResources } from '../../../src/sync/code/sync-resource.ts';
import { dependsOnParameters } from '../../../src/sync/stack-parameters.ts';
import type { TemplateMap } from '../../../src/template/template.ts';
import { fakeFunction, fakeStack } from '../../support/stack-builder.ts';

const REF = { Ref: 'P' };
const SAM = 'AWS::Serverless::Function';
const RAW = 'AWS::Lambda::Function';

function depends(type: typeof SAM | typeof RAW, Properties: TemplateMap, rest: TemplateMap = {}): boolean {
  const source = { Parameters: { P: { Type: 'String' } }, Resources: { Fn: { Type: type, Properties, ...rest } } };
  const root = fakeStack({ source, functions: [fakeFunction({ id: 'Fn', type })] });
  const [resource] = listSyncResources(root);
  return dependsOnParameters(root, resource!);
}

it.each<[type: typeof SAM | typeof RAW, property: string, value: TemplateMap, expected: boolean]>([
  [SAM, 'CodeUri', REF, true],
  [SAM, 'CodeUri', { Bucket: REF, Key: 'k' }, true],
  [SAM, 'ImageUri', REF, true],
  [SAM, 'Handler', { 'Fn::Sub': '${P}' }, true],
  [SAM, 'AutoPublishAlias', REF, true],
  [SAM, 'SourceKMSKeyArn', REF, true],
  [RAW, 'Code', { ImageUri: REF }, true],
  [SAM, 'Environment', { Variables: { P: REF } }, false],
  [SAM, 'Role', REF, false],
])('what a code sync sends of %s depends on its %s %j: %s', (type, property, value, expected) => {
  expect(depends(type, { [property]: value })).toBe(expected);
});

it.each([
  ['Metadata', { DockerTag: REF }, true],
  ['Condition', 'C', true],
  ['DependsOn', 'Other', false],
])('and on its %s', (name, value, expected) => {
  expect(depends(SAM, { CodeUri: 'src' }, { [name]: value })).toBe(expected);
});
