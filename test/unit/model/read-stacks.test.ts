import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../src/errors.ts';
import { readStacks } from '../../../src/model/read-stacks.ts';
import type { ReadStacksInput, ReadStacksResult } from '../../../src/model/read-stacks.ts';
import { flattenStacks } from '../../../src/model/stack.ts';
import type { FunctionResource, LayerResource, Stack } from '../../../src/model/stack.ts';
import { findLocalPaths } from '../../../src/template/local-paths.ts';
import { getAt } from '../../../src/template/template-path.ts';
import { tempFolder } from '../../support/temp-folder.ts';

type Files = Readonly<Record<string, string>>;

/** Reads `template.yaml` of a folder with these files. A name that ends with `/` is a folder. */
async function read(
  files: Files,
  input: Partial<ReadStacksInput> = {},
): Promise<ReadStacksResult & { folder: string }> {
  const folder = await tempFolder(Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('/'))));
  for (const name of Object.keys(files))
    if (name.endsWith('/')) await fs.mkdir(path.join(folder, name), { recursive: true });
  const at = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : path.join(folder, name);
  const result = await readStacks({
    parameterOverrides: {},
    pseudo: { region: 'eu-west-1', stackName: 'app' },
    cwd: folder,
    ...input,
    baseDir: at(input.baseDir),
    templateFile: path.join(folder, input.templateFile ?? 'template.yaml'),
  });
  return { ...result, folder };
}

/** The messages of the `TemplateError`, with the temporary folder as `/…`. */
async function problems(files: Files, input: Partial<ReadStacksInput> = {}): Promise<string[]> {
  const error = await read(files, input).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TemplateError);
  return (error as TemplateError).message.replaceAll(/\/\S*sam-sync-test-[^/)]*/g, '/…').split('\n');
}

const fn = (properties: string, more = ''): string =>
  `Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.12, ${properties}}${more}}}`;

async function readFunctionOf(
  template: string,
  files: Files = {},
  input: Partial<ReadStacksInput> = {},
): Promise<FunctionResource & { folder: string }> {
  const { root, folder } = await read({ 'template.yaml': template, ...files }, input);
  const [found] = root.functions;
  if (found === undefined) throw new Error('no function');
  return { ...found, folder };
}

async function readLayerOf(template: string, files: Files = {}): Promise<LayerResource & { folder: string }> {
  const { root, folder } = await read({ 'template.yaml': template, ...files });
  const [found] = root.layers;
  if (found === undefined) throw new Error('no layer');
  return { ...found, folder };
}

describe('functions', () => {
  it.each<[properties: string, files: Files, code: object]>([
    ['CodeUri: ./src', { 'src/': '' }, { kind: 'folder', path: '/src' }],
    ['CodeUri: src/', { 'src/': '' }, { kind: 'folder', path: '/src' }],
    ['MemorySize: 128', {}, { kind: 'folder', path: '' }],
    ['CodeUri: file://src', { 'src/': '' }, { kind: 'folder', path: '/src' }],
    ['CodeUri: app.zip', { 'app.zip': 'x' }, { kind: 'file', path: '/app.zip' }],
    ['CodeUri: app.py', { 'app.py': 'x' }, { kind: 'file', path: '/app.py' }],
    ['CodeUri: s3://b/k', {}, { kind: 'remote' }],
    ['CodeUri: {Bucket: b, Key: k}', {}, { kind: 'remote' }],
    ['CodeUri: !ImportValue x', {}, { kind: 'remote' }],
    ['InlineCode: "x = 1"', {}, { kind: 'inline' }],
    ['PackageType: Image, ImageUri: 1.dkr.ecr.eu-west-1.amazonaws.com/x:y', {}, { kind: 'remote' }],
    ['PackageType: Image, ImageUri: ./image.tar', { 'image.tar': 'x' }, { kind: 'image-archive', path: '/image.tar' }],
  ])('Serverless with %s', async (properties, files, code) => {
    const found = await readFunctionOf(fn(properties), files);
    expect(JSON.parse(JSON.stringify(found.code).replaceAll(found.folder, ''))).toEqual(code);
  });

  it.each<[code: string, files: Files, source: object]>([
    ['Code: ./src', { 'src/': '' }, { kind: 'folder', path: '/src' }],
    ['Code: {ZipFile: x}', {}, { kind: 'inline' }],
    ['Code: {S3Bucket: b, S3Key: k}', {}, { kind: 'remote' }],
    ['Code: {ImageUri: x:y}, PackageType: Image', {}, { kind: 'local-image', name: 'x:y' }],
    ['Code: {ImageUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:y}, PackageType: Image', {}, { kind: 'remote' }],
  ])('Lambda with %s', async (code, files, source) => {
    const found = await readFunctionOf(fn(code).replace('Serverless', 'Lambda'), files);
    expect(JSON.parse(JSON.stringify(found.code).replaceAll(found.folder, ''))).toEqual(source);
  });

  it('of many in one folder have the same code as each alone: links, files, and what is missing', async () => {
    const folder = await tempFolder({ 'code/zip.zip': 'x', 'elsewhere/app.py': '' });
    const code = path.join(folder, 'code');
    const names = Array.from({ length: 30 }, (_, n) => `f${n}`);
    for (const name of names) await fs.mkdir(path.join(code, name));
    const type = process.platform === 'win32' ? 'junction' : 'dir';
    await fs.symlink(path.join(folder, 'elsewhere'), path.join(code, 'linked'), type);
    await fs.symlink(path.join(folder, 'missing'), path.join(code, 'dangling'), type);
    const template = (all: readonly string[]): string =>
      `Resources:\n${all.map((name, n) => `  F${n}: {Type: AWS::Serverless::Function, Properties: {CodeUri: code/${name}, Handler: a.b, Runtime: python3.12}}\n`).join('')}`;
    const readIn = async (all: readonly string[]): Promise<ReadStacksResult> => {
      await fs.writeFile(path.join(folder, 'template.yaml'), template(all));
      return readStacks({
        templateFile: path.join(folder, 'template.yaml'),
        parameterOverrides: {},
        pseudo: { region: 'eu-west-1', stackName: 'app' },
        cwd: folder,
      });
    };
    const { root } = await readIn([...names, 'zip.zip', 'linked']);
    const kinds = root.functions.map(({ code: source }) => source.kind);
    expect(kinds).toEqual([...names.map(() => 'folder'), 'file', 'folder']);
    for (const missing of ['missing', 'dangling'])
      await expect(readIn([...names, missing])).rejects.toThrow(`${missing} does not exist`);
  });

  it('of an image have the context of their Dockerfile and neither runtime nor handler', async () => {
    const template =
      'Resources: {F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {DockerContext: ./img, Dockerfile: Dockerfile}}}';
    const found = await readFunctionOf(template, { 'img/': '' });
    expect(found).toMatchObject({
      packageType: 'Image',
      runtime: undefined,
      handler: undefined,
      code: { kind: 'image', context: path.join(found.folder, 'img') },
    });
  });

  it('have defaults, settings of their build, and Globals', async () => {
    const template = `
Globals: {Function: {Runtime: nodejs22.x, Architectures: [arm64], Environment: {Variables: {A: b}}}}
Parameters: {Level: {Type: String, Default: info}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, CodeUri: ., Environment: {Variables: {LEVEL: !Ref Level}}}
    Metadata: {BuildMethod: esbuild, BuildProperties: {Minify: true, EntryPoints: [app.ts]}, SkipBuild: 'true'}
`;
    expect(await readFunctionOf(template)).toMatchObject({
      id: 'F',
      stackPath: '',
      logicalId: 'F',
      packageType: 'Zip',
      runtime: 'nodejs22.x',
      handler: 'app.handler',
      architecture: 'arm64',
      buildMethod: 'esbuild',
      buildProperties: { Minify: true, EntryPoints: ['app.ts'] },
      skipBuild: true,
      properties: { Environment: { Variables: { A: 'b', LEVEL: 'info' } } },
    });
  });

  it.each<[architectures: string, result: string]>([
    ['[arm64]', 'arm64'],
    ['[x86_64]', 'x86_64'],
    ['[!Ref Arch]', 'arm64'],
    ['[!ImportValue x]', 'x86_64'],
    ['!ImportValue x', 'x86_64'],
  ])('for architectures %s are built for %s', async (architectures, result) => {
    const template = `Parameters: {Arch: {Type: String, Default: arm64}}\n${fn(`Architectures: ${architectures}`)}`;
    expect((await readFunctionOf(template)).architecture).toBe(result);
  });

  it('defect 14: layers attached through Globals, Sub and If are seen', async () => {
    const template = `
Globals: {Function: {Layers: [!Ref Shared]}}
Parameters: {Env: {Type: String, Default: dev}}
Conditions: {IsDev: !Equals [!Ref Env, dev]}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: [!If [IsDev, !Ref Dev, !Ref AWS::NoValue], !Sub '\${Own}']}
`;
    const { properties } = await readFunctionOf(template);
    expect(properties['Layers']).toEqual([{ Ref: 'Shared' }, { Ref: 'Dev' }, { 'Fn::Sub': '${Own}' }]);
  });
});

describe('layers', () => {
  it.each<[type: string, body: string, layer: object]>([
    [
      'Serverless',
      'Properties: {ContentUri: ./l}',
      { code: { kind: 'folder' }, buildMethod: undefined, architecture: 'x86_64' },
    ],
    ['Lambda', 'Properties: {Content: ./l}', { code: { kind: 'folder' } }],
    ['Lambda', 'Properties: {Content: {S3Bucket: b, S3Key: k}}', { code: { kind: 'remote' } }],
    ['Serverless', 'Properties: {ContentUri: s3://b/k}', { code: { kind: 'remote' } }],
    ['Serverless', 'Properties: {ContentUri: l.zip}', { code: { kind: 'file' } }],
    [
      'Serverless',
      'Properties: {ContentUri: ./l, CompatibleRuntimes: [python3.12]}, Metadata: {BuildMethod: python3.12, BuildArchitecture: arm64}',
      { buildMethod: 'python3.12', architecture: 'arm64', compatibleRuntimes: ['python3.12'] },
    ],
    ['Serverless', 'Properties: {ContentUri: ./l, CompatibleArchitectures: [arm64]}', { architecture: 'arm64' }],
    [
      'Serverless',
      'Properties: {ContentUri: ./l, CompatibleArchitectures: [x86_64, arm64]}',
      { architecture: 'x86_64' },
    ],
  ])('%s with %s', async (type, body, layer) => {
    const template = `Resources: {L: {Type: AWS::${type}::LayerVersion, ${body}}}`;
    expect(await readLayerOf(template, { 'l/': '', 'l.zip': 'x' })).toMatchObject({ id: 'L', ...layer });
  });
});

const APP: Files = {
  'template.yaml': `
Parameters: {Env: {Type: String, Default: dev}, Secret: {Type: String, NoEcho: true, Default: x}}
Resources:
  Root: {Type: AWS::Serverless::Function, Properties: {CodeUri: ./src, Handler: a.b, Runtime: python3.12}}
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: child/template.yaml
      Parameters: {Env: !Sub '\${Env}-child', Arn: !GetAtt Root.Arn, Names: !Split [',', 'a,b'], Secret: !Ref Secret}
  Remote: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://s3.amazonaws.com/b/k}}
  Repo: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: a, SemanticVersion: 1.0.0}}}
  Computed: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !ImportValue x}}
`,
  'src/': '',
  'child/template.yaml': `
Parameters:
  Env: {Type: String, Default: none}
  Arn: {Type: String, Default: no-arn}
  Names: {Type: CommaDelimitedList}
  Secret: {Type: String, Default: mine}
  Own: {Type: String, Default: own}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./src
      Handler: a.b
      Runtime: python3.12
      FunctionName: !Sub '\${Env}-\${Own}-\${AWS::Region}'
      Description: !Sub '\${Arn} \${Secret} \${AWS::StackName}'
      Layers: !Ref Names
  Grand: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ../grand.json, Parameters: {Env: !Ref Env}}}
`,
  'child/src/': '',
  'grand.json':
    '{"Parameters": {"Env": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Env"}}}}}',
};

const baseDirTemplate = (nested: string): string => `
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Handler: a.b, Runtime: python3.12}}
  L: {Type: AWS::Lambda::LayerVersion, Properties: {Content: code}}
  I: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {DockerContext: code, Dockerfile: D}}
  A: {Type: AWS::Serverless::Api, Properties: {StageName: x, DefinitionUri: api.yaml}}
  ${nested}`;

describe('nested stacks', () => {
  it('are read at any depth, remote ones are left alone', async () => {
    const { root, folder, warnings } = await read(APP);
    expect(
      flattenStacks(root).map((stack) => [stack.path, path.relative(folder, stack.templateFile), stack.logicalId]),
    ).toEqual([
      ['', 'template.yaml', undefined],
      ['Child', 'child/template.yaml', 'Child'],
      ['Child/Grand', 'grand.json', 'Grand'],
    ]);
    expect(flattenStacks(root).flatMap((stack) => stack.functions.map((item) => item.id))).toEqual([
      'Root',
      'Child/Fn',
    ]);
    expect(warnings).toEqual([]);
  });

  it('get the values that the parent passes, and no default where only CloudFormation knows the value', async () => {
    const { root } = await read(APP, { parameterOverrides: { Env: 'prod' } });
    const child = root.children[0] as Stack;
    expect(child.parameters).toEqual({ Env: 'prod-child', Names: 'a,b', Own: 'own' });
    expect(child.functions[0]?.properties).toMatchObject({
      FunctionName: 'prod-child-own-eu-west-1',
      Description: { 'Fn::Sub': '${Arn} ${Secret} ${AWS::StackName}' },
      Layers: ['a', 'b'],
    });
    expect(getAt(child.children[0]?.resolved ?? {}, ['Resources', 'T', 'Properties', 'TopicName'])).toBe('prod-child');
  });

  it('resolve their code against their own folder', async () => {
    const { root, folder } = await read(APP);
    expect(root.functions[0]?.code).toEqual({ kind: 'folder', path: path.join(folder, 'src') });
    expect(root.children[0]?.functions[0]?.code).toEqual({ kind: 'folder', path: path.join(folder, 'child/src') });
  });

  it('defect 23: with --base-dir code of all stacks is there, and templates and definitions stay where they are', async () => {
    const { root, folder } = await read(
      {
        'template.yaml': baseDirTemplate(
          'Child: {Type: AWS::Serverless::Application, Properties: {Location: child/t.yaml}}',
        ),
        'api.yaml': '',
        'child/t.yaml': baseDirTemplate(''),
        'child/api.yaml': '',
        'base/code/': '',
      },
      { baseDir: 'base' },
    );
    const code = path.join(folder, 'base/code');
    for (const stack of flattenStacks(root)) {
      expect(stack.codeDir).toBe(path.join(folder, 'base'));
      expect(stack.functions.map((item) => item.code)).toEqual([
        { kind: 'folder', path: code },
        { kind: 'image', context: code },
      ]);
      expect(stack.layers.map((item) => item.code)).toEqual([{ kind: 'folder', path: code }]);
    }
  });

  it('may be the same file more than once', async () => {
    const { root } = await read({
      'template.yaml': `
Resources:
  A: {Type: AWS::Serverless::Application, Properties: {Location: t.yaml, Parameters: {P: a}}}
  B: {Type: AWS::Serverless::Application, Properties: {Location: t.yaml, Parameters: {P: b}}}`,
      't.yaml': 'Parameters: {P: {Type: String}}\nResources: {T: {Type: X, Properties: {V: !Ref P}}}',
    });
    expect(root.children.map((child) => [child.path, child.parameters['P']])).toEqual([
      ['A', 'a'],
      ['B', 'b'],
    ]);
  });

  it('through a link are where the file is', async () => {
    const folder = await tempFolder({ 'real/template.yaml': fn('CodeUri: src'), 'real/src/x': '' });
    await fs.symlink(path.join('real', 'template.yaml'), path.join(folder, 'template.yaml'));
    const { root } = await readStacks({
      templateFile: path.join(folder, 'template.yaml'),
      parameterOverrides: {},
      pseudo: {},
      cwd: folder,
    });
    expect(root.functions[0]?.code).toEqual({ kind: 'folder', path: path.join(folder, 'real/src') });
  });
});

const include = (location: string): string =>
  `{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: ${location}}}}`;

describe('the two views', () => {
  const LOOP = `
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {Names: {Type: CommaDelimitedList, Default: 'a,b'}}
Globals: {Function: {Runtime: python3.12}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - Fn\${Name}: {Type: AWS::Serverless::Function, Properties: {CodeUri: './src/\${Name}', Handler: a.b}}
  Fn::ForEach::Topics: [Name, !Ref Names, {'T\${Name}': {Type: AWS::SNS::Topic}}]
`;
  const FILES: Files = { 'template.yaml': LOOP, 'src/a/': '', 'src/b/': '', 'src/c/': '' };

  it('keep loops for CloudFormation where no local files are needed', async () => {
    const { root } = await read(FILES, { parameterOverrides: { Names: 'b,c' } });
    expect(Object.keys(root.source['Resources'] as object)).toEqual(['Fnb', 'Fnc', 'Fn::ForEach::Topics']);
    expect(Object.keys(root.resolved['Resources'] as object)).toEqual(['Fnb', 'Fnc', 'Tb', 'Tc']);
    expect(root.functions.map((item) => [item.id, item.runtime])).toEqual([
      ['Fnb', 'python3.12'],
      ['Fnc', 'python3.12'],
    ]);
    expect(root.source['Globals']).toBeDefined();
  });

  it('leave loops alone with --no-language-extensions', async () => {
    const { root } = await read(FILES, { languageExtensions: false });
    expect(Object.keys(root.source['Resources'] as object)).toEqual(['Fn::ForEach::Functions', 'Fn::ForEach::Topics']);
    expect(root.functions).toEqual([]);
  });

  it('resolve what the template includes, found beside it or in the current folder', async () => {
    const folder = await tempFolder({
      'app/template.yaml': `
Parameters: {Env: {Type: String, Default: dev}}
Mappings: ${include('maps.yaml')}
Resources:
  A: {Type: T, Properties: {Body: ${include('./api.yaml')}, Size: !FindInMap [Sizes, dev, Memory]}}
  B: {Type: T, Properties: {Body: ${include('!Sub "${Env}.yaml"')}}}
  C: {Type: T, Properties: {Body: ${include('s3://b/k.yaml')}}}
`,
      'app/maps.yaml': 'Sizes: {dev: {Memory: 128}}',
      'app/api.yaml': 'openapi: 3.0.1\ninfo: {\ntitle: !Ref Env\n}',
      'dev.yaml': 'a: 1',
    });
    const { root } = await readStacks({
      templateFile: path.join(folder, 'app/template.yaml'),
      parameterOverrides: {},
      pseudo: {},
      cwd: folder,
    });
    const properties = (id: string): unknown => getAt(root.resolved, ['Resources', id, 'Properties']);
    expect(properties('A')).toEqual({ Body: { openapi: '3.0.1', info: { title: 'dev' } }, Size: 128 });
    expect(properties('B')).toEqual({ Body: { a: 1 } });
    expect(properties('C')).toMatchObject({ Body: { 'Fn::Transform': {} } });
    const locations = findLocalPaths(root.source, root.resolved).map((local) => local.value);
    expect(locations).toEqual(['maps.yaml', './api.yaml', path.join(folder, 'dev.yaml')]);
  });

  it('report what is wrong in an included file with its place in that file', async () => {
    const folder = await tempFolder({
      'app/template.yaml': `Resources:
  A: {Type: T, Properties: {Body: ${include('broken.yaml')}}}
  B: {Type: T, Properties: {Body: ${include('folder.yaml')}}}
`,
      'app/broken.yaml': 'a: 1\nb: }\n',
      'app/folder.yaml/x': '',
    });
    const templateFile = path.join(folder, 'app/template.yaml');
    const reading = readStacks({ templateFile, parameterOverrides: {}, pseudo: {}, cwd: folder });
    const error: unknown = await reading.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const { problems } = error as TemplateError;
    expect(problems).toHaveLength(2);
    expect(problems).toContainEqual({
      file: path.join('app', 'broken.yaml'),
      line: 2,
      column: 4,
      message: expect.stringContaining('Invalid YAML: '),
    });
  });

  it('defect 16: overrides decide paths and conditions', async () => {
    const template = `
Parameters: {Env: {Type: String, Default: dev}}
Conditions: {IsProd: !Equals [!Ref Env, prod]}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: !Sub ./\${Env}
      Handler: a.b
      Runtime: !If [IsProd, python3.13, python3.12]
      AutoPublishAlias: !Ref Env
`;
    const found = await readFunctionOf(template, { 'prod/': '' }, { parameterOverrides: { Env: 'prod' } });
    expect(found).toMatchObject({ runtime: 'python3.13', properties: { AutoPublishAlias: 'prod' } });
    expect(found.code).toEqual({ kind: 'folder', path: path.join(found.folder, 'prod') });
  });

  it('of a CDK application have no storage mode', async () => {
    const { root, warnings } = await read({
      'template.yaml': `Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties: {Code: {S3Bucket: b, S3Key: k, S3ObjectStorageMode: REFERENCE}, Handler: a.b, Runtime: nodejs22.x}
    Metadata: {aws:asset:path: asset.1, aws:asset:property: Code}
`,
      'asset.1/': '',
    });
    expect(getAt(root.source, ['Resources', 'Fn', 'Properties', 'Code'])).toBe('asset.1');
    expect(warnings).toMatchObject([
      {
        line: 4,
        message:
          'Fn Code S3ObjectStorageMode REFERENCE is not used for code that is synced from this machine: Lambda keeps a copy',
      },
    ]);
  });

  it('use the local files of a CDK application', async () => {
    const { root, folder } = await read(
      {
        'cdk.out/App.template.json': JSON.stringify({
          Resources: {
            Fn1: {
              Type: 'AWS::Lambda::Function',
              Properties: { Code: { S3Bucket: 'b', S3Key: 'k' }, Handler: 'a.b', Runtime: 'nodejs22.x' },
              Metadata: {
                'aws:cdk:path': 'App/Fn/Resource',
                'aws:asset:path': 'asset.1',
                'aws:asset:property': 'Code',
                'aws:asset:is-bundled': true,
              },
            },
            Img: {
              Type: 'AWS::Lambda::Function',
              Properties: { Code: { ImageUri: { 'Fn::Sub': 'x' } }, PackageType: 'Image' },
              Metadata: {
                'aws:asset:path': 'asset.2',
                'aws:asset:property': 'Code.ImageUri',
                'aws:asset:dockerfile-path': 'D',
              },
            },
            Nested: {
              Type: 'AWS::CloudFormation::Stack',
              Properties: { TemplateURL: { 'Fn::Join': ['', ['https://', { Ref: 'AWS::Region' }]] } },
              Metadata: { 'aws:asset:path': 'N.nested.template.json', 'aws:asset:property': 'TemplateURL' },
            },
          },
        }),
        'cdk.out/N.nested.template.json': '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}',
        'cdk.out/asset.1/': '',
        'cdk.out/asset.2/': '',
      },
      { templateFile: 'cdk.out/App.template.json' },
    );
    expect(root.functions[0]).toMatchObject({
      id: 'Fn1',
      constructId: 'Fn',
      skipBuild: true,
      code: { kind: 'folder', path: path.join(folder, 'cdk.out/asset.1') },
    });
    expect(root.functions[1]).toMatchObject({
      code: { kind: 'image', context: path.join(folder, 'cdk.out/asset.2') },
      metadata: { Dockerfile: 'D' },
    });
    expect(getAt(root.source, ['Resources', 'Fn1', 'Properties', 'Code'])).toBe('asset.1');
    expect(root.children.map((child) => child.path)).toEqual(['Nested']);
  });
});

describe('problems', () => {
  it('of all templates are told at once, with their places', async () => {
    expect(
      await problems({
        'template.yaml': `Resources:
  NoType: {Properties: {}}
  Text: hello
  NoHandler:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./src
  NoFolder:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.12
      CodeUri: ./nowhere
      Architectures: [x86_64, arm64]
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: x, DefinitionUri: api.yaml}}
  Machine: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: src}}
  Gone: {Type: AWS::Serverless::Application, Properties: {Location: gone.yaml}}
  Empty: {Type: AWS::Serverless::Application}
  Broken: {Type: AWS::Serverless::Application, Properties: {Location: broken.yaml}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}
`,
        'src/': '',
        'broken.yaml': 'a: 1\n b: 2',
        'child.yaml': 'Description: no resources',
      }),
    ).toEqual([
      'broken.yaml:2:3: Invalid YAML: unexpected ":"; check the indentation, or put the text in quotes',
      'child.yaml:1:1: The template has no Resources section',
      'template.yaml:2:3: NoType has no Type',
      'template.yaml:3:3: Text must be a mapping with a Type',
      'template.yaml:6:5: NoHandler has no Handler',
      'template.yaml:6:5: NoHandler has no Runtime',
      'template.yaml:13:7: NoFolder CodeUri ./nowhere does not exist (/…/nowhere)',
      'template.yaml:14:7: NoFolder must have one architecture, x86_64 or arm64, for example Architectures: [arm64]',
      'template.yaml:15:64: Api DefinitionUri api.yaml does not exist (/…/api.yaml)',
      'template.yaml:16:63: Machine DefinitionUri src is a folder, but must be a file (/…/src)',
      'template.yaml:17:59: Gone Location gone.yaml does not exist (/…/gone.yaml)',
      'template.yaml:18:3: Empty has no Location',
    ]);
  });

  it.each<[what: string, files: Files, problem: string]>([
    ['no template', {}, 'template.yaml: The template does not exist'],
    [
      'an empty template',
      { 'template.yaml': '' },
      'template.yaml: A template is a mapping with a Resources section, but this file is empty',
    ],
    [
      'no resources',
      { 'template.yaml': 'Resources: {}' },
      'template.yaml:1:1: Resources is empty: a stack needs at least one resource',
    ],
    [
      'a list of resources',
      { 'template.yaml': 'A: 1\nResources: []' },
      'template.yaml:2:1: Resources must be a mapping',
    ],
    [
      'a number as Type',
      { 'template.yaml': 'Resources: {A: {Type: 1}}' },
      'template.yaml:1:17: A must have a string as Type',
    ],
    [
      'code that Globals name',
      { 'template.yaml': `Globals:\n  Function:\n    CodeUri: ./x\n${fn('Timeout: 1')}` },
      'template.yaml:3:5: F CodeUri ./x does not exist (/…/x)',
    ],
    [
      'code in a loop',
      {
        'template.yaml': `Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::L:
    - X
    - [a]
    - F\${X}:
        Type: AWS::Serverless::Function
        Properties:
          Handler: a.b
          Runtime: python3.12
          CodeUri: ./\${X}
`,
      },
      'template.yaml:11:11: Fa CodeUri ./a does not exist (/…/a)',
    ],
    [
      'code that needs what only CloudFormation knows',
      { 'template.yaml': fn("CodeUri: !Sub './${Other.Name}'") },
      'template.yaml:1:98: F CodeUri ./${Other.Name} depends on a value known only to CloudFormation',
    ],
    [
      'code that an unknown condition chooses',
      { 'template.yaml': fn('CodeUri: !If [Unknown, s3://a/b, ./src]') },
      'template.yaml:1:98: F CodeUri ./src depends on a value known only to CloudFormation',
    ],
    [
      'a missing Docker context',
      {
        'template.yaml':
          'Resources: {F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {DockerContext: ./img}}}',
      },
      'template.yaml:1:95: F DockerContext is not a folder (/…/img)',
    ],
    [
      'an image from nowhere',
      { 'template.yaml': 'Resources: {F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}}' },
      'template.yaml:1:63: F has neither an ImageUri nor a DockerContext in its Metadata',
    ],
    [
      'a missing include',
      {
        'template.yaml':
          "Resources: {A: {Type: T, Properties: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: a.yaml}}}}}",
      },
      'template.yaml:1:90: AWS::Include a.yaml does not exist (/…/a.yaml)',
    ],
    [
      'a stack in itself',
      {
        'template.yaml':
          'Resources: {Me: {Type: AWS::Serverless::Application, Properties: {Location: ./template.yaml}}}',
      },
      'template.yaml:1:67: Me nests a stack within itself: template.yaml → template.yaml',
    ],
    [
      'a wrong loop',
      { 'template.yaml': 'Transform: AWS::LanguageExtensions\nResources: {"Fn::ForEach::L": [X]}' },
      'template.yaml:2:13: Fn::ForEach::L must be a list of a name, its values and a mapping',
    ],
  ])('%s', async (_what, files, problem) => {
    expect(await problems(files)).toEqual([problem]);
  });

  it.each<[what: string, id: string, shown: string]>([
    ['a path', '../../x', '../../x'],
    ['a folder', 'a/b', 'a/b'],
    ['a dot', '.', '.'],
    ['two dots', '..', '..'],
    ['nothing', '', ''],
    ['a hyphen', 'My-Fn', 'My-Fn'],
    ['an absolute path', '/tmp/x', '/tmp/x'],
    ['a Windows path', 'C:\\\\x', 'C:\\\\x'],
    ['a letter beyond A to Z', 'Função', 'Função'],
    ['control characters', 'a\\u001b[31m', 'a\\u001b[31m'],
    ['the name of a function', 'Fn::Else', 'Fn::Else'],
    ['256 characters', 'a'.repeat(256), `${'a'.repeat(80)}…`],
  ])('an id that is %s', async (_what, id, shown) => {
    const problem = `The logical ID "${shown}" must have 1 to 255 characters, letters A-Z and digits only`;
    const resource = '{Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: python3.13}}';
    expect(await problems({ 'template.yaml': `Resources:\n  Ok: {Type: T}\n  "${id}": ${resource}\n` })).toEqual([
      `template.yaml:3:3: ${problem}`,
    ]);
    const parent = 'Resources: {A: {Type: AWS::Serverless::Application, Properties: {Location: b/b.yaml}}}';
    const nested = `Resources:\n  "${id}": {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: c.yaml}}\n`;
    const files = { 'template.yaml': parent, 'b/b.yaml': nested, 'b/c.yaml': 'Resources: {T: {Type: T}}' };
    expect(await problems(files)).toEqual([`b/b.yaml:2:3: ${problem}`]);
  });

  it('are told of ids that a loop or an include makes, where it is written', async () => {
    const loop = (name: string): string => `Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::L: [X, [a-b], {"F${name}": {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: python3.13}}}]
`;
    expect(await problems({ 'template.yaml': loop('${X}') })).toEqual([
      'template.yaml:3:31: The logical ID "Fa-b" must have 1 to 255 characters, letters A-Z and digits only',
    ]);
    const { root } = await read({ 'template.yaml': loop('&{X}') });
    expect(root.functions.map(({ id }) => id)).toEqual(['Fab']);
    const longest = 'a'.repeat(255);
    const edge = await read({ 'template.yaml': `Resources: {${longest}: {Type: T}, 1: {Type: T}}` });
    expect(Object.keys(edge.root.source['Resources'] ?? {}).sort()).toEqual(['1', longest]);
  });

  it('of stacks that nest each other name the way', async () => {
    const files = {
      'template.yaml': 'Resources: {A: {Type: AWS::Serverless::Application, Properties: {Location: b/b.yaml}}}',
      'b/b.yaml': 'Resources: {B: {Type: AWS::Serverless::Application, Properties: {Location: ../template.yaml}}}',
    };
    expect(await problems(files)).toEqual([
      'b/b.yaml:1:66: B nests a stack within itself: template.yaml → b/b.yaml → template.yaml',
    ]);
  });

  it('are not made of what CloudFormation may know better', async () => {
    const { root } = await read({
      'template.yaml': `Resources:
  Fn::Transform: {Name: Mine}
  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: !If [Unknown, s3://a/b, s3://c/d], Handler: !ImportValue h, Runtime: !ImportValue r}}
  R: {Type: AWS::Serverless::Function, Properties: {CodeUri: s3://a/b}}
  S: {Type: 'Custom::Thing'}
`,
    });
    expect(root.functions.map((item) => item.handler)).toEqual([undefined, undefined]);
  });
});

describe('warnings', () => {
  it('name what stands twice', async () => {
    const { warnings } = await read({ 'template.yaml': 'Resources:\n  A: {Type: T}\n  A: {Type: U}\n' });
    expect(warnings).toEqual([
      {
        file: 'template.yaml',
        line: 3,
        column: 3,
        message: 'Duplicate key A; this one wins',
      },
    ]);
  });

  it('name parameters that the template does not have, with the nearest one', async () => {
    const { warnings } = await read(
      { 'template.yaml': 'Parameters: {Environment: {Type: String}}\nResources: {A: {Type: T}}' },
      { parameterOverrides: { Enviroment: 'x', Zzz: 'y', 'AWS::Region': 'eu-west-1' } },
    );
    expect(warnings).toEqual([
      {
        file: 'template.yaml',
        line: 1,
        column: 1,
        message: 'The template has no parameter Enviroment: its value is ignored. Did you mean Environment?',
      },
      {
        file: 'template.yaml',
        line: 1,
        column: 1,
        message: 'The template has no parameter Zzz: its value is ignored.',
      },
    ]);
  });

  it('name what a nested stack is passed wrongly', async () => {
    const { warnings } = await read({
      'template.yaml':
        'Resources: {C: {Type: AWS::Serverless::Application, Properties: {Location: c.yaml, Parameters: {Nam: x}}}}',
      'c.yaml': 'Parameters: {Name: {Type: String}, Other: {Type: String, Default: x}}\nResources: {A: {Type: T}}',
    });
    expect(warnings.map((warning) => warning.message)).toEqual([
      'C passes the parameter Nam, which its template does not declare. Did you mean Name?',
      'C does not pass the parameter Name, which its template requires',
    ]);
  });
});
