import * as fc from 'fast-check';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/options/command-line.ts';
import { parseConfigText } from '../../../../src/cli/samconfig/parse-config.ts';
import { editConfig } from '../../../../src/cli/samconfig/edit-config.ts';
import type { TableEdit } from '../../../../src/cli/samconfig/table-edit.ts';
import { resolveOptions } from '../../../../src/cli/options/resolve-options.ts';
import { saveParams } from '../../../../src/cli/samconfig/save-params.ts';
import { tempFolder, writeFiles } from '../../../support/temp-folder.ts';

const TEMPLATE = { 'template.yaml': 'Resources: {}\n' };
const TABLE = ['default', 'sync', 'parameters'];

/** Runs a command line with `--save-params` and gives the messages. */
async function save(cwd: string, args: string[]): Promise<string[]> {
  const run = await resolveOptions(parseCommandLine([...args, '--save-params']), { env: {}, cwd });
  if (!run.save) throw new Error('nothing to save');
  return (await saveParams(run.save)).map(({ text }) => text);
}

async function optionsOf(cwd: string, args: string[] = []) {
  return (await resolveOptions(parseCommandLine(args), { env: {}, cwd })).options;
}

async function read(folder: string, file = 'samconfig.toml'): Promise<string> {
  return fs.readFile(path.join(folder, file), 'utf8');
}

describe('--save-params', () => {
  it('writes what was typed and nothing else; the Region goes where the peer has it', async () => {
    const folder = await tempFolder(TEMPLATE);
    const args = [
      '--stack-name',
      'app',
      '--region',
      'eu-west-1',
      '--no-express',
      '--tags',
      'a=1',
      'b=x y',
      '--yes',
      '--debug',
    ];
    const messages = await save(folder, [...args, '--output', 'json', '--local', '-t', './template.yaml']);
    expect(await read(folder)).toBe(`version = 0.1

[default.global.parameters]
region = "eu-west-1"

[default.sync.parameters]
stack_name = "app"
template_file = "template.yaml"
tags = ["a=1", "b=x y"]
express = false
`);
    expect(messages).toEqual([
      'Saved region, stack_name, template_file, tags, express in samconfig.toml, environment default',
    ]);
  });

  it('defect 27: the next run reads all of it', async () => {
    const folder = await tempFolder({ ...TEMPLATE, 'p.yaml': 'P: from file\n', 'e.json': '{}' });
    const repository = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/r';
    const args = [
      [
        '--stack-name',
        'app',
        '--template',
        'template.yaml',
        '--code',
        '--no-watch',
        '--no-skip-deploy-sync',
        '--no-express',
      ],
      [
        '--resource-id',
        'A',
        '--resource-id',
        'C/B',
        '--resource',
        'AWS::Serverless::Api',
        '--watch-exclude',
        'F=a=b c',
      ],
      [
        '--parameter-overrides',
        'A="x y"',
        'B=',
        'file://p.yaml',
        'C_D-E=1=2',
        'F=\\"q\\"',
        '--capabilities',
        'CAPABILITY_IAM',
      ],
      [
        '--tags',
        'a=b=c',
        'd=e',
        'e="x y"',
        '--metadata',
        '{"k": "v,w", "n": 1}',
        '--notification-arns',
        'arn:aws:sns:r:1:t',
      ],
      ['--role-arn', 'arn:aws:iam::1:role/r', '--s3-bucket', 'bucket', '--s3-prefix', 'p', '--kms-key-id', 'k'],
      [
        '--image-repositories',
        `F=${repository}`,
        '-u',
        '-bi',
        'img',
        '-bi',
        'F=img2',
        '-ef',
        'e.json',
        '--base-dir',
        'src',
      ],
      ['--language-extensions', '--profile', 'dev', '--region', 'eu-west-1'],
    ].flat();
    const typed = await optionsOf(folder, args);
    for (const file of ['samconfig.toml', 'samconfig.yaml', 'samconfig.json']) {
      await save(folder, [...args, '--config-file', file]);
      expect(await optionsOf(folder, ['--config-file', file])).toEqual(typed);
    }
  });

  it('keeps comments, other sections and the order of what is there', async () => {
    const folder = await tempFolder({
      ...TEMPLATE,
      'samconfig.toml': `# ours
version = 0.1

[default.deploy.parameters] # for CI
stack_name = "app" # keep
confirm_changeset = false
[default.sync.parameters]
# the main thing
stack-name = "old"    # really
parameter_overrides = [
  "A=1", # one
]
watch = true

# the end
[prod.sync.parameters]
stack_name = "prod"
`,
    });
    const args = ['--stack-name', 'new', '--parameter-overrides', 'B=2', '--no-watch', '--s3-prefix', 'p'];
    const messages = await save(folder, args);
    expect(await read(folder)).toBe(`# ours
version = 0.1

[default.deploy.parameters] # for CI
stack_name = "app" # keep
confirm_changeset = false
[default.sync.parameters]
# the main thing
parameter_overrides = { B = "2" }
watch = false
stack_name = "new"
s3_prefix = "p"

# the end
[prod.sync.parameters]
stack_name = "prod"
`);
    // two comments stood on what was replaced
    expect(messages[0]).toContain('samconfig.toml.bak');
    expect(await read(folder, 'samconfig.toml.bak')).toContain('# one');
  });

  it('keeps the comments of YAML', async () => {
    const folder = await tempFolder({
      ...TEMPLATE,
      'samconfig.yaml':
        '# ours\nversion: 0.1\ndefault:\n  sync:\n    parameters:\n      # the main thing\n      stack_name: old # really\n      tags: {a: 1}\n',
    });
    await save(folder, ['--stack-name', 'new', '--tags', 'b=012']);
    expect(await read(folder, 'samconfig.yaml')).toBe(
      '# ours\nversion: 0.1\ndefault:\n  sync:\n    parameters:\n      # the main thing\n      stack_name: new # really\n      tags:\n        - "b=012"\n',
    );
  });

  it('writes beside the template, for another environment too', async () => {
    const folder = await tempFolder({
      'sub/t.yaml': 'Resources: {}\n',
      'sub/samconfig.toml': '[default.sync.parameters]\ncode = true\n',
    });
    await save(folder, ['-t', 'sub/t.yaml', '--stack-name', 'p', '--config-env', 'prod']);
    expect(await read(folder, 'sub/samconfig.toml')).toBe(
      'version = 0.1\n[default.sync.parameters]\ncode = true\n\n[prod.sync.parameters]\nstack_name = "p"\ntemplate_file = "t.yaml"\n',
    );
    const again = await optionsOf(path.join(folder, 'sub'), ['--config-env', 'prod']);
    expect(again).toMatchObject({ stackName: 'p', templateFile: path.join(folder, 'sub/t.yaml'), code: false });
  });

  it('a Region of the sync section stays there, or it would hide the new one', async () => {
    const folder = await tempFolder({ ...TEMPLATE, 'samconfig.toml': '[default.sync.parameters]\nregion = "a"\n' });
    await save(folder, ['--stack-name', 'a', '--region', 'b']);
    expect(await optionsOf(folder)).toMatchObject({ region: 'b' });
    expect(await read(folder)).not.toContain('global');
  });

  it('what the typed option replaces does not come back', async () => {
    const folder = await tempFolder({
      ...TEMPLATE,
      'samconfig.toml':
        '[default.global.parameters]\ns3_bucket = "bucket"\n[default.sync.parameters]\nuse_container = true\n',
    });
    await save(folder, ['--stack-name', 'a', '--resolve-s3', '--build-in-source']);
    expect(await optionsOf(folder)).toMatchObject({ s3Bucket: undefined, useContainer: false, buildInSource: true });
  });

  it('what it replaces for all commands is hidden for ours', async () => {
    const global = '[default.global.parameters]\nimage_repositories = ["F=localhost:1/f"]\n';
    const folder = await tempFolder({ ...TEMPLATE, 'samconfig.toml': global });
    await save(folder, ['--stack-name', 'a', '--image-repository', 'localhost:1/all']);
    expect(await optionsOf(folder)).toMatchObject({ imageRepository: 'localhost:1/all', imageRepositories: {} });
    expect(await read(folder)).toContain(global);
  });

  it('writes a file that was named and is not there yet', async () => {
    const folder = await tempFolder(TEMPLATE);
    await save(folder, ['--stack-name', 'a', '--config-file', 'conf/dev.yaml']);
    expect(await read(folder, 'conf/dev.yaml')).toBe(
      'version: 0.1\ndefault:\n  sync:\n    parameters:\n      stack_name: a\n',
    );
  });
});

const edit = (set: TableEdit['set']): TableEdit[] => [{ table: TABLE, set, remove: [] }];

describe('editing a configuration text', () => {
  it.each<[string, string, string]>([
    ['an empty text', '', 'version = 0.1\n\n[default.sync.parameters]\na = "n"\n'],
    [
      'no line end at the end',
      'version = 1\n[default.sync.parameters]\nb = 1',
      'version = 1\n[default.sync.parameters]\nb = 1\na = "n"\n',
    ],
    [
      'a value with a comment',
      'version = 1\n[default.sync.parameters]\na = "#" # c\n',
      'version = 1\n[default.sync.parameters]\na = "n" # c\n',
    ],
    [
      'a long string',
      'version = 1\n[default.sync.parameters]\na = """x\n[y]\n""" # c\nb = 1\n',
      'version = 1\n[default.sync.parameters]\na = "n" # c\nb = 1\n',
    ],
    [
      'a literal string',
      "version = 1\n[default.sync.parameters]\na = '\\'\nb = '''\n'' # no\n'''\n",
      "version = 1\n[default.sync.parameters]\na = \"n\"\nb = '''\n'' # no\n'''\n",
    ],
    [
      'a sub-table',
      'version = 1\n[default.sync.parameters.a]\nx = 1\n[z]\ny = 2\n',
      'version = 1\n[z]\ny = 2\n\n[default.sync.parameters]\na = "n"\n',
    ],
    [
      'quoted keys',
      'version = 1\n["default".sync.\'parameters\']\n"a" = 1\n',
      'version = 1\n["default".sync.\'parameters\']\n"a" = "n"\n',
    ],
    [
      'dotted keys',
      'version = 1\n[default.sync.parameters]\na.b = 1\na.c = 2\nd = 3\n',
      'version = 1\n[default.sync.parameters]\nd = 3\na = "n"\n',
    ],
    [
      'Windows line ends',
      'version = 1\r\n[default.sync.parameters]\r\nb = 1\r\n',
      'version = 1\r\n[default.sync.parameters]\r\nb = 1\r\na = "n"\r\n',
    ],
    [
      'arrays of tables elsewhere',
      'version = 1\n[[x]]\na = 1\n[[x]]\na = 2\n[default.sync.parameters]\n',
      'version = 1\n[[x]]\na = 1\n[[x]]\na = 2\n[default.sync.parameters]\na = "n"\n',
    ],
  ])('%s', async (_name, before, after) => {
    expect(await editConfig(before, edit({ a: 'n' }), 'x.toml')).toEqual({ text: after, lostComments: false });
  });

  const nested = 'version: 1\ndefault:\n  sync:\n    parameters:\n';
  it.each<[string, string, TableEdit['set'], string]>([
    ['an empty text', '', { a: 'new' }, 'version: 0.1\ndefault:\n  sync:\n    parameters:\n      a: new\n'],
    ['only a comment', '# c', { a: 'new' }, '# c\n\nversion: 0.1\ndefault:\n  sync:\n    parameters:\n      a: new\n'],
    ['an empty table', nested, { a: '012' }, `${nested}      a: "012"\n`],
    [
      'a quoted text',
      `${nested}      'a': "x: y" # c\n      b: 1\n`,
      { a: 'yes' },
      `${nested}      'a': "yes" # c\n      b: 1\n`,
    ],
    [
      'a list at the column of its key',
      `${nested}      a:\n      - x\n      - y\n      b: 1\n`,
      { a: ['new', true] },
      `${nested}      a:\n      - new\n      - true\n      b: 1\n`,
    ],
    [
      'a block text',
      `${nested}      a: |\n        x\n\n        y\n\n      # of b\n      b: 1\n`,
      { a: 'new' },
      `${nested}      a: new\n\n      # of b\n      b: 1\n`,
    ],
    [
      'a new key before what follows',
      `${nested}      b: 1 # c\n\n# prod\nprod:\n  sync: {}\n`,
      { a: { 'x y': '1' } },
      `${nested}      b: 1 # c\n      a: {"x y": "1"}\n\n# prod\nprod:\n  sync: {}\n`,
    ],
    [
      'a missing table',
      'version: 1\ndefault:\n    global:\n        parameters:\n            r: 1\nprod: {}\n',
      { a: 'new' },
      'version: 1\ndefault:\n    global:\n        parameters:\n            r: 1\n    sync:\n        parameters:\n            a: new\nprod: {}\n',
    ],
    [
      'a table in flow style',
      'version: 0.1 # v\ndefault: {sync: {parameters: {b: 60}}}\n',
      { a: 'new' },
      'version: 0.1 # v\ndefault: {sync: {parameters: {b: 60, a: new}}}\n',
    ],
    [
      'scalars that other parsers read as numbers, booleans or null stay as they are written',
      `${nested}      b: 012\n      c: 1_000\n      d: 1.10\n      e: yes\n      f:\n      g: ~\n      h: 12:30\n`,
      { a: 'on' },
      `${nested}      b: 012\n      c: 1_000\n      d: 1.10\n      e: yes\n      f:\n      g: ~\n      h: 12:30\n      a: "on"\n`,
    ],
    [
      'Windows line ends',
      'version: 1\r\ndefault:\r\n  sync:\r\n    parameters:\r\n      b: 1 # c\r\n',
      { a: 'new' },
      'version: 1\r\ndefault:\r\n  sync:\r\n    parameters:\r\n      b: 1 # c\r\n      a: new\r\n',
    ],
  ])('YAML: %s', async (_name, before, set, after) => {
    expect(await editConfig(before, edit(set), 'x.yaml')).toEqual({ text: after, lostComments: false });
  });

  it('YAML: a table that another environment shares by an anchor is rewritten, and the other one stays', async () => {
    const before = 'version: 0.1 # v\ndefault: {sync: {parameters: &p {b: 60}}}\nprod: {sync: {parameters: *p}}\n';
    const { text, lostComments } = await editConfig(before, edit({ a: 'new' }), 'x.yaml');
    expect(lostComments).toBe(true);
    expect(text).toMatch(/^version: 0\.1\n/);
    expect(await parseConfigText(text, 'x.yaml')).toEqual({
      version: '0.1',
      default: { sync: { parameters: { a: 'new', b: '60' } } },
      prod: { sync: { parameters: { b: '60' } } },
    });
  });

  it('a layout that cannot be edited is written anew, and lost comments are told', async () => {
    const inline = '# mine\nversion = 1\ndefault = { sync = { parameters = { b = 60 } } }\n';
    const { text, lostComments } = await editConfig(inline, edit({ a: 'n' }), 'x.toml');
    expect(lostComments).toBe(true);
    expect(await parseConfigText(text, 'x.toml')).toEqual({
      version: '1',
      default: { sync: { parameters: { a: 'n', b: '60' } } },
    });
    expect(text).toMatch(/b = 60/);
  });

  it('a key that is null is kept', async () => {
    const { text } = await editConfig('?\n', edit({ a: 'b' }), 'x.yaml');
    expect(await parseConfigText(text, 'x.yaml')).toMatchObject({ default: { sync: { parameters: { a: 'b' } } } });
  });

  it.each(['x.json', 'x.yaml'])('a file %s that holds null counts as empty', async (file) => {
    const { text } = await editConfig('null', edit({ a: 'b' }), file);
    expect(await parseConfigText(text, file)).toEqual({
      version: '0.1',
      default: { sync: { parameters: { a: 'b' } } },
    });
  });

  it('a YAML file whose top level is indented is written anew', async () => {
    const { text } = await editConfig('# mine\n  default:\n    sync: {}\n', edit({ a: 'b' }), 'x.yaml');
    expect(await parseConfigText(text, 'x.yaml')).toEqual({
      version: '0.1',
      default: { sync: { parameters: { a: 'b' } } },
    });
  });

  it('numbers of a JSON file stay numbers', async () => {
    const { text } = await editConfig(
      '{"default": {"local_start_api": {"parameters": {"port": 3000}}}}',
      edit({ a: 'n' }),
      'x.json',
    );
    expect(JSON.parse(text)).toEqual({
      default: { local_start_api: { parameters: { port: 3000 } }, sync: { parameters: { a: 'n' } } },
      version: 0.1,
    });
  });

  it('gives in each format what was asked for, whatever the values are', async () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'binary' }).filter((it) => !/[\ud800-\udfff]/.test(it)),
      fc.boolean(),
    );
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(fc.string(), scalar, { maxKeys: 3, noNullPrototype: true }),
    );
    const key = fc.stringMatching(/^[a-z_]{1,6}$/);
    const table = fc.dictionary(key, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(table, table, fc.constantFrom('x.toml', 'x.yaml', 'x.json'), async (first, second, file) => {
        const once = await editConfig('', edit(first), file);
        const twice = await editConfig(once.text, edit(second), file);
        const document = await parseConfigText(twice.text, file);
        expect(document).toEqual({ version: '0.1', default: { sync: { parameters: { ...first, ...second } } } });
      }),
      { numRuns: 60 },
    );
  });
});

describe('any words, typed once and saved', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-save-'));
    await writeFiles(folder, TEMPLATE);
  });
  afterAll(() => fs.rm(folder, { recursive: true, force: true }));

  it('are the same for the next run', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'B', '1', ' ', '"', "'", '\\', '=', ',', '#', 'é', '-') });
    const pairs = fc.dictionary(fc.stringMatching(/^[A-Z][a-z_:-]{0,4}$/), text, {
      minKeys: 1,
      maxKeys: 3,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(
        pairs,
        pairs,
        pairs,
        fc.constantFrom('s.toml', 's.yaml', 's.json'),
        async (overrides, tags, metadata, file) => {
          const quoted = Object.entries(overrides).map(([key, value]) => `${key}=${value.replace(/[ "'\\]/g, '\\$&')}`);
          const args = ['--stack-name', 'a', '--config-file', file, '--metadata', JSON.stringify(metadata)];
          args.push(
            '--parameter-overrides',
            ...quoted,
            '--tags',
            ...Object.entries(tags).map((pair) => pair.join('=').replaceAll(' ', '_')),
          );
          await fs.rm(path.join(folder, file), { force: true });
          const run = await resolveOptions(parseCommandLine([...args, '--save-params']), {
            env: {},
            cwd: folder,
          }).catch(() => undefined);
          fc.pre(run?.save !== undefined);
          if (run?.save) await saveParams(run.save);
          expect(await optionsOf(folder, ['--config-file', file])).toEqual(run?.options);
        },
      ),
      { numRuns: 60 },
    );
  });
});
