import { describe, expect, it } from 'vitest';
import type { Stack } from '../../../src/model/stack.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { compareStacks } from '../../../src/watch/work/compare-stacks.ts';
import { fakeStack } from '../../support/stack-builder.ts';

const ROOT = `
Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, Timeout: 3}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: b, Layers: [!Ref L]}}
  Image: {Type: AWS::Lambda::Function, Properties: {Code: {ImageUri: img}}}
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: l}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: api.yaml}}
  Inline: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionBody: {'Fn::Transform': {Name: AWS::Include}}}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}
`;
const CHILD = `
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, Handler: app.handler}}
  G: {Type: AWS::Serverless::Function, Properties: {CodeUri: g}}
`;
const IDS = ['A', 'B', 'L', 'Api', 'Inline', 'Child/F', 'Child/G'];

/** The application; what its templates say once everything is resolved is what they say, unless given. */
function stack({ root = ROOT, child = CHILD, resolved = root }: Record<string, string> = {}): Stack {
  const nested = fakeStack({ path: 'Child', logicalId: 'Child', source: parseTemplate(child, 'child') });
  return fakeStack({
    source: parseTemplate(root, 'root'),
    resolved: parseTemplate(resolved, 'resolved'),
    children: [nested],
  });
}

function compare(before: Stack | undefined, after: Stack, syncable: readonly string[] = IDS) {
  const { isEmpty, isCodeOnly, relocated, touched } = compareStacks(before, after, new Set(syncable));
  return { isEmpty, isCodeOnly, relocated: [...relocated], touched: IDS.filter(touched) };
}

const NOTHING = { isEmpty: true, isCodeOnly: true, relocated: [], touched: [] };
const CODE = { ...NOTHING, isEmpty: false };
const MORE = { ...CODE, isCodeOnly: false };

describe('what changed in the templates', () => {
  it.each<[string, from: string, to: string, expected: object]>([
    ['nothing', '', '', NOTHING],
    ['a comment and white space', 'Resources:', '# a comment\nResources:  ', NOTHING],
    ['the order of keys', '{CodeUri: a, Timeout: 3}', '{Timeout: 3, CodeUri: a}', NOTHING],
    ['where the code of a function is', 'CodeUri: a', 'CodeUri: z', { ...CODE, relocated: ['A'] }],
    ['where a definition is', 'api.yaml', 'new.yaml', { ...CODE, relocated: ['Api'] }],
    ['where a layer is, which functions have', 'ContentUri: l', 'ContentUri: m', { ...CODE, relocated: ['L'] }],
    ['a setting', 'Timeout: 3', 'Timeout: 4', { ...MORE, touched: ['A'] }],
    [
      'a setting and where code is',
      'CodeUri: a, Timeout: 3',
      'CodeUri: z, Timeout: 4',
      { ...MORE, relocated: ['A'], touched: ['A'] },
    ],
    ['that code is named no more', 'CodeUri: a, ', '', { ...MORE, touched: ['A'] }],
    ['a nested template', 'child.yaml', 'other.yaml', { ...MORE, touched: ['Child/F', 'Child/G'] }],
    ['the description', 'Transform:', 'Description: x\nTransform:', MORE],
    ['a new function', '  L:', '  N: {Type: AWS::Serverless::Function, Properties: {CodeUri: n}}\n  L:', MORE],
  ])('%s', (_name, from, to, expected) => {
    expect(ROOT).toContain(from);
    expect(compare(stack(), stack({ root: ROOT.replace(from, to) }))).toEqual(expected);
  });

  it('code of a nested stack is named with its stack, its settings touch nothing else', () => {
    const moved = stack({ child: CHILD.replace('CodeUri: f', 'CodeUri: z') });
    expect(compare(stack(), moved)).toEqual({ ...CODE, relocated: ['Child/F'] });
    const changed = stack({ child: CHILD.replace('app.handler', 'app.other') });
    expect(compare(stack(), changed)).toEqual({ ...MORE, touched: ['Child/F'] });
  });

  it('what a code sync cannot bring needs a deployment, wherever it is now', () => {
    const moved = stack({ root: ROOT.replace('CodeUri: a', 'CodeUri: z') });
    expect(compare(stack(), moved, ['B'])).toEqual({ ...MORE, touched: ['A'] });
  });

  it('an included file is a change of the definition that includes it', () => {
    const included = ROOT.replace("{'Fn::Transform': {Name: AWS::Include}}", "{openapi: '3.0.1'}");
    const other = included.replace('3.0.1', '3.0.2');
    expect(compare(stack({ resolved: included }), stack({ resolved: other }))).toEqual({
      ...CODE,
      relocated: ['Inline'],
    });
  });

  it('a value of a parameter is a change of what has it', () => {
    const resolved = ROOT.replace('Timeout: 3', 'Timeout: 9');
    expect(compare(stack(), stack({ resolved }))).toEqual({ ...MORE, touched: ['A'] });
  });

  it('everything is new in an application that could not be read before, or in a new nested stack', () => {
    expect(compare(undefined, stack())).toEqual({ ...MORE, touched: IDS });
    const without = { ...stack(), children: [] };
    expect(compare(without, stack())).toEqual({ ...MORE, touched: ['Child/F', 'Child/G'] });
  });
});
