import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/options/command-line.ts';
import { resolveOptions } from '../../../../src/cli/options/resolve-options.ts';
import type { ResolvedRun } from '../../../../src/cli/options/resolve-options.ts';
import { UserError } from '../../../../src/errors.ts';
import type { SyncOptions } from '../../../../src/sync/sync-options.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const TEMPLATE = 'Resources: {}\n';
const REPOSITORY = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/api';

interface Given {
  args?: string[];
  files?: Record<string, string>;
  env?: Record<string, string>;
  /** Below the temporary folder. */
  cwd?: string;
}

interface Outcome extends ResolvedRun {
  folder: string;
}

async function resolve({ args = ['--stack-name', 'app'], files = {}, env = {}, cwd = '.' }: Given): Promise<Outcome> {
  const folder = await tempFolder({ 'template.yaml': TEMPLATE, ...files });
  const run = await resolveOptions(parseCommandLine(args), { env, cwd: path.join(folder, cwd) });
  return { ...run, folder };
}

async function errorOf(given: Given): Promise<UserError> {
  try {
    await resolve(given);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const shown = (run: ResolvedRun): string[] =>
  run.notices.filter(({ level }) => level !== 'debug').map(({ level, text }) => `${level}: ${text}`);

/** A value of a configuration, as TOML. */
const config = (lines: string): Record<string, string> => ({
  'samconfig.toml': `version = 0.1\n[default.sync.parameters]\n${lines}\n`,
});

describe('defaults', () => {
  it('are those of the peer', async () => {
    const { options, folder } = await resolve({});
    expect(options).toEqual({
      stackName: 'app',
      templateFile: path.join(folder, 'template.yaml'),
      projectDir: folder,
      baseDir: undefined,
      code: false,
      watch: false,
      directConfig: true,
      tail: false,
      ui: false,
      resourceIds: [],
      resourceTypes: [],
      dependencyLayer: true,
      skipDeploySync: true,
      express: true,
      useContainer: false,
      buildInSource: false,
      buildImages: { all: undefined, byId: {} },
      containerEnvVarFile: undefined,
      buildCache: [],
      buildCacheWrite: false,
      buildCacheAccept: 'any',
      imageRepository: undefined,
      containerVariables: { all: {}, byId: {} },
      imageRepositories: {},
      resolveImageRepos: false,
      s3Bucket: undefined,
      s3Prefix: undefined,
      kmsKeyId: undefined,
      roleArn: undefined,
      notificationArns: undefined,
      tags: undefined,
      metadata: undefined,
      capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
      parameterOverrides: {},
      watchExclude: {},
      languageExtensions: undefined,
      profile: undefined,
      region: undefined,
      debug: false,
      yes: false,
      output: 'text',
      local: false,
      dryRun: false,
    } satisfies SyncOptions);
  });
});

describe('each option once with effect', () => {
  const role = 'arn:aws:iam::123456789012:role/deploy';
  const topic = 'arn:aws:sns:eu-west-1:123456789012:t';
  it.each<[string[], Partial<SyncOptions>]>([
    [['--code'], { code: true }],
    [['--watch'], { watch: true }],
    [['--no-direct-config'], { directConfig: false }],
    [['--no-watch'], { watch: false }],
    [['--code', '--resource-id', 'A', '--resource-id', 'C/B'], { resourceIds: ['A', 'C/B'] }],
    [['--watch', '--resource', 'AWS::Serverless::Api'], { resourceTypes: ['AWS::Serverless::Api'] }],
    [['--no-dependency-layer'], { dependencyLayer: false }],
    [['--no-skip-deploy-sync'], { skipDeploySync: false }],
    [['--no-express'], { express: false }],
    [
      ['--watch-exclude', 'F=a', '--watch-exclude', 'F=b', '--watch-exclude', 'C/G=c d'],
      { watchExclude: { F: ['a', 'b'], 'C/G': ['c d'] } },
    ],
    [['--use-container'], { useContainer: true, dependencyLayer: false }],
    [['-u', '--no-use-container'], { useContainer: false, dependencyLayer: true }],
    [['--build-in-source'], { buildInSource: true }],
    [
      ['--build-cache', 's3://b-1/x, file:y z', '--build-cache', 'file:///w'],
      { buildCache: ['s3://b-1/x', 'file:y z', 'file:///w'] },
    ],
    [
      ['--build-cache', 's3://b-1', '--build-cache-write', '--build-cache-accept', 'same-tools'],
      { buildCache: ['s3://b-1'], buildCacheWrite: true, buildCacheAccept: 'same-tools' },
    ],
    [['-u', '-bi', 'img', '-bi', 'F=img2'], { buildImages: { all: 'img', byId: { F: 'img2' } } }],
    [['--image-repository', REPOSITORY], { imageRepository: REPOSITORY }],
    [
      ['--image-repositories', `F=${REPOSITORY}`, '--image-repositories', 'G=localhost:4566/g'],
      { imageRepositories: { F: REPOSITORY, G: 'localhost:4566/g' } },
    ],
    [['--s3-bucket', 'my-bucket'], { s3Bucket: 'my-bucket' }],
    [['--s3-bucket', ''], { s3Bucket: undefined }],
    [['--resolve-s3'], { s3Bucket: undefined }],
    [['--s3-prefix', '/a/b/'], { s3Prefix: 'a/b' }],
    [['--kms-key-id', 'k'], { kmsKeyId: 'k' }],
    [['--role-arn', role], { roleArn: role }],
    [
      ['--parameter-overrides', 'A=1', 'B=2', '--parameter-overrides', 'C='],
      { parameterOverrides: { A: '1', B: '2', C: '' } },
    ],
    [['--beta-features'], {}],
    [['--no-beta-features'], {}],
    [['--debug'], { debug: true }],
    [['--profile', 'dev'], { profile: 'dev' }],
    [['--region', 'eu-west-1'], { region: 'eu-west-1' }],
    [['--metadata', 'a=1,b=2'], { metadata: { a: '1', b: '2' } }],
    [['--notification-arns', topic, `${topic}2`], { notificationArns: [topic, `${topic}2`] }],
    [['--tags', 'a=1', 'b=x y'], { tags: { a: '1', b: 'x y' } }],
    [['--tags', ''], { tags: {} }],
    [
      ['--capabilities', 'CAPABILITY_IAM CAPABILITY_AUTO_EXPAND'],
      { capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'] },
    ],
    [
      ['--capabilities', 'CAPABILITY_IAM,CAPABILITY_AUTO_EXPAND'],
      { capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'] },
    ],
    [['--capabilities', ''], { capabilities: [] }],
    [['--language-extensions'], { languageExtensions: true }],
    [['--no-language-extensions'], { languageExtensions: false }],
    [['--config-env', 'default'], {}],
    [['--yes'], { yes: true }],
    [['-y'], { yes: true }],
    [['--output', 'json'], { output: 'json' }],
    [['--local'], { local: true }],
  ])('%j', async (args, expected) => {
    const { options } = await resolve({ args: ['--stack-name', 'app', ...args] });
    expect(options).toMatchObject(expected);
  });

  it('--template-file, --base-dir, --container-env-var-file: relative to the current folder', async () => {
    const files = { 'sub/t.yaml': TEMPLATE, 'sub/env.json': '{}' };
    const args = ['--stack-name', 'a', '-t', 't.yaml', '-s', '../src', '-u', '-ef', 'env.json'];
    const { options, folder } = await resolve({ args, files, cwd: 'sub' });
    expect(options.templateFile).toBe(path.join(folder, 'sub/t.yaml'));
    expect(options.baseDir).toBe(path.join(folder, 'src'));
    expect(options.containerEnvVarFile).toBe(path.join(folder, 'sub/env.json'));
    expect(options.projectDir).toBe(path.join(folder, 'sub'));
  });

  it('--config-file and --config-env', async () => {
    const files = { 'conf/x.yaml': 'prod:\n  sync:\n    parameters:\n      stack_name: p\n' };
    const { options } = await resolve({ args: ['--config-file', 'conf/x.yaml', '--config-env', 'prod'], files });
    expect(options.stackName).toBe('p');
  });
});

describe('each option once wrong', () => {
  it.each<[string[], string, exitCode?: number]>([
    [['--stack-name', '1app'], '--stack-name: `1app` is not a valid stack name'],
    [['--stack-name', 'a'.repeat(129)], '--stack-name'],
    [['--stack-name', 'arn:aws:cloudformation:eu-west-1:1:stack/app/uuid'], '--stack-name'],
    [['--stack-name', ''], "Missing option '--stack-name'"],
    [['-t', 'nope.yaml'], 'nope.yaml', 2],
    [['-t', '.'], 'is a folder, not a template', 2],
    [['--code=1'], '--code takes no value'],
    [['--watch=1'], '--watch takes no value'],
    [['--resource-id', 'A'], '--resource-id needs --code or --watch'],
    [['--code', '--resource-id', 'A,B'], '--resource-id: `A,B` is not a valid resource ID'],
    [['--resource', 'AWS::Serverless::Api'], '--resource needs --code or --watch'],
    [['--code', '--resource', 'AWS::Serverless::Funcion'], '--resource: `AWS::Serverless::Funcion` is not one of'],
    [['--dependency-layer=no'], '--dependency-layer takes no value'],
    [['--skip-deploy-sync=no'], '--skip-deploy-sync takes no value'],
    [['--express=no'], '--express takes no value'],
    [['--container-env-var-file', 'x.json'], '--container-env-var-file needs --use-container'],
    [['-u', '-ef', 'x.json'], 'x.json does not exist', 2],
    [['--watch-exclude', 'F'], '--watch-exclude: `F` does not have the form'],
    [['--watch-exclude', '=x'], '--watch-exclude: `=x` does not have the form'],
    [['--base-dir', 'template.yaml'], '--base-dir'],
    [['--use-container=1'], '--use-container takes no value'],
    [['--build-in-source', '--use-container'], '--build-in-source and --use-container cannot be combined'],
    [['--dry-run', '--watch'], '--dry-run and --watch cannot be combined'],
    [['--build-cache', 'bucket'], '--build-cache: `bucket` is not a place for a build cache'],
    [['--build-cache', 's3://B!/x'], '--build-cache: `s3://B!/x` is not a place for a build cache'],
    [['--build-cache', 'file:'], '--build-cache: `file:` is not a place for a build cache'],
    [['--build-cache-write'], '--build-cache-write needs --build-cache'],
    [['--build-cache-accept', 'all'], '--build-cache-accept: `all` is not one of any, same-platform, same-tools'],
    [['--build-image', 'img'], '--build-image needs --use-container'],
    [['-u', '--build-image', 'F='], '--build-image: `F=` does not have the form'],
    [['--image-repository', 'x'], '--image-repository: `x` is not a valid image repository URI'],
    [['--image-repository', `${REPOSITORY}:tag`], '--image-repository'],
    [['--image-repository', 'public.ecr.aws/a/b'], '--image-repository'],
    [['--image-repositories', REPOSITORY], '--image-repositories'],
    [['--image-repositories', 'F=x'], '--image-repositories, F: `x` is not a valid image repository URI'],
    [['--image-repository', REPOSITORY, '--image-repositories', `F=${REPOSITORY}`], 'cannot be combined'],
    [['--s3-bucket', 's3://b/x'], '--s3-bucket: `s3://b/x` is not a valid bucket name'],
    [['--s3-bucket', 'bucket', '--resolve-s3'], '--s3-bucket and --resolve-s3 cannot be combined'],
    [['--s3-prefix'], '--s3-prefix needs a value'],
    [['--kms-key-id'], '--kms-key-id needs a value'],
    [['--role-arn', 'role'], '--role-arn: `role` is not an ARN'],
    [['--parameter-overrides', 'A'], '--parameter-overrides: `A` does not have the form'],
    [['--parameter-overrides', 'file://nope.yaml'], 'nope.yaml does not exist'],
    [['--parameter-overrides', 'file://x.txt'], 'x.txt is not a parameter file'],
    [['--beta-features=1'], '--beta-features takes no value'],
    [['--debug=1'], '--debug takes no value'],
    [['--profile'], '--profile needs a value'],
    [['--region', 'eu west'], '--region: `eu west` is not a valid Region name'],
    [['--metadata', 'a'], '--metadata: `a` does not have the form'],
    [['--notification-arns', 'topic'], '--notification-arns: `topic` is not an ARN'],
    [['--tags', 'a'], '--tags: `a` does not have the form'],
    [['--tags', 'a='], '--tags: the tag a has no value'],
    [['--tags', 'AWS:a=1'], '--tags: the tag AWS:a begins with aws:, which is reserved'],
    [['--tags', `${'k'.repeat(129)}=1`], 'is longer than 128 characters'],
    [['--tags', `k=${'v'.repeat(257)}`], '--tags: the tag k has a value of more than 256 characters'],
    [['--tags', ...Array.from({ length: 51 }, (_, n) => `k${n}=v`)], '--tags: a stack takes at most 50 tags, not 51'],
    [['--capabilities', 'CAPABILITY_IM'], '--capabilities: `CAPABILITY_IM` is not one of'],
    [['--language-extensions=1'], '--language-extensions takes no value'],
    [['--config-file', 'nope.toml'], 'nope.toml does not exist', 2],
    [['--config-file', 'template.txt'], '--config-file: template.txt is not a configuration file', 2],
    [['--config-env'], '--config-env needs a value'],
    [['--save-params=1'], '--save-params takes no value'],
    [['--yes=1'], '--yes takes no value'],
    [['--output', 'yaml'], '--output: `yaml` is not one of text, json'],
    [['--local=1'], '--local takes no value'],
  ])('%j', async (args, message, exitCode = 2) => {
    const error = await errorOf({ args: args.includes('--stack-name') ? args : ['--stack-name', 'app', ...args] });
    expect(error.message).toContain(message);
    expect(error.exitCode).toBe(exitCode);
  });

  it('suggests what was probably meant', async () => {
    const error = await errorOf({ args: ['--stack-name', 'a', '--code', '--resource', 'AWS::Serverless::Funcion'] });
    expect(error.hint).toBe('Did you mean AWS::Serverless::Function?');
    const arn = await errorOf({ args: ['--stack-name', 'arn:aws:cloudformation:eu-west-1:1:stack/app/uuid'] });
    expect(arn.hint).toContain('the name is app');
  });

  it('shows all problems together', async () => {
    const error = await errorOf({ args: ['--stak-name', 'x', '--region', 'a b', '--role-arn', 'x'] });
    expect(error.message.split('\n')).toEqual([
      'No such option: --stak-name (Did you mean --stack-name?)',
      expect.stringContaining('--region'),
      expect.stringContaining('--role-arn'),
    ]);
    expect(error.exitCode).toBe(2);
  });

  it('names file, section and key of a wrong value in a samconfig', async () => {
    const error = await errorOf({
      files: config('express = "maybe"\nresource = ["x"]\ns3_prefix = ["a"]\ns3_bucket = true'),
    });
    for (const key of ['express', 'resource', 's3_prefix', 's3_bucket'])
      expect(error.message).toContain(`samconfig.toml, [default.sync.parameters] ${key}`);
    expect(error.exitCode).toBe(2);
  });
});

const base = (run: Outcome): string => path.basename(run.options.templateFile);

describe('precedence', () => {
  it('command line, variable, samconfig, default', async () => {
    const files = {
      ...config('template_file = "c.yaml"\nlanguage_extensions = true\ndebug = true'),
      'c.yaml': TEMPLATE,
      'v.yaml': TEMPLATE,
    };
    const args = ['--stack-name', 'a'];
    expect(base(await resolve({ args }))).toBe('template.yaml');
    expect(base(await resolve({ args, files }))).toBe('c.yaml');
    const env = { SAM_TEMPLATE_FILE: 'v.yaml', SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS: '0', SAM_DEBUG: 'false' };
    const run = await resolve({ args, files, env });
    expect(base(run)).toBe('v.yaml');
    expect(run.options).toMatchObject({ languageExtensions: false, debug: false });
    expect(base(await resolve({ args: [...args, '-t', 'template.yaml'], files, env }))).toBe('template.yaml');
  });

  it('an empty variable is none, a wrong one is named', async () => {
    expect((await resolve({ env: { SAM_TEMPLATE_FILE: '', SAM_DEBUG: '' } })).options.debug).toBe(false);
    expect((await errorOf({ env: { SAM_DEBUG: 'maybe' } })).message).toContain('SAM_DEBUG must be true or false');
  });

  it('the Region: command line, samconfig, AWS_REGION, AWS_DEFAULT_REGION', async () => {
    const files = config('region = "eu-west-2"\nprofile = "p"');
    const env = { AWS_REGION: 'eu-west-3', AWS_DEFAULT_REGION: 'eu-west-4', AWS_PROFILE: 'q' };
    const region = async (given: Given): Promise<string | undefined> => (await resolve(given)).options.region;
    expect(await region({ args: ['--stack-name', 'a', '--region', 'eu-west-1'], files, env })).toBe('eu-west-1');
    expect(await region({ files, env })).toBe('eu-west-2');
    expect(await region({ env })).toBe('eu-west-3');
    expect(await region({ env: { AWS_DEFAULT_REGION: 'eu-west-4' } })).toBe('eu-west-4');
    expect((await resolve({ files, env })).options.profile).toBe('p');
    expect((await resolve({ env })).options.profile).toBeUndefined();
    expect((await errorOf({ env: { AWS_REGION: 'a b' } })).message).toContain('AWS_REGION: `a b`');
  });

  it('--dry-run does not watch, whatever is configured', async () => {
    const { options } = await resolve({ args: ['--stack-name', 'a', '--dry-run'], files: config('watch = true') });
    expect(options).toMatchObject({ dryRun: true, watch: false });
  });

  it('what is typed replaces what is configured', async () => {
    const files = config('parameter_overrides = "A=1 B=2"\ntags = { a = "1" }\nwatch = true\ns3_prefix = "p"');
    const args = [
      '--stack-name',
      'a',
      '--parameter-overrides',
      'A=3',
      '--tags',
      'b=1',
      '--no-watch',
      '--s3-prefix',
      '',
    ];
    const { options } = await resolve({ args, files });
    expect(options).toMatchObject({
      parameterOverrides: { A: '3' },
      tags: { b: '1' },
      watch: false,
      directConfig: true,
      tail: false,
      s3Prefix: undefined,
    });
  });

  it('CI answers questions unless it says no', async () => {
    for (const CI of ['true', '1', 'woodpecker']) expect((await resolve({ env: { CI } })).options.yes).toBe(true);
    for (const CI of ['', '0', 'false']) expect((await resolve({ env: { CI } })).options.yes).toBe(false);
  });
});

const sections = (name: string): string => `[default.sync.parameters]\nstack_name = "${name}"\n`;
const yaml = (name: string): string => `default: {sync: {parameters: {stack_name: ${name}}}}\n`;
const stack = async (given: Given): Promise<string> => (await resolve(given)).options.stackName;

describe('which samconfig', () => {
  const files = { 'sub/t.yaml': TEMPLATE };

  it('toml before yaml before yml before json; others are mentioned', async () => {
    const json = JSON.stringify({ default: { sync: { parameters: { stack_name: 'json' } } } });
    const all = {
      'samconfig.json': json,
      'samconfig.yml': yaml('yml'),
      'samconfig.yaml': yaml('yaml'),
      'samconfig.toml': sections('toml'),
    };
    const names = Object.keys(all).reverse() as (keyof typeof all)[];
    for (const [index, name] of names.entries()) {
      const some = Object.fromEntries(names.slice(index).map((it) => [it, all[it]]));
      const run = await resolve({ args: [], files: some });
      expect(run.options.stackName).toBe(path.extname(name).slice(1));
      expect(shown(run)).toEqual(index === 3 ? [] : [expect.stringContaining(`Using ${name} and ignoring`)]);
    }
  });

  it('defect 27: beside the template however it was named', async () => {
    const both = { ...files, 'sub/samconfig.toml': sections('sub'), 'samconfig.toml': sections('root') };
    expect(await stack({ args: ['-t', 'sub/t.yaml'], files: both })).toBe('sub');
    expect(await stack({ args: [], files: both, env: { SAM_TEMPLATE_FILE: 'sub/t.yaml' } })).toBe('sub');
    expect(await stack({ args: [], files: both })).toBe('root');
  });

  it('else in the current folder, which is said', async () => {
    const root = { ...files, 'samconfig.toml': sections('root') };
    const run = await resolve({ args: ['-t', 'sub/t.yaml'], files: root });
    expect(run.options.stackName).toBe('root');
    expect(shown(run)).toEqual([
      'info: Using samconfig.toml from this folder: the folder of the template has no samconfig',
    ]);
  });

  it('--config-file: beside the template or in the current folder', async () => {
    const args = ['-t', 'sub/t.yaml', '--config-file', 'c.toml'];
    expect(await stack({ args, files: { ...files, 'sub/c.toml': sections('sub'), 'c.toml': sections('root') } })).toBe(
      'sub',
    );
    expect(await stack({ args, files: { ...files, 'c.toml': sections('root') } })).toBe('root');
    const missing = ['--stack-name', 'a', '--config-file', 'samconfig.toml'];
    expect(await stack({ args: missing })).toBe('a');
  });

  it('paths in it are below the current folder or beside it', async () => {
    const given = {
      args: ['--config-file', 'conf/x.toml'],
      files: {
        'conf/x.toml': `${sections('a')}template_file = "t.yaml"\nparameter_overrides = "file://p.yaml"\n`,
        'conf/p.yaml': 'A: conf\n',
      },
    };
    const besides = await resolve({ ...given, files: { ...given.files, 'conf/t.yaml': TEMPLATE } });
    expect(besides.options.templateFile).toBe(path.join(besides.folder, 'conf/t.yaml'));
    expect(besides.options.parameterOverrides).toEqual({ A: 'conf' });
    const below = await resolve({ ...given, files: { ...given.files, 't.yaml': TEMPLATE, 'p.yaml': 'A: cwd\n' } });
    expect(below.options.templateFile).toBe(path.join(below.folder, 't.yaml'));
    expect(below.options.parameterOverrides).toEqual({ A: 'cwd' });
  });
});

describe('which template', () => {
  it('yaml before yml before json', async () => {
    const folder = await tempFolder({ 'template.yml': TEMPLATE, 'template.json': '{}' });
    const run = await resolveOptions(parseCommandLine(['--stack-name', 'a']), { env: {}, cwd: folder });
    expect(run.options.templateFile).toBe(path.join(folder, 'template.yml'));
  });

  it('none: says where and what was looked for', async () => {
    const folder = await tempFolder({ 'cdk.json': '{}' });
    const run = resolveOptions(parseCommandLine(['--stack-name', 'a']), { env: {}, cwd: folder });
    await expect(run).rejects.toMatchObject({
      exitCode: 2,
      message: `No template found: ${folder} has no template.yaml, template.yml or template.json`,
      hint: expect.stringContaining('cdk synth'),
    });
  });
});

describe('how options go together', () => {
  const args = ['--stack-name', 'a'];
  it.each<[string, Given, string[], Partial<SyncOptions>]>([
    [
      'SAM CLI: a container build has no dependency layer',
      { args: [...args, '-u', '--dependency-layer'] },
      ['info: --use-container turns the dependency layer off'],
      { useContainer: true, dependencyLayer: false },
    ],
    ['container, layer off', { args: [...args, '-u', '--no-dependency-layer'] }, [], { dependencyLayer: false }],
    [
      'defect 28: resources of the samconfig without --code',
      { files: config('resource_id = "A"') },
      ['warning: --resource-id in the samconfig has no effect without --code or --watch'],
      { resourceIds: [] },
    ],
    [
      'resources of the samconfig with --watch',
      { args: [...args, '--watch'], files: config('resource_id = "A B"\nresource = ["AWS::Serverless::Api"]') },
      [],
      { resourceIds: ['A', 'B'], resourceTypes: ['AWS::Serverless::Api'] },
    ],
    [
      'bucket and resolve_s3 of the samconfig',
      { files: config('s3_bucket = "bucket"\nresolve_s3 = true') },
      ['warning: The samconfig has both'],
      { s3Bucket: 'bucket' },
    ],
    [
      '--resolve-s3 beats the bucket of the samconfig',
      { args: [...args, '--resolve-s3'], files: config('s3_bucket = "bucket"') },
      ['info: Using the managed bucket'],
      { s3Bucket: undefined },
    ],
    [
      '--s3-bucket beats resolve_s3 of the samconfig',
      { args: [...args, '--s3-bucket', 'bucket'], files: config('resolve_s3 = true') },
      [],
      { s3Bucket: 'bucket' },
    ],
    [
      '--no-resolve-s3 with a bucket',
      { args: [...args, '--s3-bucket', 'bucket', '--no-resolve-s3'] },
      [],
      { s3Bucket: 'bucket' },
    ],
    [
      'peer: an image with use_container of the samconfig',
      { args: [...args, '-bi', 'img'], files: config('use_container = true') },
      ['info: --use-container turns the dependency layer off'],
      { buildImages: { all: 'img', byId: {} } },
    ],
    ['peer: an image of the samconfig without container', { files: config('build_image = ["img"]') }, [], {}],
    [
      'build_in_source of the samconfig in containers',
      { args: [...args, '-u'], files: config('build_in_source = true') },
      ['warning: build_in_source has no effect with --use-container', 'info: --use-container turns'],
      { buildInSource: false },
    ],
    [
      '--build-in-source beats use_container',
      { args: [...args, '--build-in-source'], files: config('use_container = true') },
      ['info: Building in the source folder'],
      { buildInSource: true, useContainer: false, dependencyLayer: true },
    ],
    [
      'peer refuses: --build-in-source --no-use-container',
      { args: [...args, '--build-in-source', '--no-use-container'] },
      [],
      { buildInSource: true },
    ],
    [
      '--image-repository beats those of the samconfig',
      { args: [...args, '--image-repository', REPOSITORY], files: config(`image_repositories = ["F=${REPOSITORY}"]`) },
      ['info: Using --image-repository'],
      { imageRepository: REPOSITORY, imageRepositories: {} },
    ],
    [
      '--profile with --local',
      { args: [...args, '--local', '--profile', 'p'] },
      ['warning: --profile has no effect with --local'],
      { profile: undefined },
    ],
  ])('%s', async (_name, given, notices, expected) => {
    const run = await resolve(given);
    expect(shown(run)).toEqual(notices.map((text) => expect.stringContaining(text)));
    expect(run.options).toMatchObject(expected);
  });

  it('secrets are not in what --debug shows', async () => {
    const { notices } = await resolve({
      args: [...args, '--parameter-overrides', 'Password=hunter2', '--s3-prefix', 'p'],
    });
    const text = notices.map((notice) => notice.text).join('\n');
    expect(text).toContain('Option s3Prefix = "p" from --s3-prefix');
    expect(text).toContain('parameterOverrides');
    expect(text).not.toContain('hunter2');
  });
});

describe('parameter files', () => {
  it('include others, later ones win, and text keeps its zeros', async () => {
    const files = {
      'p.yaml': '$include: file://d/q.yaml\nA: [1, 2]\nB: null\nC: true\nE: 012345678901\nF: x y\n',
      'd/q.yaml': '- A: q\n- Z=1 Y=2\n- $include:\n  - file://r.toml\n  - file://s.json\n',
      'd/r.toml': 'R = "r"\nA = "r"\n',
      'd/s.json': '[{"ParameterKey": "S", "ParameterValue": "s"}]',
    };
    const { options } = await resolve({
      args: ['--stack-name', 'a', '--parameter-overrides', 'file://p.yaml', 'F=f'],
      files,
    });
    expect(options.parameterOverrides).toEqual({
      A: '1,2',
      B: '',
      C: 'True',
      E: '012345678901',
      F: 'f',
      R: 'r',
      S: 's',
      Y: '2',
      Z: '1',
    });
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'a loop',
      { 'p.yaml': '$include: file://q.yaml\n', 'q.yaml': '$include: file://p.yaml\n' },
      'parameter files include each other',
    ],
    ['a missing include', { 'p.yaml': '$include: file://q.yaml\n' }, 'p.yaml, does not exist'],
    ['bad YAML', { 'p.yaml': 'A: [\n' }, 'p.yaml:1:4: invalid YAML'],
    ['a table as value', { 'p.yaml': 'G: {a: 1}\n' }, 'p.yaml.G must be a string'],
    ['a wrong word', { 'p.yaml': '- A=1 junk\n' }, 'p.yaml: `junk`'],
  ])('%s is an error that names the file', async (_name, files, message) => {
    const error = await errorOf({ args: ['--stack-name', 'a', '--parameter-overrides', 'file://p.yaml'], files });
    expect(error.message).toContain(message);
  });

  it('a file twice, not in a circle, is fine', async () => {
    const files = { 'p.yaml': '$include: [file://q.yaml, file://q.yaml]\n', 'q.yaml': 'A: 1\n' };
    const { options } = await resolve({ args: ['--stack-name', 'a', '--parameter-overrides', 'file://p.yaml'], files });
    expect(options.parameterOverrides).toEqual({ A: '1' });
  });
});

// as aws-sam-cli 1.170.0 reads these files (it was run)
describe('parity: samconfig values', () => {
  it.each<[string, Partial<SyncOptions>]>([
    ['parameter_overrides = "A=1 B=2"', { parameterOverrides: { A: '1', B: '2' } }],
    [
      'parameter_overrides = {A="1",B=2,C=true,D=[1,2]}',
      { parameterOverrides: { A: '1', B: '2', C: 'True', D: '1,2' } },
    ],
    ['parameter_overrides = [{A="1"},{B=2}]', { parameterOverrides: { A: '1', B: '2' } }],
    ['parameter_overrides = "A=\\"x y\\" B=2"', { parameterOverrides: { A: 'x y', B: '2' } }],
    ['parameter_overrides = ""', { parameterOverrides: {} }],
    ['parameter_overrides = []', { parameterOverrides: {} }],
    [
      'parameter_overrides = {A = 1.5, B = 2024-01-01, C = 1_000, D = 1e3, E = 07:32:00, F = 0x1F}',
      { parameterOverrides: { A: '1.5', B: '2024-01-01', C: '1000', D: '1000.0', E: '07:32:00', F: '31' } },
    ],
    ['tags = "a=1 b=2"', { tags: { a: '1', b: '2' } }],
    ['tags = "a=\\"x y\\" b=2"', { tags: { a: 'x y', b: '2' } }],
    ['tags = ["a=1","b=x y"]', { tags: { a: '1', b: 'x y' } }],
    ['tags = ""', { tags: {} }],
    ['metadata = "a=1,b=2"', { metadata: { a: '1', b: '2' } }],
    [
      'capabilities = "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"',
      { capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'] },
    ],
    ['capabilities = ["CAPABILITY_IAM"]', { capabilities: ['CAPABILITY_IAM'] }],
    ['capabilities = []', { capabilities: [] }],
    [
      'notification_arns = "arn:aws:sns:r:1:a arn:aws:sns:r:1:b"',
      { notificationArns: ['arn:aws:sns:r:1:a', 'arn:aws:sns:r:1:b'] },
    ],
    ['notification_arns = []', { notificationArns: [] }],
    ['watch_exclude = {F=["a","b"]}', { watchExclude: { F: ['a', 'b'] } }],
    ['watch_exclude = ["F=a","F=b"]', { watchExclude: { F: ['a', 'b'] } }],
    ['watch_exclude = [{F=["a"]}]', { watchExclude: { F: ['a'] } }],
    ['watch_exclude = "F=a"', { watchExclude: { F: ['a'] } }],
    ['watch_exclude = {F="a"}', { watchExclude: { F: ['a'] } }],
    ['build_image = ["i"]', { buildImages: { all: 'i', byId: {} } }],
    ['build_image = "F=i"', { buildImages: { all: undefined, byId: { F: 'i' } } }],
    ['code = true\nresource_id = ["A","B"]', { resourceIds: ['A', 'B'] }],
    ['code = true\nresource = "AWS::Serverless::Api"', { resourceTypes: ['AWS::Serverless::Api'] }],
    ['code = "true"', { code: true }],
    ['code = "yes"', { code: true }],
    ['code = 1', { code: true }],
    ['watch = "off"', { watch: false }],
    ['express = "false"', { express: false }],
    ['dependency_layer = "no"', { dependencyLayer: false }],
    ['language_extensions = true', { languageExtensions: true }],
    ['region = "eu-west-1"', { region: 'eu-west-1' }],
    ['confirm_changeset = true\nresolve_s3 = true', { s3Bucket: undefined }],
  ])('%s', async (line, expected) => {
    expect((await resolve({ files: config(line) })).options).toMatchObject(expected);
  });

  it('a number is a name too', async () => {
    const { options } = await resolve({ files: config('s3_prefix = 5') });
    expect(options.s3Prefix).toBe('5');
  });
});
