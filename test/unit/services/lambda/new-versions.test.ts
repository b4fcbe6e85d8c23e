import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { hasOtherSettings } from '../../../../src/services/lambda/versions/newest-version.ts';
import { compareVersionNames } from '../../../../src/services/lambda/versions/version-names.ts';
import { mapOf } from '../../../../src/template/template.ts';
import { parseTemplate } from '../../../../src/template/yaml/yaml.ts';

const resource = (properties: string, type = 'Serverless') =>
  parseTemplate(`{Type: AWS::${type}::Function, Properties: {${properties}}}`, 'template');
const CODE = 'AutoPublishAlias: live, CodeUri: s3://b/one';

describe('the name that SAM gives a version', () => {
  it.each<[string, string, string, string, boolean?]>([
    ['is the same with other settings', `${CODE}, Timeout: 1`, `${CODE}, Timeout: 2`, 'same'],
    ['follows the code', CODE, 'AutoPublishAlias: live, CodeUri: s3://b/two', 'other'],
    ['follows the code in the template', `${CODE}, InlineCode: a`, `${CODE}, InlineCode: b`, 'other'],
    ['follows memory', `${CODE}, MemorySize: 128`, `${CODE}, MemorySize: 256`, 'other'],
    ['is new with the alias', 'CodeUri: s3://b/one', CODE, 'other'],
    [
      'follows the code through parameters',
      'AutoPublishAlias: a, CodeUri: {Key: !Ref K}',
      'AutoPublishAlias: a, CodeUri: {Key: !Ref K}',
      'unknown',
    ],
    ['follows no parameter of settings', `${CODE}, MemorySize: !Ref M`, `${CODE}, MemorySize: !Ref M`, 'same'],
    [
      'may follow one with other transforms',
      `${CODE}, MemorySize: !Ref M`,
      `${CODE}, MemorySize: !Ref M`,
      'unknown',
      false,
    ],
    [
      'follows the hash alone',
      `${CODE}, MemorySize: 1, AutoPublishCodeSha256: a`,
      `${CODE}, MemorySize: 2, AutoPublishCodeSha256: a`,
      'same',
    ],
    ['follows another hash', `${CODE}, AutoPublishCodeSha256: a`, `${CODE}, AutoPublishCodeSha256: b`, 'other'],
    ['follows the code where the hash goes', `${CODE}, AutoPublishCodeSha256: a`, CODE, 'other'],
    [
      'may follow the parameter of a hash',
      `${CODE}, AutoPublishCodeSha256: !Ref H`,
      `${CODE}, AutoPublishCodeSha256: !Ref H`,
      'unknown',
    ],
    [
      'may follow every property',
      `${CODE}, AutoPublishAliasAllProperties: true, Timeout: 1`,
      `${CODE}, AutoPublishAliasAllProperties: true, Timeout: 2`,
      'unknown',
    ],
    [
      'follows no other property',
      `${CODE}, AutoPublishAliasAllProperties: true`,
      `${CODE}, AutoPublishAliasAllProperties: true`,
      'same',
    ],
    [
      'may follow a layer',
      `${CODE}, AutoPublishAliasAllProperties: true, Layers: [!Ref L]`,
      `${CODE}, AutoPublishAliasAllProperties: true, Layers: [!Ref L]`,
      'unknown',
    ],
  ])('%s', (_, before, after, name, isPlain = true) => {
    expect(compareVersionNames({ deployed: resource(before), packaged: resource(after) }, { isPlain })).toBe(name);
  });

  it('is not known of a resource that a loop makes', () => {
    expect(compareVersionNames({ deployed: {}, packaged: {} }, { isPlain: true })).toBe('unknown');
  });
});

describe('a version that Lambda has', () => {
  const version = (Variables: Record<string, string>, more: FunctionConfiguration = {}): FunctionConfiguration => ({
    MemorySize: 256,
    Environment: { Variables },
    ...more,
  });
  const MEMORY = 'MemorySize: 256';
  it.each<[string, string, FunctionConfiguration, boolean]>([
    ['has the same settings', `${MEMORY}, Environment: {Variables: {A: 1}}`, version({ A: '1' }), false],
    ['has another memory', 'MemorySize: 512', version({}), true],
    ["has another memory than Lambda's default", '', version({}), true],
    ['may have the memory of a parameter', 'MemorySize: !Ref M', version({}), false],
    [
      'has another variable',
      `${MEMORY}, Environment: {Variables: {A: 1, B: !Ref B}}`,
      version({ A: '2', B: 'b' }),
      true,
    ],
    ['has one more', `${MEMORY}, Environment: {Variables: {A: 1}}`, version({ A: '1', B: 'b' }), true],
    ['has one less', `${MEMORY}, Environment: {Variables: {A: 1, B: 2}}`, version({ A: '1' }), true],
    ['has those of a template without any', MEMORY, version({ A: '1' }), true],
    [
      'may have those of other resources',
      `${MEMORY}, Environment: {Variables: {A: !Ref A}}`,
      version({ A: 'a' }),
      false,
    ],
    ['may have a secret', `${MEMORY}, Environment: {Variables: {A: '{{resolve:ssm:a}}'}}`, version({ A: 'a' }), false],
    [
      'may have all of a condition',
      `${MEMORY}, Environment: {Variables: !If [C, {A: 1}, {}]}`,
      version({ A: 'a' }),
      false,
    ],
    [
      'may have those that Lambda does not show',
      `${MEMORY}, Environment: {Variables: {A: 1}}`,
      version({}, { Environment: { Error: {} } }),
      false,
    ],
    [
      'has the hash that names it',
      `${MEMORY}, Description: d, AutoPublishCodeSha256: x`,
      version({}, { Description: 'd x' }),
      false,
    ],
    ['has another hash', `${MEMORY}, AutoPublishCodeSha256: x`, version({}, { Description: 'y' }), true],
    [
      'has a description of its own',
      `${MEMORY}, AutoPublishCodeSha256: x, VersionDescription: v`,
      version({}, { Description: 'v' }),
      false,
    ],
  ])('%s', (_, properties, configuration, isOther) => {
    expect(hasOtherSettings(configuration, mapOf(resource(properties)['Properties']))).toBe(isOther);
  });
});
