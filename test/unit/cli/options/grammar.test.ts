import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/errors.ts';
import type { ConfigValue } from '../../../../src/cli/samconfig/config-value.ts';
import type { Grammar } from '../../../../src/cli/options/grammar.ts';
import { BUILD_IMAGES, EXCLUDES } from '../../../../src/cli/options/identified-grammars.ts';
import { protect, unquote } from '../../../../src/cli/options/key-value-words.ts';
import { METADATA } from '../../../../src/cli/options/metadata-grammar.ts';
import { OPTIONS } from '../../../../src/cli/options/options.ts';
import { PARAMETER_OVERRIDES } from '../../../../src/cli/options/parameter-overrides.ts';
import type { OverrideItem } from '../../../../src/cli/options/parameter-overrides.ts';
import { TAGS } from '../../../../src/cli/options/tags-grammar.ts';

type Values = Record<string, string>;

/** All values of overrides without files. */
function overrides(words: string[]): Values {
  return merge(PARAMETER_OVERRIDES.parse(words, '--parameter-overrides'));
}

function readOverrides(value: ConfigValue): Values {
  return merge(PARAMETER_OVERRIDES.read(value, 'here'));
}

function merge(items: ReturnType<typeof PARAMETER_OVERRIDES.parse>): Values {
  return Object.assign({}, ...items.map((item) => ('values' in item ? item.values : { FILE: item.file }))) as Values;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

// what aws-sam-cli 1.170.0 gives for these words (its parser was run)
const LIKE_PEER: [words: string[], values: Values][] = [
  [['A=1'], { A: '1' }],
  [['A=1 B=2'], { A: '1', B: '2' }],
  [['A=1', 'B=2'], { A: '1', B: '2' }],
  [['A="x y"'], { A: 'x y' }],
  [["A='x y'"], { A: 'x y' }],
  [['A=x\\ y'], { A: 'x y' }],
  [['A=x\\"y'], { A: 'x"y' }],
  [['A="x\\"y"'], { A: 'x"y' }],
  [["A='it\\'s'"], { A: "it's" }],
  [["A=it's"], { A: "it's" }],
  [['A="a\'b"'], { A: "a'b" }],
  [['A=\\\\x'], { A: '\\\\x' }],
  [['A=x\\y'], { A: 'x\\y' }],
  [['A=C:\\dir'], { A: 'C:\\dir' }],
  [['A="x\\\\"'], { A: 'x\\\\' }],
  [['A="\\n"'], { A: '\\n' }],
  [['A="a b" B="c d"'], { A: 'a b', B: 'c d' }],
  [['A=1  B=2'], { A: '1', B: '2' }],
  [[' A=1 '], { A: '1' }],
  [['A=1\nB=2'], { A: '1\nB=2' }],
  [['A=1\tB=2'], { A: '1\tB=2' }],
  [['A=1,B=2'], { A: '1,B=2' }],
  [['A=1, B=2'], { A: '1,', B: '2' }],
  [['A=a,b,c'], { A: 'a,b,c' }],
  [['A="a,b"'], { A: 'a,b' }],
  [['A=""'], { A: '' }],
  [["A=''"], { A: '' }],
  [['A=b=c'], { A: 'b=c' }],
  [['A=b=='], { A: 'b==' }],
  [['A=\'{"x":1}\''], { A: '{"x":1}' }],
  [['A=[1,2]'], { A: '[1,2]' }],
  [['A=https://x.y/z?a=b&c=d'], { A: 'https://x.y/z?a=b&c=d' }],
  [['A=file://x'], { A: 'file://x' }],
  [['"A"=1'], { A: '1' }],
  [['A=é'], { A: 'é' }],
  [['A=$HOME'], { A: '$HOME' }],
  [['A=a;b'], { A: 'a;b' }],
  [['ParameterKey=A,ParameterValue=1'], { A: '1' }],
  [['ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue=2'], { A: '1', B: '2' }],
  [['ParameterKey=A,ParameterValue="x y"'], { A: 'x y' }],
  [['ParameterKey=A,ParameterValue=a,b,c'], { A: 'a,b,c' }],
  [['ParameterKey=A,ParameterValue=x=y'], { A: 'x=y' }],
  [['ParameterKey="A",ParameterValue="1"'], { A: '1' }],
  [['A=1', 'A=2'], { A: '2' }],
  [[''], {}],
];

describe('--parameter-overrides', () => {
  it.each(LIKE_PEER)('%j as the peer', (words, values) => {
    expect(overrides(words)).toEqual(values);
  });

  it.each<[string[], Values]>([
    [['A='], { A: '' }],
    [['A= B=2'], { A: '', B: '2' }],
    [['A_B=1'], { A_B: '1' }],
    [['A-B=1'], { 'A-B': '1' }],
    [['A::B=1'], { 'A::B': '1' }],
    [['"A=x y"'], { A: 'x y' }],
    [['"A=x" B=2'], { A: 'x', B: '2' }],
    [['A={"x":1}'], { A: '{"x":1}' }],
    [['A=a"b'], { A: 'a"b' }],
    [['A=x\\'], { A: 'x\\' }],
    [['ParameterKey=A,ParameterValue=1 B=2'], { A: '1', B: '2' }],
    [['ParameterKey=A,ParameterValue='], { A: '' }],
    [['ParameterKey=A-B,ParameterValue=1'], { 'A-B': '1' }],
    [['ParameterKey=A,ParameterValue=1\\,2'], { A: '1,2' }],
    [['ParameterKey=A,ParameterValue=1,UsePreviousValue=false'], { A: '1' }],
    [['ParameterKey=A,UsePreviousValue=true', 'B=1'], { B: '1' }],
    [['ParameterValue=1,ParameterKey=A'], { A: '1' }],
    [['file://a b.yaml'], { FILE: 'a b.yaml' }],
  ])('defect 27: %j, which the peer loses, mangles or refuses', (words, values) => {
    expect(overrides(words)).toEqual(values);
  });

  it.each([
    ['A', '`A`'],
    ['A=1 junk B=2', '`junk`'],
    ['junk A=1', '`junk`'],
    ['A=x y', '`y`'],
    ['A={"x": 1}', '`1}`'],
    ['A=x https://a?b=c', '`https://a?b=c`'],
    ['=x', '`=x`'],
    ['A="x', 'no closing quote'],
    ["A='x", 'no closing quote'],
    ['A="a"b', '`b`'],
    ['a/b=1', '`a/b=1`'],
    [
      'ParameterKey=A,ParameterValue=1,UsePreviousValue=true',
      'A has both a ParameterValue and UsePreviousValue=true: remove one of them',
    ],
  ])('%j is an error that names the word', (word, named) => {
    const message = messageOf(() => overrides(['OK=1', word]));
    expect(message).toContain('--parameter-overrides');
    expect(message).toContain(named);
  });

  it.each<[ConfigValue, Values]>([
    ['A=1 B="x y"', { A: '1', B: 'x y' }],
    ['A=1\nB=2\n', { A: '1', B: '2' }],
    ['A=one\ntwo', { A: 'one\ntwo' }],
    [['A=1', 'B=2'], { A: '1', B: '2' }],
    [[['A=1'], { B: '2' }], { A: '1', B: '2' }],
    [
      { A: '1', B: true, C: null, D: ['1', ' b ', null, ''] },
      { A: '1', B: 'True', C: '', D: '1,b' },
    ],
    [
      { A: '"q"', B: 'a\\ b', C: 'x"', D: '"', E: '"a" "b"' },
      { A: 'q', B: 'a b', C: 'x"', D: '"', E: '"a" "b"' },
    ],
    [[{ ParameterKey: 'A', ParameterValue: 'b' }], { A: 'b' }],
    [[{ ParameterKey: 'A', UsePreviousValue: true }], {}],
    [{ Parameters: { A: 'b' } }, { A: 'b' }],
    ['', {}],
    [[], {}],
    [null, {}],
  ])('samconfig %j', (value, values) => {
    expect(readOverrides(value)).toEqual(values);
  });

  it.each<[ConfigValue, string]>([
    [{ A: { x: '1' } }, 'here.A must be a string'],
    [true, 'here must be a Key=Value string'],
    [{ $include: 'a.yaml' }, 'here.$include must be file://'],
    [{ A: [['1']] }, 'here.A must be a string'],
  ])('samconfig %j is an error', (value, text) => {
    expect(messageOf(() => readOverrides(value))).toContain(text);
  });
});

const tags = (words: string[]): Values => TAGS.parse(words, '--tags');

describe('--tags', () => {
  it.each<[string[], Values]>([
    [['a=1', 'b=2'], { a: '1', b: '2' }],
    [['a=1 b=2'], { a: '1', b: '2' }],
    [['a=x y'], { a: 'x y' }],
    [['a="x y"'], { a: 'x y' }],
    [['a="x y" b=2'], { a: 'x y', b: '2' }],
    [['a=1,b'], { a: '1,b' }],
    [['a='], { a: '' }],
    [['a= b=1'], { a: '', b: '1' }],
    [['a b=1'], { 'a b': '1' }],
    [['"k 1"="v 1"'], { 'k 1': 'v 1' }],
    [['k:x=1'], { 'k:x': '1' }],
    [['a=1\nb=2'], { a: '1', b: '2' }],
    [["a=it's"], { a: "it's" }],
    [['a=\\"x\\"'], { a: '"x"' }],
    [['a={"x":1}'], { a: '{"x":1}' }],
    [['a=1 b'], { a: '1 b' }],
    [[''], {}],
  ])('%j as the peer', (words, values) => {
    expect(tags(words)).toEqual(values);
  });

  it.each<[string[], Values]>([
    [['a=b=c'], { a: 'b=c' }],
    [['a=b=='], { a: 'b==' }],
    [['a=b=c d=1'], { a: 'b=c', d: '1' }],
    [['url=https://x?y=z'], { url: 'https://x?y=z' }],
    [['url=https://x?y=z b=1'], { url: 'https://x?y=z', b: '1' }],
    [['"a=1 b=2"'], { a: '1 b=2' }],
    [['Key=a,Value=b'], { a: 'b' }],
    [["'k 1'='v 1' k2=v2"], { 'k 1': 'v 1', k2: 'v2' }],
    [['a="'], { a: '"' }],
  ])('defect 27: %j, which the peer mis-splits', (words, values) => {
    expect(tags(words)).toEqual(values);
  });

  it.each([
    ['a', '`a`'],
    ['=1', '`=1`'],
    ['a=x y b=2', '`y`'],
  ])('%j is an error that names the word', (word, named) => {
    expect(messageOf(() => tags([word]))).toContain(named);
  });

  it.each<[ConfigValue, Values]>([
    ['a=1 b=2', { a: '1', b: '2' }],
    [['a=1', 'b=x y'], { a: '1', b: 'x y' }],
    [
      { a: '1', b: true, c: null },
      { a: '1', b: 'true', c: '' },
    ],
    [[{ Key: 'a', Value: '1' }, { b: '2' }], { a: '1', b: '2' }],
    ['', {}],
    [[], {}],
  ])('defect 27: samconfig %j', (value, values) => {
    expect(TAGS.read(value, 'here')).toEqual(values);
  });
});

describe('--metadata', () => {
  it.each<[string, Values]>([
    ['a=1', { a: '1' }],
    ['a=1,b=2', { a: '1', b: '2' }],
    ['a=1, b=2', { a: '1', b: '2' }],
    ['a=x y', { a: 'x y' }],
    ['a="x"', { a: '"x"' }],
    ['a="1,2",b=3', { a: '"1,2"', b: '3' }],
    ['a=b=c,d=1', { a: 'b=c', d: '1' }],
    ['{"a":"1"}', { a: '1' }],
    ['', {}],
  ])('%s as the peer', (word, values) => {
    expect(METADATA.parse([word], '--metadata')).toEqual(values);
  });

  it.each<[string, Values]>([
    ['{"a":1}', { a: '1' }],
    ['{"a":true,"b":null}', { a: 'true', b: '' }],
    ['a_b=1', { a_b: '1' }],
    ['a-b=1,c=2', { 'a-b': '1', c: '2' }],
    ['a=,b=1', { a: '', b: '1' }],
  ])('%s, which the peer mangles', (word, values) => {
    expect(METADATA.parse([word], '--metadata')).toEqual(values);
  });

  it.each(['a', '{', '{"a":{"b":1}}', '{"a":[1]}', '[1]', '"x"', '1'])('%s is an error', (word) => {
    expect(messageOf(() => METADATA.parse([word], '--metadata'))).toContain('--metadata');
  });

  it.each<[ConfigValue, Values]>([
    ['a=1,b=2', { a: '1', b: '2' }],
    [
      { a: '1', b: true },
      { a: '1', b: 'true' },
    ],
    [['a=1', { b: '2' }], { a: '1', b: '2' }],
  ])('defect 27: samconfig %j', (value, values) => {
    expect(METADATA.read(value, 'here')).toEqual(values);
  });
});

describe('options by identifier', () => {
  const { grammar: repositories } = OPTIONS.imageRepositories;
  const uri = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/r';

  it.each<[Grammar<unknown>, ConfigValue, unknown]>([
    [repositories, `F=${uri}`, { F: uri }],
    [repositories, [`F=${uri}`, `C/G=${uri}2`], { F: uri, 'C/G': `${uri}2` }],
    [repositories, { F: uri }, { F: uri }],
    [repositories, [{ F: uri }, { G: uri }], { F: uri, G: uri }],
    [repositories, `F=${uri} G=${uri}`, { F: uri, G: uri }],
    [BUILD_IMAGES, 'img', { all: 'img', byId: {} }],
    [BUILD_IMAGES, ['img', 'F=other:1'], { all: 'img', byId: { F: 'other:1' } }],
    [BUILD_IMAGES, 'img F=other:1', { all: 'img', byId: { F: 'other:1' } }],
    [BUILD_IMAGES, { F: 'img' }, { all: undefined, byId: { F: 'img' } }],
    [EXCLUDES, 'F=a b', { F: ['a b'] }],
    [EXCLUDES, ['F=a', 'F=b=c', { G: 'x' }], { F: ['a', 'b=c'], G: ['x'] }],
    [EXCLUDES, { F: ['a', 'b'], G: 'c' }, { F: ['a', 'b'], G: ['c'] }],
  ])('samconfig, case %#', (grammar, value, expected) => {
    expect(grammar.read(value, 'here')).toEqual(expected);
  });
});

describe('what is written is read again', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', "'", '\\', ' ', '=', 'a', ',', '\n') }));
  const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_:-]{0,8}$/);
  const table = fc.dictionary(key, text, { minKeys: 1, maxKeys: 4, noNullPrototype: true });

  it('quoting', () => {
    fc.assert(fc.property(text, (value) => unquote(protect(value)) === value));
  });

  it('parameter overrides', () => {
    fc.assert(
      fc.property(table, (values) => {
        expect(readOverrides(PARAMETER_OVERRIDES.write([{ values }]))).toEqual(values);
      }),
    );
  });

  it('files among overrides keep their place', () => {
    const items: OverrideItem[] = [{ values: { A: '1' } }, { file: 'x.yaml' }, { values: { B: '2' } }];
    expect(PARAMETER_OVERRIDES.write(items)).toEqual([{ A: '1' }, 'file://x.yaml', { B: '2' }]);
    expect(PARAMETER_OVERRIDES.read(PARAMETER_OVERRIDES.write(items), 'here')).toEqual(items);
  });

  it('tags, also with other characters in keys', () => {
    const anyKey = fc.string({ minLength: 1 }).filter((it) => it !== 'Key' && it !== 'Value');
    const anyTable = fc.oneof(table, fc.dictionary(anyKey, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true }));
    fc.assert(
      fc.property(anyTable, (values) => {
        expect(TAGS.read(TAGS.write(values), 'here')).toEqual(values);
      }),
    );
  });

  it('metadata', () => {
    fc.assert(
      fc.property(table, (values) => {
        expect(METADATA.read(METADATA.write(values), 'here')).toEqual(values);
      }),
    );
  });
});
