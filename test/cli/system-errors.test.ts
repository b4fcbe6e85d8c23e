import { closeSync, openSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliOptions, CliResult } from '../support/run-cli.ts';
import { giveTo, mountSmallDisk, ordinaryUser } from '../support/system-faults.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const STACK = ['--stack-name', 'system-errors', '--yes'];
const LONG = 'n'.repeat(300);
const template = (codeUri = 'hello', runtime = 'python3.11'): string => `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: ${runtime}, CodeUri: ${codeUri}, Handler: app.handler}
`;
const nested = (url: string): string =>
  `Resources:\n  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ${url}}}\n`;

interface Case {
  /** Files that are added or replaced. */
  files?: Record<string, string>;
  /** Link → where it leads. */
  links?: Record<string, string>;
  /** Folders that are made, in place of files too. */
  folders?: readonly string[];
  args?: readonly string[];
  says: RegExp;
}

/** What stops a run wherever it is met: each with `--code` too. */
const STOPS: Record<string, Case> = {
  '.aws-sam is a file': { files: { '.aws-sam': '' }, says: /Cannot create .*\/\.aws-sam is a file, not a folder/ },
  '.aws-sam is a loop of links': {
    links: { '.aws-sam': '.aws-sam' },
    says: /\.aws-sam.*form a loop/,
  },
  'the store is a file': { files: { '.aws-sam/sam-sync': '' }, says: /\/sam-sync is a file, not a folder/ },
  'a folder of the store is a file': {
    files: { '.aws-sam/sam-sync/tmp': '' },
    says: /\/sam-sync\/tmp is a file, not a folder/,
  },
  'the template is a folder': { folders: ['template.yaml'], says: /Cannot read .*template\.yaml: it is a folder/ },
  'the template is a loop of links': {
    links: { 'template.yaml': 'template.yaml' },
    says: /Cannot access .*template\.yaml: its symbolic links form a loop/,
  },
  'the samconfig is a loop of links': {
    links: { 'samconfig.toml': 'samconfig.toml' },
    says: /Cannot access .*samconfig\.toml: its symbolic links form a loop/,
  },
  'a template name that is too long': { args: ['-t', LONG], says: /Cannot access .*nnn: the name is too long/ },
  'a base folder with a name that is too long': { args: ['-s', LONG], says: /nnn: the name is too long/ },
  'a parameter file with a name that is too long': {
    args: ['--parameter-overrides', `file://${LONG}`],
    says: /nnn: the name is too long/,
  },
  'a CodeUri that is too long': {
    files: { 'template.yaml': template(LONG) },
    says: /template\.yaml:5:39: Hello CodeUri nnn.* cannot be used.*the name is too long/,
  },
  'a CodeUri that is a loop of links': {
    files: { 'template.yaml': template('loop') },
    links: { loop: 'loop' },
    says: /template\.yaml:5:39: Hello CodeUri loop cannot be used.*form a loop/,
  },
  'a NUL character in a CodeUri': {
    files: { 'template.yaml': template(String.raw`"hel\0lo"`) },
    says: /template\.yaml:5:39: Hello CodeUri "hel\\u0000lo" cannot be used.*NUL character/,
  },
  'a NUL character in the samconfig': {
    files: { 'samconfig.toml': 'version = 0.1\n[default.sync.parameters]\nbase_dir = "a\\u0000b"\n' },
    says: /A path contains a NUL character: .*a\\x00b/,
  },
  'a file URL that is none': {
    files: { 'template.yaml': template('file:///%zz') },
    says: /template\.yaml:5:39: Hello CodeUri file:\/\/\/%zz is not a valid file URL/,
  },
  'a file URL of a nested template that is none': {
    files: { 'template.yaml': nested('file:///%zz') },
    says: /template\.yaml:2:\d+: Child TemplateURL file:\/\/\/%zz is not a valid file URL/,
  },
  'a NUL character in the name of a nested template': {
    files: { 'template.yaml': nested(String.raw`"a\0b.yaml"`) },
    says: /template\.yaml:2:\d+: Child TemplateURL "a\\u0000b\.yaml" cannot be used.*NUL character/,
  },
  'requirements.txt is a folder': {
    folders: ['hello/requirements.txt'],
    says: /Cannot read .*requirements\.txt: it is a folder/,
  },
  'requirements.txt is a loop of links': {
    links: { 'hello/requirements.txt': 'requirements.txt' },
    says: /Cannot open .*requirements\.txt: its symbolic links form a loop/,
  },
  'package.json is a folder': {
    files: { 'template.yaml': template('hello', 'nodejs22.x') },
    folders: ['hello/package.json'],
    says: /Cannot read .*package\.json: it is a folder/,
  },
};

/** What is met only where everything is packaged. */
const STOPS_PLAIN: Record<string, Case> = {
  'the layout is a file': {
    files: { '.aws-sam/auto-dependency-layer': '' },
    says: /\/auto-dependency-layer is a file, not a folder/,
  },
  'a built template is a folder': {
    folders: ['.aws-sam/auto-dependency-layer/template.yaml'],
    says: /Cannot read .*template\.yaml: it is a folder/,
  },
  'a container variables file is a folder': {
    folders: ['variables'],
    args: ['--use-container', '-ef', 'variables'],
    says: /Cannot read .*variables: it is a folder/,
  },
};

describe('what the operating system refuses is said in a sentence', () => {
  let cloud: TestCloud;
  beforeAll(async () => {
    cloud = await startTestCloud();
    const dir = await newApp();
    const { code, stderr } = await run(dir, []);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => cloud?.stop());

  const newApp = (): Promise<string> =>
    tempFolder({ 'template.yaml': template(), 'hello/app.py': 'def handler(event, context):\n    return 1\n' });
  const run = (cwd: string, args: readonly string[], how: Partial<CliOptions> = {}): Promise<CliResult> =>
    runCli([...STACK, ...args], { cwd, ...how, env: { ...cloud.env, ...how.env } });
  const expectSentence = ({ code, stderr }: CliResult, says: RegExp, exitCode = 1): void => {
    expect(code, stderr).toBe(exitCode);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/defect|^ +at |Error: [A-Z]+:/m);
  };

  const tables = [
    ...Object.entries(STOPS).flatMap(([name, about]) => [
      { name, mode: 'plain', about },
      { name, mode: '--code', about },
    ]),
    ...Object.entries(STOPS_PLAIN).map(([name, about]) => ({ name, mode: 'plain', about })),
  ];
  it.each(tables)('$name: $mode', async ({ mode, about }) => {
    const dir = await newApp();
    for (const name of [...(about.folders ?? []), ...Object.keys(about.links ?? {})])
      await fs.rm(path.join(dir, name), { force: true });
    for (const name of about.folders ?? []) await fs.mkdir(path.join(dir, name), { recursive: true });
    for (const [name, target] of Object.entries(about.links ?? {})) await fs.symlink(target, path.join(dir, name));
    await writeFiles(dir, about.files ?? {});
    expectSentence(await run(dir, [...(mode === 'plain' ? [] : [mode]), ...(about.args ?? [])]), about.says);
  });

  it('as JSON too', async () => {
    const dir = await newApp();
    const { stdout } = await run(dir, ['--output', 'json', '-s', LONG]);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('the name is too long'), hint: expect.stringContaining('Shorten') },
    });
  });

  it('state that cannot be written is no failure: the next run asks the services', async () => {
    const dir = await newApp();
    await writeFiles(dir, { '.aws-sam/sam-sync/stacks': '' });
    for (const args of [[], ['--code']]) {
      const { code, stderr } = await run(dir, args);
      expect(code, stderr).toBe(0);
    }
  });

  const user = ordinaryUser();
  describe.skipIf(user === undefined)('no permission', () => {
    it.each<[string, readonly string[], RegExp]>([
      ['to write the project', ['.'], /Cannot .*permission denied/],
      ['to read the template', ['template.yaml'], /Cannot open .*template\.yaml: permission denied/],
      ['to read the samconfig', ['samconfig.toml'], /Cannot open .*samconfig\.toml: permission denied/],
      ['to look into the code folder', ['hello'], /Hello: Cannot .*\/hello.*: permission denied/],
      ['to read a file of the code', ['hello/app.py'], /Hello: Cannot open .*app\.py: permission denied/],
      ['to look into a package of the code', ['hello/package'], /Hello: Cannot list .*package: permission denied/],
    ])('%s', async (_what, denied, says) => {
      const dir = await newApp();
      await writeFiles(dir, { 'samconfig.toml': 'version = 0.1\n', 'hello/package/x.py': '' });
      await giveTo(user ?? { uid: undefined }, dir, denied);
      // absolute: the folder itself may be denied
      const result = await run('/', ['-t', path.join(dir, 'template.yaml')], { uid: user?.uid, env: { HOME: dir } });
      expectSentence(result, says);
    });

    it('to look into HOME is no failure', async () => {
      const dir = await newApp();
      await fs.mkdir(path.join(dir, 'home'));
      await giveTo(user ?? { uid: undefined }, dir, ['home']);
      const { code, stderr } = await run(dir, [], { uid: user?.uid, env: { HOME: path.join(dir, 'home') } });
      expect(code, stderr).toBe(0);
    });
  });

  it.each(['/proc', '/dev/null', '/dev/null/home', ''])('HOME=%s is no failure, and the command ends', async (HOME) => {
    const dir = await newApp();
    const { code, stderr } = await run(dir, [], { env: { HOME, XDG_CACHE_HOME: '' } });
    expect(code, stderr).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('a project in /proc, where nothing can be made', async () => {
    const dir = await newApp();
    const result = await run('/proc', ['-t', path.join(dir, 'template.yaml')]);
    expectSentence(result, /Cannot create the folder \/proc\/\.aws-sam: folders cannot be created there/);
  });

  it('a disk that is full', async (context) => {
    const dir = await newApp();
    const disk = path.join(dir, 'disk');
    await fs.mkdir(disk);
    if (!mountSmallDisk(disk, '300k')) return context.skip();
    await writeFiles(disk, { 'template.yaml': template(), 'hello/app.py': '#'.repeat(200_000) });
    for (const args of [[], ['--code']])
      expectSentence(await run(disk, args), /Cannot copy .* to .*: no space left on the disk \(ENOSPC\)/);
  });

  it('too many open files, from the first one on', async () => {
    const dir = await newApp();
    await writeFiles(dir, Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`hello/f${at}.py`, `x = ${at}`])));
    const codes = new Set<number | null>();
    for (const limit of [18, 19, 20, 21, 22, 24, 26]) {
      const result = await run(dir, ['--dry-run'], { shell: `ulimit -n ${limit}` });
      codes.add(result.code);
      // what a code sync cannot read is left to a deployment, whose reason it then is; or the files were enough
      if (result.code === 0)
        expect(result.stderr).toMatch(
          /too many open files.*\n.*would be updated|^(Built .*\n)?Hello would be synced: code\n/,
        );
      else expectSentence(result, /too many open files/);
    }
    expect(codes).toContain(1);
  });

  it('too many open files for a program that a library starts', async () => {
    const esbuild = template().replace('Properties:', 'Metadata: {BuildMethod: esbuild}\n    Properties:');
    const dir = await tempFolder({
      'template.yaml': esbuild.replace('python3.11', 'nodejs22.x'),
      'hello/app.ts': 'export const handler = async () => 1;\n',
    });
    const seen: (number | null)[] = [];
    for (const limit of [22, 23, 24, 25, 26, 27, 28]) {
      const { code, stderr } = await run(dir, ['--dry-run'], { shell: `ulimit -n ${limit}` });
      if (code !== 0) expect(stderr).toMatch(/too many open files/);
      expect(stderr).not.toMatch(/defect|^ +at /m);
      seen.push(code);
    }
    expect(seen).toContain(1);
  });

  it('a current folder that was removed', async () => {
    const dir = await newApp();
    const shell = `cd '${dir}' && rm -r '${dir}'`;
    expectSentence(await run('/', [], { shell }), /Cannot use the current folder: it was removed/);
    await fs.mkdir(dir);
    expect(await run('/', ['--help'], { shell })).toMatchObject({ code: 0 });
  });

  describe.skipIf(process.platform !== 'linux')('output to a full disk', () => {
    const withFull = async <T>(work: (full: number) => Promise<T>): Promise<T> => {
      const full = openSync('/dev/full', 'w');
      return work(full).finally(() => closeSync(full));
    };

    it.each([['--output', 'json'], ['--code', '--output', 'json'], ['--help'], ['--version']])(
      'standard output: %s %s %s',
      async (...args) => {
        const dir = await newApp();
        const result = await withFull((stdout) => run(dir, args, { stdout }));
        expectSentence(result, /Some output was lost: could not write to standard output: no space left/);
      },
    );

    it('standard error: the sync goes on to its end, exit code 1', async () => {
      const dir = await newApp();
      const { code, stdout } = await withFull((stderr) => run(dir, ['--output', 'json'], { stderr }));
      expect([code, (JSON.parse(stdout) as { status: string }).status]).toEqual([1, 'unchanged']);
    });
  });

  it.each([[['--debug']], [['--output', 'json']]])('output that nothing reads is no failure: %s', async (args) => {
    const dir = await newApp();
    const { code, signal } = await run(dir, args, {
      onStart: ({ stdout, stderr }) => {
        stdout?.destroy();
        stderr?.destroy();
      },
    });
    expect([code, signal]).toEqual([0, null]);
  });
});
