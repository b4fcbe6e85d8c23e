import { expect, it } from 'vitest';
import { checkParameterValues } from '../../../../src/model/validation/check-parameters.ts';

it.each<[declaration: Record<string, unknown>, value: string | undefined, fault: string | undefined]>([
  [{ AllowedValues: ['dev', 'prod'] }, 'prd', 'must be one of dev, prod. Did you mean prod?'],
  [{ AllowedValues: ['dev', 'prod'] }, 'prod', undefined],
  [{ AllowedValues: [true, false] }, 'true', undefined],
  [{ Type: 'Number', AllowedValues: [1, 2] }, '1.0', undefined],
  [{ Type: 'Number' }, 'many', 'must be a number'],
  [{ Type: 'Number', MinValue: 1, MaxValue: '9' }, '0', 'must be 1 or more'],
  [{ Type: 'Number', MinValue: 1, MaxValue: '9' }, '10', 'must be 9 or less'],
  [{ Type: 'List<Number>' }, '1, x', 'must be a number'],
  [{ MinLength: 2, MaxLength: 3 }, 'a', 'must have 2 or more characters'],
  [{ MinLength: 2, MaxLength: 3 }, 'abcd', 'must have 3 or fewer characters'],
  [{ AllowedPattern: '[a-z]+' }, 'abc', undefined],
  // the whole value has to match
  [{ AllowedPattern: '[a-z]+' }, 'abc1', 'must match [a-z]+'],
  [{ AllowedPattern: '[a-z]+', ConstraintDescription: 'letters' }, '1', 'must match [a-z]+ (letters)'],
  // what only Java understands, and what takes too long
  [{ AllowedPattern: String.raw`\p{Lower}+` }, '1', undefined],
  [{ AllowedPattern: '(?i)abc' }, 'x', undefined],
  [{ AllowedPattern: '(' }, 'x', undefined],
  [{ AllowedPattern: '(a+)+' }, `${'a'.repeat(40)}b`, undefined],
  [{ Type: 'CommaDelimitedList', AllowedValues: ['a', 'b'] }, 'a, b', undefined],
  [{ Type: 'CommaDelimitedList', AllowedValues: ['a', 'b'] }, 'a,c', 'must be one of a, b.'],
  [{ Type: 'CommaDelimitedList', AllowedValues: ['a,b'] }, 'a,b', undefined],
  // the value is in Systems Manager
  [{ Type: 'AWS::SSM::Parameter::Value<String>', AllowedValues: ['a'] }, '/my/name', undefined],
  [{}, undefined, undefined],
])('%j given %j', (declaration, value, fault) => {
  const template = { Parameters: { P: { Type: 'String', ...declaration } as Record<string, string> } };
  const values: Record<string, string> = value === undefined ? {} : { P: value };
  const messages = checkParameterValues(template, { values }).map(({ message }) => message);
  expect(messages).toEqual(fault === undefined ? [] : [`The value ${JSON.stringify(value)} of parameter P ${fault}`]);
});

it('checks defaults, and shows no secret', () => {
  const secret = { Type: 'String', NoEcho: true, MinLength: 8 };
  const template = {
    Parameters: { Stage: { Type: 'String', Default: 'x', AllowedValues: ['dev'] }, Password: secret },
  };
  expect(checkParameterValues(template, { values: { Password: 'short' } })).toEqual([
    { path: ['Parameters', 'Stage', 'Default'], message: 'The default "x" of parameter Stage must be one of dev.' },
    { path: ['Parameters', 'Password'], message: 'The value of parameter Password must have 8 or more characters' },
  ]);
});
