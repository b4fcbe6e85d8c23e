import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readStacks } from '../../../src/model/read-stacks.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** What is said of a template with this under `BuildProperties`; the text, as file:line:column. */
async function problemsOf(properties: string, more = ''): Promise<string[]> {
  const dir = await tempFolder({
    'fn/app.ts': '',
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: app.handler, CodeUri: fn}
    Metadata:
      BuildMethod: esbuild
      BuildProperties:${properties}
${more}`,
  });
  const read = readStacks({
    templateFile: path.join(dir, 'template.yaml'),
    baseDir: undefined,
    parameterOverrides: {},
    pseudo: { region: 'us-east-1', stackName: 's' },
    cwd: dir,
  });
  return read.then(
    () => [],
    (error: unknown) => (error as Error).message.split('\n'),
  );
}

describe('BuildProperties of esbuild', () => {
  test.each([
    ['Minify: yes please', 'Minify must be true or false, not yes please'],
    ['Minify: [true]', 'Minify must be true or false'],
    ['KeepNames: 3', 'KeepNames must be true or false, not 3'],
    ['Sourcemap: {x: 1}', 'Sourcemap must be true, false, linked, inline, external or both'],
    ['Sourcemap: extern', 'Sourcemap must be true, false, linked, inline, external or both, not extern'],
    ['Target: {a: 1}', 'Target must be a list of strings'],
    ['External: [[a]]', 'External must be a list of strings'],
    ['EntryPoints: {a: b}', 'EntryPoints must be a list of strings'],
    ['EntryPoints: [[a]]', 'EntryPoints must be a list of strings'],
    ['Drop: {a: b}', 'Drop must be a list of strings'],
    ['Define: {A: {B: c}}', 'Define must be a mapping of strings, or a list of NAME=VALUE'],
    ['Alias: {a: [b]}', 'Alias must be a mapping of strings, or a list of NAME=VALUE'],
    ['ReserveProps: [a]', 'ReserveProps must be a regular expression'],
    ['TsconfigRaw: 5', 'TsconfigRaw must be a string or a mapping, not 5'],
    ['Format: [cjs]', 'Format must be a string'],
    ['tsconfig: {a: 1}', 'tsconfig must be a string'],
    ['Loader: [".x"]', 'Loader must be a mapping of strings, or a list of NAME=VALUE'],
    ['Loader: {".x": [text]}', 'Loader must be a mapping of strings, or a list of NAME=VALUE'],
    [
      'Supported: {bigint: maybe}',
      'Supported must be a mapping of names to true or false, or a list of NAME=true or NAME=false',
    ],
    ['LogLimit: many', 'LogLimit must be a number, not many'],
    ['MangleProps: "("', 'MangleProps must be a regular expression, not ('],
    ['UseNpmCi: 5', 'UseNpmCi must be true or false, not 5'],
    ['Plugins: [x]', 'Plugins cannot be set in a template'],
    ['Minify: !Ref AWS::StackId', 'Minify depends on a value known only to CloudFormation'],
  ])('%s is refused, with file and line', async (property, message) => {
    expect(await problemsOf(`\n        Target: es2022\n        ${property}`)).toEqual([
      expect.stringMatching(
        new RegExp(`^template\\.yaml:10:\\d+: F BuildProperties ${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`),
      ),
    ]);
  });

  it('are a mapping', async () => {
    expect(await problemsOf(' [a, b]')).toEqual(['template.yaml:8:7: F BuildProperties must be a mapping']);
  });

  test.each<[string, string?]>([
    ['\n        Minify: "false"\n        Sourcemap: inline\n        LogLimit: "3"\n        Supported: ["bigint=true"]'],
    ['\n        Minify: !Ref Small', 'Parameters:\n  Small: {Type: String, Default: "true"}\n'],
    ['\n        OptionOfTomorrow: {a: [1]}'],
    [''],
  ])('%s are taken', async (properties, more) => {
    expect(await problemsOf(properties, more)).toEqual([]);
  });

  it('do not matter where nothing is built', async () => {
    expect(await problemsOf('\n        Minify: 5\n      SkipBuild: true')).toEqual([]);
  });
});
