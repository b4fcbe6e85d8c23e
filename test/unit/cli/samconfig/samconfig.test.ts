import { describe, expect, it } from 'vitest';
import { parseConfigText } from '../../../../src/cli/samconfig/parse-config.ts';
import type { ConfigValue } from '../../../../src/cli/samconfig/config-value.ts';
import { samconfigValues } from '../../../../src/cli/samconfig/samconfig.ts';
import { UserError } from '../../../../src/errors.ts';

async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function valuesOf(text: string, file = 'samconfig.toml', environment = 'default') {
  const { entries, warnings } = samconfigValues(await parseConfigText(text, file), environment, file);
  const values: Record<string, ConfigValue> = Object.fromEntries(
    [...entries].map(([key, entry]) => [key, entry.value]),
  );
  return { values, warnings: warnings.map(({ text: warning, hint }) => (hint ? `${warning} | ${hint}` : warning)) };
}

describe('a configuration text', () => {
  it.each<[string, string, ConfigValue]>([
    [
      'a.toml',
      'a = 1\nb = 1.0\nc = 1.5\nd = 2024-01-01\ne = 123456789012345678901\nf = true',
      { a: '1', b: '1.0', c: '1.5', d: '2024-01-01', e: '123456789012345678901', f: true },
    ],
    [
      'a.yaml',
      'a: 012\nb: yes\nc: true\nd: ~\ne: 012345678901\nf: 1.50\ng: 2024-01-01\nh: 12:30',
      { a: '012', b: 'yes', c: true, d: null, e: '012345678901', f: '1.50', g: '2024-01-01', h: '12:30' },
    ],
    ['a.yml', 'x: &x {a: 1}\ny: {<<: *x, b: 2}', { x: { a: '1' }, y: { a: '1', b: '2' } }],
    ['a.yaml', 'a:\n  b: [\nx,\n"y\nz"\n]\n', { a: { b: ['x', 'y z'] } }],
    ['a.json', '{"a": 1, "b": [1.5, true, null]}', { a: '1', b: ['1.5', true, null] }],
    ['a.toml', '', {}],
    ['a.yaml', '# nothing', null],
    ['a.json', '', null],
    ['a.toml', '\uFEFFa = "x"', { a: 'x' }],
  ])('%s: %j', async (file, text, expected) => {
    expect(await parseConfigText(text, file)).toEqual(expected);
  });

  it.each([
    ['a.toml', 'a = 1\nb = \n', 'a.toml:2:5: invalid TOML'],
    ['a.yaml', 'a: 1\na: 2\n', 'a.yaml:2:1: invalid YAML'],
    ['a.yaml', 'a: [\n', 'a.yaml:1:4: invalid YAML'],
    ['a.yaml', 'a: 1\n---\nb: 1', 'a.yaml:2:1: invalid YAML'],
    ['a.json', '{\n  "a": 1,\n  b: 2\n}', 'a.json:3:3: invalid JSON'],
    ['a.json', '{"a": 1', 'a.json:1:8: invalid JSON'],
  ])('%s: %j is an error with line and column', async (file, text, message) => {
    expect(await messageOf(() => parseConfigText(text, file))).toContain(message);
  });
});

describe('a configuration text that is too deep is refused', () => {
  it.each([
    ['a.json', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'a.json:1:301: '],
    ['a.yaml', `a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'a.yaml:1:303: '],
    ['a.toml', `a${'.a'.repeat(10_000)} = 1`, 'a.toml: '],
  ])('%s', async (file, text, place) => {
    const message = await messageOf(() => parseConfigText(text, file));
    expect(message).toBe(`${place}Mappings and lists are nested more than 300 levels deep`);
  });
});

describe('a samconfig', () => {
  it('defect 27: needs no version, and takes any', async () => {
    const section = '[default.sync.parameters]\nstack_name = "a"\n';
    for (const version of ['', 'version = 1\n', 'version = 0.1\n', 'version = "1"\n'])
      expect((await valuesOf(version + section)).values).toEqual({ stackName: 'a' });
  });

  it('puts sync over global and reads one environment', async () => {
    const text = `
[default.global.parameters]
stack_name = "g"
region = "eu-west-1"
[default.sync.parameters]
stack_name = "s"
[default.deploy.parameters]
s3_prefix = "not for us"
[prod.sync.parameters]
stack_name = "p"
`;
    expect((await valuesOf(text)).values).toEqual({ stackName: 's', region: 'eu-west-1' });
    expect((await valuesOf(text, 'samconfig.toml', 'prod')).values).toEqual({ stackName: 'p' });
  });

  it('is YAML or JSON just as well', async () => {
    const yaml = 'default:\n  sync:\n    parameters:\n      stack-name: a\n      template: t.yaml\n      watch:\n';
    expect((await valuesOf(yaml, 'samconfig.yaml')).values).toEqual({ stackName: 'a', templateFile: 't.yaml' });
    const json = JSON.stringify({ default: { sync: { parameters: { stack_name: 'a', tags: { x: 1 } } } } });
    expect((await valuesOf(json, 'samconfig.json')).values).toEqual({ stackName: 'a', tags: { x: '1' } });
  });

  it('warns of keys that nothing reads; other commands read their own in the global section', async () => {
    const text = `[default.global.parameters]
regoin = "x"
cached = true
filter = "x"
[default.sync.parameters]
stak_name = "x"
no_express = true
confirm_changeset = true
`;
    const { values, warnings } = await valuesOf(text);
    expect(values).toEqual({});
    expect(warnings).toEqual([
      'samconfig.toml, [default.global.parameters] regoin is not an option of sync and has no effect | Did you mean region?',
      'samconfig.toml, [default.sync.parameters] stak_name is not an option of sync and has no effect | Did you mean stack_name?',
      'samconfig.toml, [default.sync.parameters] no_express is not an option of sync and has no effect | Did you mean express?',
      'samconfig.toml, [default.sync.parameters] confirm_changeset is an option of other SAM CLI commands, not of sync, and has no effect',
    ]);
  });

  it.each<[name: string, text: string, warnings: string[]]>([
    [
      'no environment',
      '[sync.parameters]\nstack_name = "a"',
      ['samconfig.toml: [sync.parameters] has no effect | Write [default.sync.parameters].'],
    ],
    [
      'no command',
      '[default.parameters]\nstack_name = "a"',
      ['samconfig.toml: [default.parameters] has no effect | Write [default.sync.parameters].'],
    ],
    [
      'no section',
      'stack_name = "a"',
      ['samconfig.toml: stack_name outside any section has no effect | Move it to [default.sync.parameters].'],
    ],
    [
      'only an environment',
      '[default]\nstack_name = "a"',
      ['samconfig.toml: stack_name in [default] has no effect | Move it to [default.sync.parameters].'],
    ],
    [
      'a slip in the command',
      '[default.snyc.parameters]\nstack_name = "a"',
      [
        'samconfig.toml: [default.snyc] has no effect: SAM CLI has no such command | Did you mean [default.sync.parameters]?',
      ],
    ],
    [
      'a slip in parameters',
      '[default.sync.paramters]\nstack_name = "a"',
      ['samconfig.toml: [default.sync.paramters] has no effect | Did you mean [default.sync.parameters]?'],
    ],
    [
      'a slip in the environment',
      '[defualt.sync.parameters]\nstack_name = "a"',
      ['samconfig.toml has no environment `default` | Did you mean [default …] instead of [defualt …]?'],
    ],
    [
      'an unknown key',
      '[default.global.parameters]\ncolour = "red"',
      ['samconfig.toml, [default.global.parameters] colour is not an option of sync and has no effect'],
    ],
    [
      'other commands and environments',
      'version = 0.1\n[default.build.parameters]\ncached = true\n[default.local_start_api.parameters]\nport = 1\n[prod.sync.parameters]\nx = 1',
      [],
    ],
  ])('%s: what has no effect, and what was probably meant', async (_name, text, warnings) => {
    expect((await valuesOf(text)).warnings).toEqual(warnings);
  });

  it('warns of keys outside `parameters` and of an environment that is not there', async () => {
    expect((await valuesOf('[default.sync]\nstack_name = "a"\n')).warnings).toEqual([
      'samconfig.toml: stack_name in [default.sync] has no effect | Move it to [default.sync.parameters].',
    ]);
    expect((await valuesOf('[prod.sync.parameters]\ncode = true\n', 'samconfig.toml', 'prd')).warnings).toEqual([
      'samconfig.toml has no environment `prd` | Did you mean prod?',
    ]);
  });

  it.each([
    ['[default]\nsync = "x"\n', 'samconfig.toml, [default.sync] must be a table, not "x"'],
    ['[default.sync]\nparameters = []\n', 'samconfig.toml, [default.sync.parameters] must be a table, not a list'],
    ['default = 1\n', 'samconfig.toml, [default] must be a table'],
  ])('%j is an error', async (text, message) => {
    expect(await messageOf(() => valuesOf(text))).toContain(message);
  });

  it('must be a table as a whole', async () => {
    expect(await messageOf(() => valuesOf('- a\n', 'samconfig.yaml'))).toContain('samconfig.yaml must be a table');
  });
});
