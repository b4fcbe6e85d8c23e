import { describe, expect, it } from 'vitest';
import { publishedSettings } from '../../../src/sync/configuration/published-settings.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { fakeStack } from '../../support/stack-builder.ts';

const NAMES = ['Environment', 'MemorySize', 'SnapStart', 'Timeout'];

/** What a deployment publishes a version for, of all settings, if the function's properties change like this. */
function published(before: string, after: string, { globals = ['', ''], transform = '', type = 'Serverless' } = {}) {
  const [were, are] = [before, after].map((properties, index) => {
    const text = `Transform: [${transform}AWS::Serverless-2016-10-31]
Globals: {Function: {Runtime: python3.11, ${globals[index]}}}
Resources: {Fn: {Type: AWS::${type}::Function, Properties: {AutoPublishAlias: live, ${properties}}}}
`;
    return fakeStack({ source: parseTemplate(text, 'template') });
  });
  if (were === undefined || are === undefined) throw new Error('two templates are compared');
  return publishedSettings(were, are, { id: 'Fn', names: NAMES });
}

describe('settings of which a deployment publishes a version', () => {
  it.each<[string, string, string, Parameters<typeof published>[2], readonly string[]]>([
    ['variables', 'Environment: {Variables: {A: a}}', 'Environment: {Variables: {A: b}}', {}, ['Environment']],
    ['memory and no other', 'MemorySize: 1, Timeout: 1', 'MemorySize: 2, Timeout: 2', {}, ['MemorySize']],
    ['in Globals', '', '', { globals: ['MemorySize: 1', 'MemorySize: 2'] }, ['MemorySize']],
    ['not in Globals that do not count', 'MemorySize: 3', 'MemorySize: 3', { globals: ['MemorySize: 1', ''] }, []],
    ['not a parameter', 'MemorySize: !Ref Size', 'MemorySize: !Ref Size', {}, []],
    ['another parameter', 'MemorySize: !Ref Size', 'MemorySize: !Ref Other', {}, ['MemorySize']],
    ['SnapStart', '', 'SnapStart: {ApplyOn: PublishedVersions}', {}, ['SnapStart']],
    ['not SnapStart that is off', '', 'SnapStart: {ApplyOn: None}', {}, []],
    ['not where a hash names the version', 'MemorySize: 1', 'MemorySize: 2, AutoPublishCodeSha256: a', {}, []],
    ['not of a plain function', 'MemorySize: 1', 'MemorySize: 2', { type: 'Lambda' }, []],
    [
      'not where CloudFormation fills in values before SAM',
      'MemorySize: 1',
      'MemorySize: 2',
      { transform: 'AWS::LanguageExtensions, ' },
      [],
    ],
  ])('%s', (_, before, after, how, names) => {
    expect(published(before, after, how)).toEqual(names);
  });
});
