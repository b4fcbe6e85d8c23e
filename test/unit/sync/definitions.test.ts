import { describe, expect, it } from 'vitest';
import { neededPatches, settingPatches } from '../../../src/services/apigateway/rest-api-settings.ts';
import {
  definitionHash,
  deploymentDescription,
  readDefinitionFile,
  readDeploymentHash,
  toJson,
} from '../../../src/services/definition-text.ts';
import {
  composeDefinition,
  fillFromDeployed,
  sameDefinition,
} from '../../../src/services/stepfunctions/state-machine-definition.ts';
import type { TemplateMap } from '../../../src/template/template.ts';
import { parseYaml } from '../../../src/template/yaml/yaml.ts';

describe('JSON of template values', () => {
  it.each([
    ['version: 1.0', '{"version":1.0}'],
    ['id: 12345678901234567890', '{"id":12345678901234567890}'],
    ['octal: 010', '{"octal":8}'],
    ['a: [1, true, null, "x"]', '{"a":[1,true,null,"x"]}'],
  ])('%s', (yaml, json) => expect(toJson(parseYaml(yaml, 'test'))).toBe(json));
});

it('a definition that is not there is named', async () => {
  await expect(readDefinitionFile('Machine', '/no/such.json')).rejects.toThrow(
    'Machine: there is no definition file /no/such.json',
  );
});

describe('definition hashes', () => {
  it('are read back from a description', () => {
    const hash = definitionHash('body', 'settings');
    expect(readDeploymentHash(deploymentDescription(hash))).toBe(hash);
    expect(readDeploymentHash('RestApi deployment id: 0123456789012345678901234567890123456789')).toBeUndefined();
    expect(readDeploymentHash(undefined)).toBeUndefined();
  });

  it('tell parts apart', () => expect(definitionHash('ab', 'c')).not.toBe(definitionHash('a', 'bc')));
});

const file = (text: string) => ({ text, file: 'machine.asl' });

describe('state machines', () => {
  it.each([
    ['JSON', file('{"A": "${X}"}'), { X: 'arn' }, '{"A": "arn"}'],
    ['YAML', file('A: ${X}'), { X: 'arn' }, '{"A":"arn"}'],
    ['defect 21: a number in YAML', file('Seconds: ${X}'), { X: 5 }, '{"Seconds":5}'],
    ['the same name twice', file('{"A": "${X}", "B": "${X}"}'), { X: 'v' }, '{"A": "v", "B": "v"}'],
    ['what looks like a pattern', file('{"A": "${X}"}'), { X: '$&' }, '{"A": "$&"}'],
    ['what is no substitution', file('{"A": "${Y}"}'), { X: 'v' }, '{"A": "${Y}"}'],
    ['in the template', { value: { A: '${X}', B: [1] } }, { X: 'v' }, '{"A":"v","B":[1]}'],
    ['as text in the template', { text: '{"A": ${X}}' }, { X: 1 }, '{"A": 1}'],
  ])('%s', (_, source, substitutions, expected) => {
    expect(composeDefinition('Machine', source, substitutions)).toBe(expected);
  });

  it('refuses what is too deep, and substitutions that make each other grow', () => {
    const deep = file('['.repeat(10_000) + ']'.repeat(10_000));
    expect(() => composeDefinition('Machine', deep, {})).toThrow(/^machine\.asl:1:301: .*nested more than 300 levels/);
    const names = Array.from({ length: 20 }, (_, index) => `A${index}`);
    const substitutions = Object.fromEntries(names.map((name, index) => [name, `\${A${index + 1}}`.repeat(4)]));
    expect(() => composeDefinition('Machine', file('{"A": "${A0}"}'), substitutions)).toThrow(/more than 10 MB/);
  });

  it('refuses a file that is no definition', () => {
    expect(() => composeDefinition('Machine', file('- a'), {})).toThrow('Machine: machine.asl is not a state machine');
  });

  it.each([
    ['order and spaces', '{"a":1,"b":[1,2]}', '{ "b": [1, 2], "a": 1 }', true],
    ['another value', '{"a":1}', '{"a":2}', false],
    ['a key less', '{"a":1}', '{"a":1,"b":2}', false],
    ['another order of a list', '[1,2]', '[2,1]', false],
    ['null and nothing', '{"a":null}', '{}', false],
    ['no JSON', 'text', 'text', true],
  ])('compares on meaning: %s', (_, ours, theirs, same) => expect(sameDefinition(ours, theirs)).toBe(same));
});

describe('values that only CloudFormation knows', () => {
  const REFERENCE = '{{resolve:ssm:/n}}';
  const unknown = { Ref: 'Q' };
  const compose = (value: TemplateMap, substitutions: TemplateMap = { X: unknown }) =>
    composeDefinition('Machine', { value }, substitutions);

  it.each<[string, string, object, string | undefined]>([
    ['the same place', compose({ A: '${X}' }), { A: 'q"1' }, '{"A":"q\\"1"}'],
    ['inside a text', compose({ A: 'x ${X}.' }), { A: 'x q1.' }, '{"A":"x q1."}'],
    ['the same value elsewhere', compose({ A: '${X}', B: [{ Ref: 'Q' }] }), { A: 'q1' }, '{"A":"q1","B":["q1"]}'],
    ['several in a text', compose({ A: '${X}/${Y}' }, { X: unknown, Y: { Ref: 'R' } }), { A: 'q/r' }, '{"A":"q/r"}'],
    [
      'dynamic references in YAML',
      composeDefinition('Machine', file('A: ${X}\nB: "{{resolve:ssm:/n}}"'), { X: 'x-{{resolve:ssm:/n}}' }),
      { A: 'x-v', B: '{{resolve:ssm:/n}}' },
      '{"A":"x-v","B":"{{resolve:ssm:/n}}"}',
    ],
    [
      'dynamic references in JSON',
      composeDefinition('M', file('{"A":"${X}"}'), { X: REFERENCE }),
      { A: 'v' },
      '{"A":"v"}',
    ],
    [
      'those in the template',
      compose({ A: REFERENCE, B: '${X}' }, { X: REFERENCE }),
      { A: 'v', B: 'v' },
      '{"A":"v","B":"v"}',
    ],
    ['those in a text', composeDefinition('M', { text: `{"A":"${REFERENCE}"}` }, {}), { A: 'v' }, '{"A":"v"}'],
    ['another text there', compose({ A: 'x ${X}.' }), { A: 'y q1.' }, undefined],
    ['another place', compose({ A: '${X}' }), { B: 'q1' }, undefined],
  ])('are read from the deployed definition: %s', (_, definition, deployed, expected) => {
    expect(fillFromDeployed(definition, JSON.stringify(deployed))).toBe(expected);
  });
});

describe('settings of a REST API', () => {
  it('are restored after an import, where it changed them', () => {
    const properties = {
      Name: 'orders',
      Description: 'same',
      MinimumCompressionSize: 10,
      DisableExecuteApiEndpoint: true,
      BinaryMediaTypes: ['image~1png', '*/*'],
      Policy: { Version: '2012-10-17' },
    };
    const api = { name: 'title', description: 'same', minimumCompressionSize: 10, binaryMediaTypes: ['image/png'] };
    expect(neededPatches(settingPatches(properties), api)).toEqual([
      { op: 'replace', path: '/name', value: 'orders' },
      { op: 'replace', path: '/disableExecuteApiEndpoint', value: 'true' },
      { op: 'add', path: '/binaryMediaTypes/*~1*' },
      { op: 'replace', path: '/policy', value: '{"Version":"2012-10-17"}' },
    ]);
    expect(neededPatches(settingPatches({}), api)).toEqual([]);
  });
});
