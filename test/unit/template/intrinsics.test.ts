import { describe, expect, it } from 'vitest';
import { readParameters } from '../../../src/template/parameters.ts';
import { pseudoParameters } from '../../../src/template/pseudo-parameters.ts';
import type { DeployTarget } from '../../../src/template/pseudo-parameters.ts';
import { createScope, resolveTemplate } from '../../../src/template/resolve-template.ts';
import type { TemplateValue } from '../../../src/template/template.ts';
import { mapOf } from '../../../src/template/template.ts';
import { parseTemplate, parseYaml } from '../../../src/template/yaml/yaml.ts';

const HEAD = `
Parameters:
  Env: {Type: String, Default: dev}
  Count: {Type: Number, Default: 2}
  Exact: {Type: String, Default: 2.0}
  Account: {Type: String, Default: 012345670123}
  Dollar: {Type: String, Default: 'a\${Env}b'}
  Subnets: {Type: CommaDelimitedList, Default: 'a, b ,c'}
  Empty: {Type: CommaDelimitedList, Default: ''}
  Numbers: {Type: List<Number>, Default: '1,2'}
  NoDefault: {Type: String}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /my/image}
  SsmName: {Type: 'AWS::SSM::Parameter::Name', Default: /my/name}
  Password: {Type: String, NoEcho: true, Default: secret}
Mappings:
  Sizes:
    dev: {Memory: 128, Zones: [x, y]}
    prod: {Memory: 1024}
Conditions:
  IsDev: !Equals [!Ref Env, dev]
  IsProd: !Equals [!Ref Env, prod]
  IsTwo: !Equals [!Ref Count, 2]
  IsTrue: !Equals [true, 'true']
  NotDev: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Not [!Condition IsProd]]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Unknown: !Equals [!Ref NoDefault, x]
  UnknownButFalse: !And [!Condition Unknown, !Condition IsProd]
  UnknownButTrue: !Or [!Condition Unknown, !Condition IsDev]
  UnknownAnd: !And [!Condition Unknown, !Condition IsDev]
  NotUnknown: !Not [!Condition Unknown]
  Itself: !Not [!Condition Itself]
  Ping: !Or [!Condition Pong, !Condition IsProd]
  Pong: !And [!Condition Ping, !Condition IsDev]
  HasPassword: !Not [!Equals [!Ref Password, '']]
  SameLists: !Equals [!Ref Numbers, ['1', '2']]
Resources:
  R:
    Type: T
    Properties:
      V: `;

/** The value with what the head knows, as YAML. */
function resolved(value: string, target: DeployTarget = { region: 'eu-west-1', stackName: 'my-stack' }): TemplateValue {
  const template = parseTemplate(HEAD + value, 'f');
  const parameters = readParameters(template, { values: { 'Not::Declared': 'x' } });
  const scope = createScope(template, { parameters, pseudoParameters: pseudoParameters(target), includes: new Map() });
  const result = resolveTemplate(template, scope);
  return mapOf(mapOf(mapOf(result['Resources'])['R'])['Properties'])['V'] ?? null;
}

const UNCHANGED = Symbol('unchanged');

describe('resolve', () => {
  it.each<[value: string, result: string | typeof UNCHANGED]>([
    // Ref
    ['!Ref Env', 'dev'],
    ['!Ref Count', "'2'"],
    ['!Ref Exact', "'2.0'"],
    ['!Ref Account', "'012345670123'"],
    ['!Ref Subnets', '[a, b, c]'],
    ['!Ref Empty', '[]'],
    ['!Ref Numbers', "['1', '2']"],
    ['!Ref SsmName', '/my/name'],
    ['!Ref Image', UNCHANGED],
    ['!Ref NoDefault', UNCHANGED],
    ['!Ref Password', UNCHANGED],
    ['!Ref Table', UNCHANGED],
    ['!Ref constructor', UNCHANGED],
    ['!Ref AWS::Region', 'eu-west-1'],
    ['!Ref AWS::StackName', 'my-stack'],
    ['!Ref AWS::Partition', 'aws'],
    ['!Ref AWS::URLSuffix', 'amazonaws.com'],
    ['!Ref AWS::AccountId', UNCHANGED],
    ['!Ref AWS::StackId', UNCHANGED],
    ['{Ref: !Sub "E${Word}"}', '{Ref: !Sub "E${Word}"}'],
    ['{Ref: !Join ["", [E, nv]]}', 'dev'],
    ['!GetAtt Table.Arn', UNCHANGED],
    // Sub
    ['!Sub plain', 'plain'],
    ['!Sub "${Env}-x-${AWS::Region}"', 'dev-x-eu-west-1'],
    ['!Sub "${Env}-${Table}"', '!Sub "dev-${Table}"'],
    ['!Sub "${Env}-${Table.Arn}-${AWS::AccountId}"', '!Sub "dev-${Table.Arn}-${AWS::AccountId}"'],
    ['!Sub "${!Literal}-${Env}"', '"${Literal}-dev"'],
    ['!Sub "${!Literal}-${Table}"', UNCHANGED],
    ['!Sub "${Dollar}"', '"a${Env}b"'],
    ['!Sub "${Dollar}-${Table}"', '!Sub "a${!Env}b-${Table}"'],
    ['!Sub "${Password}"', UNCHANGED],
    ['!Sub "${Subnets}"', UNCHANGED],
    ['!Sub ["${A}/${Env}", {A: !Ref Count}]', '2/dev'],
    ['!Sub ["${A}/${B}", {A: x, B: !Ref Table}]', '!Sub ["x/${B}", {B: !Ref Table}]'],
    ['!Sub ["${Env}", {Env: mine}]', 'mine'],
    ['!Sub ["${A}", {A: !Sub "${Env}!"}]', 'dev!'],
    ['!Sub "$Env $ {Env} ${}"', '"$Env $ {Env} ${}"'],
    // Join, Split, Select, Base64
    ['!Join ["-", [a, !Ref Env, 1, true]]', 'a-dev-1-true'],
    ['!Join ["-", !Ref Subnets]', 'a-b-c'],
    ['!Join ["-", [a, !Ref Env, !Ref Table]]', '!Join ["-", [a, dev, !Ref Table]]'],
    ['!Join ["-", [a, !Ref AWS::NoValue, b]]', 'a-b'],
    ['!Join ["-", [a, !If [Unknown, b, !Ref AWS::NoValue]]]', UNCHANGED],
    ['!Join ["", !Split [",", "a,b"]]', 'ab'],
    ['!Split ["-", !Sub "${Env}-x"]', '[dev, x]'],
    ['!Split ["-", !Ref Table]', UNCHANGED],
    ['!Select [1, !Ref Subnets]', 'b'],
    ['!Select ["1", [a, !Ref Env]]', 'dev'],
    ['!Select [0, [a, !Ref Table]]', 'a'],
    ['!Select [1, [a, !Ref Table]]', '!Ref Table'],
    ['!Select [7, [a]]', UNCHANGED],
    ['!Select [0, !GetAZs ""]', UNCHANGED],
    ['!Select [1, [!If [Unknown, a, !Ref AWS::NoValue], b]]', UNCHANGED],
    ['!Base64 h\u00E9', 'aMOp'],
    ['!Base64 {"Fn::Sub": "${Env}"}', 'ZGV2'],
    ['!Base64 {"Fn::Sub": "${Table}"}', UNCHANGED],
    // FindInMap
    ['!FindInMap [Sizes, !Ref Env, Memory]', '128'],
    ['!FindInMap [Sizes, dev, Zones]', '[x, y]'],
    ['!FindInMap [Sizes, !Ref NoDefault, Memory]', UNCHANGED],
    ['!FindInMap [Sizes, test, Memory]', UNCHANGED],
    ['!FindInMap [Sizes, test, Memory, {DefaultValue: !Ref Count}]', "'2'"],
    ['!FindInMap [Sizes, dev, Memory, {DefaultValue: 1}]', '128'],
    ['!FindInMap [Nothing, dev, Memory, {DefaultValue: none}]', 'none'],
    // If and conditions
    ['!If [IsDev, a, b]', 'a'],
    ['!If [IsProd, a, b]', 'b'],
    ['!If [IsTwo, a, b]', 'a'],
    ['!If [IsTrue, a, b]', 'a'],
    ['!If [NotDev, a, b]', 'b'],
    ['!If [Both, a, b]', 'a'],
    ['!If [Either, a, b]', 'a'],
    ['!If [Unknown, a, b]', UNCHANGED],
    ['!If [Unknown, !Ref Env, !Ref AWS::NoValue]', '!If [Unknown, dev, !Ref AWS::NoValue]'],
    ['!If [UnknownButFalse, a, b]', 'b'],
    ['!If [UnknownButTrue, a, b]', 'a'],
    ['!If [UnknownAnd, a, b]', UNCHANGED],
    ['!If [NotUnknown, a, b]', UNCHANGED],
    ['!If [Itself, a, b]', UNCHANGED],
    ['!If [Ping, a, b]', UNCHANGED],
    ['!If [Missing, a, b]', UNCHANGED],
    ['!If [HasPassword, a, b]', 'a'],
    ['!If [SameLists, a, b]', 'a'],
    ['!If [IsDev, !If [IsProd, x, !Ref Env], b]', 'dev'],
    // AWS::NoValue
    ['{a: !Ref AWS::NoValue, b: 1}', '{b: 1}'],
    ['[a, !Ref AWS::NoValue, b]', '[a, b]'],
    ['{a: !If [IsProd, 1, !Ref AWS::NoValue]}', '{}'],
    ['[!If [IsDev, !Ref AWS::NoValue, 1]]', '[]'],
    // language extensions
    ['{"Fn::Length": !Ref Subnets}', '3'],
    ['{"Fn::Length": [1, 2]}', '2'],
    ['{"Fn::Length": !Ref NoDefault}', UNCHANGED],
    ['{"Fn::ToJsonString": {a: !Ref Env, b: [1, true]}}', '\'{"a":"dev","b":[1,true]}\''],
    ['{"Fn::ToJsonString": {a: !GetAtt T.Arn}}', UNCHANGED],
    // what only CloudFormation knows
    ['!ImportValue x', UNCHANGED],
    ['!ImportValue {"Fn::Sub": "${Env}-x"}', '!ImportValue dev-x'],
    ['!GetAZs ""', UNCHANGED],
    ['!Cidr [10.0.0.0/16, 2, 8]', UNCHANGED],
    ['!Transform {Name: Mine, Parameters: {A: b}}', UNCHANGED],
    // what is no intrinsic function
    ['{Ref: a, b: c}', UNCHANGED],
    ['{Condition: IsDev}', UNCHANGED],
    ['{Condition: {StringEquals: {a: !Ref Env}}}', '{Condition: {StringEquals: {a: dev}}}'],
    ['"${Env}"', UNCHANGED],
    ['!Join wrong', UNCHANGED],
    ['!If [IsDev, a]', UNCHANGED],
    ['!Sub {a: b}', UNCHANGED],
  ])('%s is %s', (value, result) => {
    const before = parseYaml(`V: ${value}`, 'f');
    const expected = result === UNCHANGED ? before : parseYaml(`V: ${result}`, 'f');
    expect({ V: resolved(value) }).toEqual(expected);
  });

  it.each<[DeployTarget, string, TemplateValue]>([
    [{ region: 'cn-north-1' }, '!Ref AWS::Partition', 'aws-cn'],
    [{ region: 'cn-north-1' }, '!Ref AWS::URLSuffix', 'amazonaws.com.cn'],
    [{ region: 'us-gov-west-1' }, '!Sub "${AWS::Partition} ${AWS::URLSuffix}"', 'aws-us-gov amazonaws.com'],
    [{ region: 'us-iso-east-1' }, '!Ref AWS::Partition', 'aws-iso'],
    [{ region: 'us-isob-east-1' }, '!Ref AWS::Partition', 'aws-iso-b'],
    [{ partition: 'aws-cn' }, '!Ref AWS::URLSuffix', 'amazonaws.com.cn'],
    [{}, '!Ref AWS::Partition', { Ref: 'AWS::Partition' }],
    [{}, '!Ref AWS::URLSuffix', { Ref: 'AWS::URLSuffix' }],
    [{ accountId: '012345678901' }, '!Ref AWS::AccountId', '012345678901'],
  ])('with %j %s is %j', (target, value, result) => {
    expect(resolved(value, target)).toEqual(result);
  });

  it('leaves what does not change the same object', () => {
    const template = parseTemplate(`${HEAD}x\n  S: {Type: T, Properties: {A: [1, {B: c}]}}`, 'f');
    const parameters = readParameters(template, { values: {} });
    const scope = createScope(template, { parameters, pseudoParameters: {}, includes: new Map() });
    const result = resolveTemplate(template, scope);
    expect(mapOf(result['Resources'])['S']).toBe(mapOf(template['Resources'])['S']);
    expect(result['Mappings']).toBe(template['Mappings']);
  });
});

describe('readParameters', () => {
  const template = parseTemplate(HEAD + 'x', 'f');

  it('takes what is given before defaults, and knows which values only CloudFormation has', () => {
    const values = { Env: 'prod', Subnets: 'x,y', Image: '/other', Password: 'p' };
    const { known, secret, texts } = readParameters(template, { values, unknown: new Set(['Count']) });
    expect(known.get('Env')).toBe('prod');
    expect(known.get('Subnets')).toEqual(['x', 'y']);
    expect(known.has('Count')).toBe(false);
    expect(known.has('Image')).toBe(false);
    expect(secret.get('Password')).toBe('p');
    expect(texts).toMatchObject({ Env: 'prod', Subnets: 'x,y', SsmName: '/my/name' });
    expect(JSON.stringify(texts)).not.toMatch(/Password|secret/);
  });

  it('takes an empty value for a value', () => {
    expect(readParameters(template, { values: { Env: '' } }).known.get('Env')).toBe('');
  });
});
