import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { planBuiltTemplates } from '../../src/builder/layout/built-templates.ts';
import { TemplateError } from '../../src/errors.ts';
import { resourceOf } from '../../src/template/template.ts';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A template of one Web Function in `site`. */
function template(properties: string, metadata = ''): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  Site:
    Type: AWS::Serverless::WebFunction
    Properties: { CodeUri: site, Runtime: nodejs24.x, AuthType: IamAuth, ${properties} }
    ${metadata === '' ? '' : `Metadata: { ${metadata} }`}
`;
}

/** The resource as the built template has it. */
function builtSite({ root, result, options }: BuiltApp): Record<string, unknown> {
  const { stack } = planBuiltTemplates(root, result, options);
  return JSON.parse(JSON.stringify(resourceOf(stack.template, 'Site'))) as Record<string, unknown>;
}

async function problems(app: BuiltApp): Promise<string[]> {
  const found = (await app.result.runProblems).get('Site') ?? [];
  return found.map(({ message, file, line }) => `${file}:${line}: ${message}`);
}

const SERVER = 'import { createServer } from "node:http";\ncreateServer().listen(8080 as number);\n';

describe('a Web Function', () => {
  it('gets its packages into its own folder, with the dependency layer on too', async () => {
    const dir = await tempFolder({
      'template.yaml': template('EntryPoint: src/server.js'),
      'site/src/server.js': 'require("dep");\n',
      'site/package.json': '{"name":"site","version":"1.0.0","dependencies":{"dep":"file:./dep"}}',
      'site/dep/package.json': '{"name":"dep","version":"1.0.0"}',
      'site/dep/index.js': 'module.exports = 1;\n',
    });
    const app = await buildApp(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Site'))).toEqual(
      expect.arrayContaining(['src/server.js', 'node_modules/dep/index.js']),
    );
    expect(app.result.dependencyLayers.size).toBe(0);
    expect(builtSite(app)).toEqual({
      Type: 'AWS::Serverless::WebFunction',
      Properties: { CodeUri: 'Site', Runtime: 'nodejs24.x', AuthType: 'IamAuth', EntryPoint: 'src/server.js' },
      Metadata: { SamResourceId: 'Site' },
    });
    expect(await problems(app)).toEqual([]);
    expect((await buildApp(dir, { dependencyLayer: true })).outcomes).toEqual({ Site: 'unchanged' });
  });

  it.each([
    ['src/server.ts', '', 'server.js', ['server.js']],
    ['src/server', '', 'server.js', ['server.js']],
    // SAM CLI leaves this one, whose file is not in the bundle
    ['server.ts', '', 'server.js', ['server.js']],
    ['server.js', ', BuildProperties: { EntryPoints: [server.ts] }', 'server.js', ['server.js']],
    ['src/server.ts', ', BuildProperties: { Format: esm, OutExtension: [.js=.mjs] }', 'server.mjs', ['server.mjs']],
    [
      'src/server.ts',
      ', BuildProperties: { EntryPoints: [src/server.ts, other/worker.ts] }',
      'src/server.js',
      ['other/worker.js', 'src/server.js'],
    ],
    ['site.main.ts', '', 'site.main.js', ['site.main.js']],
  ])('bundles EntryPoint %s%s, which becomes %s', async (entryPoint, more, expected, files) => {
    const dir = await tempFolder({
      'template.yaml': template(`EntryPoint: ${entryPoint}`, `BuildMethod: esbuild${more}`),
      ...Object.fromEntries(
        ['src/server.ts', 'server.ts', 'other/worker.ts', 'site.main.ts'].map((file) => [`site/${file}`, SERVER]),
      ),
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Site')).sort()).toEqual(files);
    expect(builtSite(app)).toMatchObject({ Properties: { EntryPoint: expected } });
    expect(await problems(app)).toEqual([]);
  });

  it('turns source maps on in its own kind of environment', async () => {
    const dir = await tempFolder({
      'template.yaml': template('EntryPoint: server.ts', 'BuildMethod: esbuild, BuildProperties: { Sourcemap: true }'),
      'site/server.ts': SERVER,
    });
    const properties = { EnvironmentVariables: { NODE_OPTIONS: ' --enable-source-maps' } };
    expect(builtSite(await buildApp(dir))).toMatchObject({ Properties: properties });
    const written = `EnvironmentVariables: { NODE_OPTIONS: --enable-source-maps }, EntryPoint: server.ts`;
    const other = await tempFolder({
      'template.yaml': template(written, 'BuildMethod: esbuild'),
      'site/server.ts': SERVER,
    });
    expect(Object.keys(await (await buildApp(other)).files('Site')).sort()).toEqual(['server.js', 'server.js.map']);
  });

  it('whose environment is an intrinsic function cannot have source maps turned on, which is reported', async () => {
    const variables = 'EnvironmentVariables: !If [C, {A: b}, !Ref "AWS::NoValue"]';
    const text = template(variables, 'BuildMethod: esbuild, BuildProperties: { Sourcemap: true }');
    const dir = await tempFolder({
      'template.yaml': `${text}Conditions: { C: !Equals [!Ref "AWS::AccountId", "1"] }\n`,
      'site/index.js': 'console.log(1);\n',
    });
    const app = await buildApp(dir);
    expect(app.result.notes.map(({ text }) => text)).toEqual([
      expect.stringContaining('Sourcemap is on, but EnvironmentVariables is an intrinsic function'),
    ]);
    expect(builtSite(app)).not.toHaveProperty('Properties.EnvironmentVariables.NODE_OPTIONS');
  });

  it('that is bundled without an EntryPoint needs an index.js, and the failure says so', async () => {
    const dir = await tempFolder({ 'template.yaml': template('', 'BuildMethod: esbuild'), 'site/server.ts': SERVER });
    const [failure] = (await buildApp(dir)).failures;
    expect(failure).toMatchObject({
      message: `the file of entry point index.js does not exist in ${path.join(dir, 'site')}`,
      hint: 'Correct the EntryPoint or BuildProperties EntryPoints; both are relative to CodeUri.',
    });
  });

  it.each([
    [
      'EntryPoint: serve.js',
      '{}',
      'template.yaml:5: the entry point serve.js cannot be found: the artifact has no file serve.js',
    ],
    ['EntryPoint: server.js', 'const = 1;', 'site/server.js:1: SyntaxError: Expected identifier but found "="'],
    [
      'Runtime: nodejs42.x',
      '{}',
      'template.yaml:5: sam-sync does not know the Lambda runtime nodejs42.x; did you mean nodejs22.x?',
    ],
  ])('that cannot run is reported: %s', async (property, source, expected) => {
    const text = template(property).replace(/Runtime: nodejs24.x, (?=.*Runtime)/, '');
    const dir = await tempFolder({ 'template.yaml': text, 'site/server.js': source });
    expect(await problems(await buildApp(dir))).toEqual([expected]);
  });

  it.each([
    [
      'Runtime: nodejs24.x, AuthType: IamAuth, InlineCode: "x"',
      'Site has InlineCode, which Web Functions do not support; use CodeUri',
    ],
    ['CodeUri: site, Runtime: nodejs24.x', 'Site has no AuthType'],
    ['CodeUri: site, AuthType: IamAuth', 'Site has no Runtime'],
    ['CodeUri: nowhere, Runtime: nodejs24.x, AuthType: IamAuth', 'Site CodeUri nowhere does not exist'],
    [
      'CodeUri: !Sub "./${Other.Name}", Runtime: nodejs24.x, AuthType: IamAuth',
      'Site CodeUri ./${Other.Name} depends on a value known only to CloudFormation',
    ],
  ])('that cannot be deployed is refused: %s', async (properties, expected) => {
    const resource = `Site: { Type: AWS::Serverless::WebFunction, Properties: { ${properties} } }`;
    const dir = await tempFolder({ 'template.yaml': `Resources: { ${resource} }`, 'site/index.js': '' });
    const failure: unknown = await buildApp(dir).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TemplateError);
    expect((failure as Error).message).toContain(expected);
  });

  it('in a loop is built once for each turn, which SAM CLI refuses', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Resources:
  Fn::ForEach::Sites:
    - Name
    - [One, Two]
    - Site\${Name}:
        Type: AWS::Serverless::WebFunction
        Properties: { CodeUri: !Sub "./\${Name}", Runtime: nodejs24.x, AuthType: IamAuth }
`,
      'One/index.js': 'one',
      'Two/index.js': 'two',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(await app.files('SiteOne')).toEqual({ 'index.js': 'one' });
    expect(await app.files('SiteTwo')).toEqual({ 'index.js': 'two' });
  });

  it('is left as it is where its code is in S3, SkipBuild is on, or it is a zip', async () => {
    const site = (properties: string, more = ''): string =>
      `{ Type: AWS::Serverless::WebFunction, Properties: { Runtime: nodejs24.x, AuthType: IamAuth, ${properties} }${more} }`;
    const dir = await tempFolder({
      'template.yaml': `Resources:
  There: ${site('CodeUri: s3://bucket/key')}
  Map: ${site('CodeUri: { Bucket: b, Key: k, Version: v }')}
  Skipped: ${site('CodeUri: site', ', Metadata: { SkipBuild: true }')}
  Zip: ${site('CodeUri: site.zip')}
`,
      'site/index.js': '',
      'site.zip': 'PK',
    });
    const app = await buildApp(dir);
    expect([app.failures, [...app.result.folders]]).toEqual([[], []]);
  });
});
