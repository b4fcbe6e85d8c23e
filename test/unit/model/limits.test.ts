import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../src/errors.ts';
import { readStacks } from '../../../src/model/read-stacks.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const TOPIC = { Type: 'AWS::SNS::Topic' };

/** The message for `template.json` of these files; a value is written as indented JSON. */
async function refusalOf(template: unknown, others: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 1));
  const files = Object.entries({ 'template.json': template, ...others });
  const folder = await tempFolder(Object.fromEntries(files.map(([name, value]) => [name, text(value)])));
  const reading = readStacks({
    templateFile: path.join(folder, 'template.json'),
    parameterOverrides: {},
    pseudo: { region: 'eu-west-1', stackName: 'app' },
    cwd: folder,
  });
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TemplateError);
  return (error as TemplateError).message.replaceAll(folder, '/…');
}

const topics = (properties: unknown): unknown => ({ Resources: { A: TOPIC, B: { ...TOPIC, Properties: properties } } });

function nest(depth: number, around: (inner: unknown) => unknown, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < depth; level++) value = around(value);
  return value;
}

/** 15 to the power of `depth` resources. */
function loops(depth: number): unknown {
  const names = Array.from({ length: depth }, (_, level) => `V${level}`);
  const values = Array.from({ length: 15 }, (_, index) => `x${index}`);
  const resource = { [`T${names.map((name) => `\${${name}}`).join('')}`]: TOPIC };
  const body = names.reduceRight<unknown>(
    (inner, name) => ({ [`Fn::ForEach::${name}`]: [name, values, inner] }),
    resource,
  );
  return { Transform: 'AWS::LanguageExtensions', Resources: body };
}

const GROWTH = /^template\.json:\d+:\d+: The functions here produce more than 10 MB/;

describe('a template is refused, with its line, that', () => {
  it.each([
    ['is JSON 10,000 levels deep', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['is YAML with brackets 10,000 levels deep', `# YAML\na: ${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['is indented 1,000 levels deep', Array.from({ length: 1000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
    ['has lists in lists 1,000 levels deep', `${'- '.repeat(1000)}x`],
    [
      'is deep through aliases',
      `a0: &a0 ${'['.repeat(200)}${']'.repeat(200)}\na1: ${'['.repeat(200)}*a0${']'.repeat(200)}`,
    ],
  ])('%s', async (_name, text) => {
    expect(await refusalOf(text)).toMatch(
      /^template\.json:\d+:\d+: Mappings and lists are nested more than 300 levels deep$/,
    );
  });

  it.each([
    ['has loops over 15^6 values', loops(6)],
    [
      'has an Fn::Sub that quadruples 20 times',
      topics({ DisplayName: nest(20, (a) => ({ 'Fn::Sub': ['${a}${a}${a}${a}', { a }] }), 'text') }),
    ],
    [
      'has texts in texts as JSON, whose quotes double',
      topics({ DisplayName: nest(40, (a) => ({ 'Fn::ToJsonString': { a } }), '"') }),
    ],
    [
      'joins long lists with long texts',
      topics({
        DisplayName: nest(5, (a) => ({ 'Fn::Join': ['x'.repeat(1000), { 'Fn::Split': ['x', a] }] }), 'x'.repeat(1000)),
      }),
    ],
    [
      'gives long lists of Globals to many functions',
      {
        Transform: 'AWS::Serverless-2016-10-31',
        Globals: { Function: { Layers: Array.from({ length: 10_000 }, () => 'l') } },
        Resources: Object.fromEntries(
          Array.from({ length: 1000 }, (_, index) => [
            `F${index}`,
            { Type: 'AWS::Serverless::Function', Properties: { InlineCode: 'x', Layers: ['m'] } },
          ]),
        ),
      },
    ],
  ])('%s', async (_name, template) => {
    expect(await refusalOf(template)).toMatch(GROWTH);
  });

  it('names the resource whose functions grow', async () => {
    const grows = nest(20, (a) => ({ 'Fn::Sub': ['${a}${a}${a}${a}', { a }] }), 'text');
    expect(await refusalOf(topics({ DisplayName: grows }))).toMatch(/^template\.json:6:3: /);
  });

  it('has ten times as many resources as CloudFormation takes', async () => {
    const Resources = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`R${index}`, TOPIC]));
    expect(await refusalOf({ Resources })).toMatch(/^template\.json:15003:3: R5000 is resource number 5001;/);
  });

  it('nests 4^12 stacks', async () => {
    const stack = (file: string): unknown => ({
      Resources: Object.fromEntries(
        ['A', 'B', 'C', 'D'].map((id) => [
          id,
          { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: file } },
        ]),
      ),
    });
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, level) => [`${level}.json`, stack(`${level + 1}.json`)]),
    );
    const message = await refusalOf(stack('0.json'), { ...files, '12.json': { Resources: { T: TOPIC } } });
    expect(message).toMatch(/^\d+\.json:\d+:\d+: [A-D] exceeds the limit of 1000 stacks, or 50 levels of nesting$/);
  });

  it('nests stacks 60 levels deep', async () => {
    const stack = (file: string): unknown => ({
      Resources: { A: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: file } } },
    });
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, level) => [`${level}.json`, stack(`${level + 1}.json`)]),
    );
    const message = await refusalOf(stack('0.json'), { ...files, '60.json': { Resources: { T: TOPIC } } });
    expect(message).toMatch(/^49\.json:6:5: A exceeds the limit of 1000 stacks, or 50 levels of nesting/);
  });

  it('is larger than 5 MB', async () => {
    expect(await refusalOf(`${'# comment\n'.repeat(510_000)}Resources: {}`)).toBe(
      'template.json: Cannot read the template: /…/template.json is larger than 5 MB',
    );
  });
});

it('a chain of 20,000 conditions is left to CloudFormation', async () => {
  const Conditions = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [`C${index}`, { 'Fn::Not': [{ Condition: `C${index + 1}` }] }]),
  );
  const Properties = { DisplayName: { 'Fn::If': ['C0', 'a', 'b'] } };
  const folder = await tempFolder({
    'template.json': JSON.stringify({ Conditions, Resources: { T: { ...TOPIC, Properties } } }),
  });
  const templateFile = path.join(folder, 'template.json');
  const { root } = await readStacks({ templateFile, parameterOverrides: {}, pseudo: {}, cwd: folder });
  expect(root.resolved['Resources']).toEqual({ T: { ...TOPIC, Properties } });
});

it('what is wrong in 2,000 places is reported with all of them', async () => {
  const Resources = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`R${index}`, { Typo: 'T' }]));
  const lines = (await refusalOf({ Resources })).split('\n');
  expect(lines).toHaveLength(2000);
  expect(lines[1999]).toBe('template.json:6000:3: R1999 has no Type');
});
