import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBuiltTemplates } from '../../src/builder/layout/built-templates.ts';
import type { BuiltStack } from '../../src/model/built-stack.ts';
import { mapOf } from '../../src/template/template.ts';
import type { Template, TemplateMap } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { buildApp, readTree } from '../support/build-app.ts';
import type { BuildAppOptions } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

async function buildTemplates(dir: string, how: BuildAppOptions = {}): Promise<BuiltStack> {
  const app = await buildApp(dir, how);
  expect(app.failures).toEqual([]);
  return writeBuiltTemplates(app.root, app.result, app.options);
}

function resource(template: Template, id: string): TemplateMap {
  return mapOf(mapOf(template['Resources'])[id]);
}

function properties(template: Template, id: string): TemplateMap {
  return mapOf(resource(template, id)['Properties']);
}

const TEMPLATE = `AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters: { Env: { Type: String, Default: dev } }
Globals: { Function: { Runtime: python3.13, Handler: app.handler, CodeUri: functions/shared } }
Resources:
  Shared: { Type: 'AWS::Serverless::Function', Properties: { MemorySize: 256 } }
  Own: { Type: 'AWS::Lambda::Function', Properties: { Code: !Sub 'functions/\${Env}', Runtime: python3.13, Handler: app.h, Role: r } }
  Zip: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: prebuilt.zip } }
  Skipped: { Type: 'AWS::Serverless::Function', Metadata: { SkipBuild: true }, Properties: { CodeUri: functions/done } }
  Inline: { Type: 'AWS::Serverless::Function', Properties: { InlineCode: 'x = 1' } }
  Plain: { Type: 'AWS::Serverless::LayerVersion', Properties: { ContentUri: layer } }
  Built: { Type: 'AWS::Lambda::LayerVersion', Metadata: { BuildMethod: python3.13 }, Properties: { Content: layer } }
  Api: { Type: 'AWS::Serverless::Api', Properties: { StageName: x, DefinitionUri: api/openapi.yaml } }
  Remote: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: s3://bucket/key } }
  Child: { Type: 'AWS::Serverless::Application', Properties: { Location: child/template.yaml } }
Outputs: { X: { Value: !GetAtt Own.Arn } }
`;
const FILES = {
  'template.yaml': TEMPLATE,
  'functions/shared/app.py': 'S',
  'functions/dev/app.py': 'D',
  'functions/done/app.py': '',
  'prebuilt.zip': '',
  'layer/mod.py': 'L',
  'api/openapi.yaml': 'openapi: 3.0.1',
  'child/template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: code, Runtime: python3.13, Handler: app.h } }
  Grand: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: ../grand.yaml } }
`,
  'child/code/app.py': 'C',
  'grand.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: functions/dev, Runtime: python3.13, Handler: app.h } }
`,
};

/** A function of `fn` that esbuild bundles with source maps. */
function bundled(more: string): string {
  return `{ Type: 'AWS::Serverless::Function', Metadata: { BuildMethod: esbuild, BuildProperties: { Sourcemap: true } }, Properties: { CodeUri: fn, Handler: src/app.handler, Runtime: nodejs22.x ${more} } }`;
}

function reference(id: string): unknown {
  return { 'Fn::GetAtt': ['AwsSamAutoDependencyLayerNestedStack', `Outputs.${id}`] };
}

describe('built templates', () => {
  it('point at what was built, beside them, and at everything else from where they are', async () => {
    const dir = await tempFolder(FILES);
    const { template, children, templateFile } = await buildTemplates(dir);
    expect(templateFile).toBe(path.join(dir, '.aws-sam/build/template.yaml'));
    expect({
      Shared: properties(template, 'Shared'),
      Own: properties(template, 'Own')['Code'],
      Zip: properties(template, 'Zip'),
      Skipped: properties(template, 'Skipped'),
      Inline: properties(template, 'Inline'),
      Plain: properties(template, 'Plain'),
      Built: properties(template, 'Built'),
      Api: properties(template, 'Api')['DefinitionUri'],
      Remote: properties(template, 'Remote')['CodeUri'],
      Child: properties(template, 'Child'),
    }).toEqual({
      Shared: { MemorySize: 256, CodeUri: 'Shared' },
      Own: 'Own',
      Zip: { CodeUri: '../../prebuilt.zip' },
      Skipped: { CodeUri: '../../functions/done' },
      Inline: { InlineCode: 'x = 1' },
      Plain: { ContentUri: '../../layer' },
      Built: { Content: 'Built' },
      Api: '../../api/openapi.yaml',
      Remote: 's3://bucket/key',
      Child: { Location: 'Child/template.yaml' },
    });
    expect(mapOf(mapOf(template['Globals'])['Function'])['CodeUri']).toBe('../../functions/shared');
    expect(template['Outputs']).toEqual({ X: { Value: { 'Fn::GetAtt': ['Own', 'Arn'] } } });
    expect(resource(template, 'Shared')['Metadata']).toEqual({ SamResourceId: 'Shared' });
    expect(resource(template, 'Built')['Metadata']).toEqual({ BuildMethod: 'python3.13', SamResourceId: 'Built' });
    expect(resource(template, 'Plain')).not.toHaveProperty('Metadata');
    // what is on disk is what we go on with
    expect(parseTemplate(await fs.readFile(templateFile, 'utf8'), 't')).toEqual(template);

    const [child] = children;
    expect(child).toMatchObject({ path: 'Child', logicalId: 'Child', dir: path.join(dir, '.aws-sam/build/Child') });
    expect(properties(child!.template, 'Fn')['CodeUri']).toBe('Fn');
    expect(properties(child!.template, 'Grand')['TemplateURL']).toBe('Grand/template.yaml');
    expect(child?.children[0]).toMatchObject({ path: 'Child/Grand', logicalId: 'Grand' });
    expect(await readTree(path.join(dir, '.aws-sam/build/Child/Grand/Fn/.'))).toEqual({ 'app.py': 'D' });
  });

  it('lay out the artifacts as links, remove what is gone, and write only what changed', async () => {
    const dir = await tempFolder(FILES);
    const build = path.join(dir, '.aws-sam/build');
    // what the peer left
    await writeFiles(dir, {
      '.aws-sam/build/Shared/old.py': '',
      '.aws-sam/build/Gone/x': '',
      '.aws-sam/build.toml': 'keep',
      '.aws-sam/cache/u/x': 'keep',
    });
    await buildTemplates(dir);
    expect((await fs.readdir(build)).sort()).toEqual(['Built', 'Child', 'Own', 'Shared', 'template.yaml']);
    expect((await fs.lstat(path.join(build, 'Shared'))).isSymbolicLink()).toBe(true);
    expect(await readTree(path.join(build, 'Shared/.'))).toEqual({ 'app.py': 'S' });
    expect(await fs.readFile(path.join(dir, '.aws-sam/build.toml'), 'utf8')).toBe('keep');
    expect(await fs.readFile(path.join(dir, '.aws-sam/cache/u/x'), 'utf8')).toBe('keep');

    const written = (await fs.stat(path.join(build, 'template.yaml'))).mtimeMs;
    await buildTemplates(dir);
    expect((await fs.stat(path.join(build, 'template.yaml'))).mtimeMs).toBe(written);

    // the peer's build wipes the folder: that takes links, not what they lead to
    await fs.rm(build, { recursive: true });
    await buildTemplates(dir);
    expect(await readTree(path.join(build, 'Shared/.'))).toEqual({ 'app.py': 'S' });

    await writeFiles(dir, {
      'functions/shared/app.py': 'S2',
      'template.yaml': TEMPLATE.replace(/ {2}Child: .*\n/, ''),
    });
    await buildTemplates(dir);
    expect((await fs.readdir(build)).sort()).toEqual(['Built', 'Own', 'Shared', 'template.yaml']);
    expect(await readTree(path.join(build, 'Shared/.'))).toEqual({ 'app.py': 'S2' });
  });

  it('--base-dir is where code is, in nested stacks too', async () => {
    const dir = await tempFolder({
      'infra/template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: code, Runtime: python3.13, Handler: app.h } }
  Plain: { Type: 'AWS::Serverless::LayerVersion', Properties: { ContentUri: layer } }
  Api: { Type: 'AWS::Serverless::Api', Properties: { StageName: x, DefinitionUri: openapi.yaml } }
`,
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Child: { Type: 'AWS::Serverless::Application', Properties: { Location: infra/template.yaml } }
`,
      'infra/openapi.yaml': '',
      'base/code/app.py': 'B',
      'base/layer/x': '',
    });
    const { children } = await buildTemplates(dir, { baseDir: path.join(dir, 'base') });
    const { template } = children[0]!;
    expect(properties(template, 'Fn')['CodeUri']).toBe('Fn');
    expect(properties(template, 'Plain')['ContentUri']).toBe('../../../base/layer');
    expect(properties(template, 'Api')['DefinitionUri']).toBe('../../../infra/openapi.yaml');
    expect(await readTree(path.join(dir, '.aws-sam/build/Child/Fn/.'))).toEqual({ 'app.py': 'B' });
  });

  it('each turn of a loop has its own artifact', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Resources:
  Fn::ForEach::Functions:
    - Name
    - [Alpha, Beta]
    - \${Name}Function:
        Type: AWS::Serverless::Function
        Properties: { CodeUri: !Sub 'functions/\${Name}', Runtime: python3.13, Handler: app.h }
`,
      'functions/Alpha/app.py': 'A',
      'functions/Beta/app.py': 'B',
    });
    await buildTemplates(dir);
    expect(await readTree(path.join(dir, '.aws-sam/build/AlphaFunction/.'))).toEqual({ 'app.py': 'A' });
    expect(await readTree(path.join(dir, '.aws-sam/build/BetaFunction/.'))).toEqual({ 'app.py': 'B' });
  });

  it('say where esbuild put the handler, and turn source maps on', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters: { Options: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /x } }
Globals: { Function: { Environment: { Variables: { SHARED: '1' } } } }
Resources:
  None: ${bundled('')}
  Some: ${bundled(", Environment: { Variables: { NODE_OPTIONS: '--max-old-space-size=512' } }")}
  Already: ${bundled(", Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } }")}
  Unknown: ${bundled(', Environment: { Variables: { NODE_OPTIONS: !Ref Options } }')}
`,
      'fn/src/app.ts': 'export const handler = 1;',
    });
    const { template } = await buildTemplates(dir);
    const options = (id: string): unknown =>
      mapOf(mapOf(properties(template, id)['Environment'])['Variables'])['NODE_OPTIONS'];
    expect(['None', 'Some', 'Already', 'Unknown'].map(options)).toEqual([
      ' --enable-source-maps', // with the space that the peer writes
      '--max-old-space-size=512 --enable-source-maps',
      '--enable-source-maps',
      { 'Fn::Join': [' ', [{ Ref: 'Options' }, '--enable-source-maps']] },
    ]);
    expect(properties(template, 'None')['Handler']).toBe('app.handler');
  });

  it.each([
    ['of the function', '', ", Environment: { Variables: !If [C, { A: '1' }, { B: '2' }] }"],
    ['as a whole', '', ", Environment: !If [C, { Variables: { A: '1' } }, !Ref AWS::NoValue]"],
    ['of Globals', "Globals: { Function: { Environment: { Variables: !If [C, { A: '1' }, { B: '2' }] } } }", ''],
  ])('leave variables %s alone that are an intrinsic function, and say so', async (_what, globals, own) => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Conditions: { C: !Equals [!Ref AWS::StackId, x] }
${globals}
Resources:
  Closed: ${bundled(own)}
`,
      'fn/src/app.ts': 'export const handler = 1;',
    });
    const { root, result, options } = await buildApp(dir);
    const { template } = await writeBuiltTemplates(root, result, options);
    expect(JSON.stringify(template)).not.toContain('NODE_OPTIONS');
    expect(result.notes).toEqual([
      {
        level: 'warning',
        ids: ['Closed'],
        text: expect.stringMatching(/^Sourcemap is on, but Environment .* add NODE_OPTIONS: --enable-source-maps/),
      },
    ]);
  });
});

describe('with dependency layers', () => {
  const files = {
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters: { LayerList: { Type: CommaDelimitedList, Default: 'arn:a,arn:b' } }
Globals: { Function: { Runtime: python3.13, Handler: app.h, CodeUri: with } }
Resources:
  A: { Type: 'AWS::Serverless::Function', Properties: { Layers: [arn:one] } }
  ByParameter: { Type: 'AWS::Serverless::Function', Properties: { Layers: !Ref LayerList } }
  Without: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: without } }
  Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: child.yaml } }
`,
    'with/requirements.txt': 'six==1.17.0\n',
    'with/app.py': '',
    'without/app.py': '',
    'child.yaml': `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.13, Handler: app.h, CodeUri: with, Layers: !Split [',', 'arn:a,arn:b'] } }
Resources:
  C: { Type: 'AWS::Serverless::Function', Properties: {} }
`,
  };

  it('each stack has a stack of them', async () => {
    const dir = await tempFolder(files);
    const { template, children } = await buildTemplates(dir, { dependencyLayer: true });
    const layout = path.join(dir, '.aws-sam/auto-dependency-layer');
    expect(properties(template, 'A')['Layers']).toEqual(['arn:one', reference('A7fc56270DepLayer')]);
    expect(JSON.stringify(properties(template, 'ByParameter')['Layers'])).toMatch(
      /^\{"Fn::Split":.*"Ref":"LayerList".*ByParameter[0-9a-f]{8}DepLayer/,
    );
    expect(properties(template, 'Without')).not.toHaveProperty('Layers');
    expect(resource(template, 'AwsSamAutoDependencyLayerNestedStack')).toMatchObject({
      Type: 'AWS::CloudFormation::Stack',
      DeletionPolicy: 'Delete',
      Properties: { TemplateURL: 'adl_nested_template.yaml' },
    });
    const nested = children.find((stack) => stack.logicalId === 'AwsSamAutoDependencyLayerNestedStack');
    expect(nested).toMatchObject({
      path: 'AwsSamAutoDependencyLayerNestedStack',
      dir: layout,
      templateFile: path.join(layout, 'adl_nested_template.yaml'),
    });
    expect(properties(nested!.template, 'A7fc56270DepLayer')['ContentUri']).toBe('A7fc56270DepLayer');
    expect(nested?.countedFiles?.get('A7fc56270DepLayer')?.path).toBe('AWS_SAM_CLI_README');
    expect(Object.keys(await readTree(path.join(layout, 'A7fc56270DepLayer/.')))).toContain('python/six.py');

    // defect 14: layers that come from Globals in a form that SAM does not merge
    const child = children.find((stack) => stack.logicalId === 'Child');
    expect(JSON.stringify(properties(child!.template, 'C')['Layers'])).toMatch(
      /"Fn::Split":\[",","arn:a,arn:b"\].*ChildC[0-9a-f]{8}DepLayer/,
    );
    expect(child?.children.map((stack) => stack.path)).toEqual(['Child/AwsSamAutoDependencyLayerNestedStack']);
    expect((await fs.readdir(path.join(layout, 'Child'))).sort()).toEqual([
      expect.stringMatching(/^C$/),
      expect.stringMatching(/^ChildC[0-9a-f]{8}DepLayer$/),
      'adl_nested_template.yaml',
      'template.yaml',
    ]);
  });

  it('go with the last dependency', async () => {
    const dir = await tempFolder(files);
    await buildTemplates(dir, { dependencyLayer: true });
    await writeFiles(dir, { 'with/requirements.txt': '' });
    const { template, children } = await buildTemplates(dir, { dependencyLayer: true });
    expect(mapOf(template['Resources'])).not.toHaveProperty('AwsSamAutoDependencyLayerNestedStack');
    expect(properties(template, 'A')['Layers']).toEqual(['arn:one']);
    expect(children.map((stack) => stack.path)).toEqual(['Child']);
    expect((await fs.readdir(path.join(dir, '.aws-sam/auto-dependency-layer'))).sort()).toEqual([
      'A',
      'ByParameter',
      'Child',
      'Without',
      'template.yaml',
    ]);
  });
});
