import { describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const template = (properties: string, metadata = 'BuildMethod: go1.x'): string => `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { ${metadata} }
    Properties: { CodeUri: hello, Runtime: provided.al2023, Handler: bootstrap, ${properties} }
`;

/** A program that uses a module beside it, which go.mod replaces, and embeds a file. */
const APP = {
  'template.yaml': template('MemorySize: 128'),
  'hello/go.mod':
    'module example.com/hello\n\ngo 1.21\n\nrequire example.com/words v0.0.0\n\nreplace example.com/words => ../words\n',
  'hello/main.go':
    'package main\n\nimport (\n\t_ "embed"\n\t"os"\n\n\t"example.com/words"\n)\n\n//go:embed data/text.txt\nvar text string\n\nfunc main() { os.Stdout.WriteString(words.Greeting() + text) }\n',
  'hello/data/text.txt': 'embedded',
  'hello/unused/unused.go': 'package unused\n',
  'words/go.mod': 'module example.com/words\n\ngo 1.21\n',
  'words/words.go': 'package words\n\nfunc Greeting() string { return "hello " }\n',
};

const programOf = async (app: Awaited<ReturnType<typeof buildApp>>): Promise<string> =>
  path.join(app.result.folders.get('F')!.path, 'bootstrap');

describe('go', () => {
  it('makes a program of the module and those beside it, and rebuilds it only for what it is made of', async () => {
    const dir = await tempFolder(APP);
    const first = await buildApp(dir);
    expect(first.failures).toEqual([]);
    expect(Object.keys(await first.files('F'))).toEqual(['bootstrap']);
    expect(execFileSync(await programOf(first), { encoding: 'utf8' })).toBe('hello embedded');
    expect(await fs.readdir(path.join(dir, 'hello'))).not.toContain('bootstrap');

    expect(await buildApp(dir)).toMatchObject({ commands: [], outcomes: { F: 'unchanged' } });
    await writeFiles(dir, { 'hello/unused/unused.go': 'package unused // changed\n', 'words/README.md': 'x' });
    expect((await buildApp(dir)).outcomes).toEqual({ F: 'unchanged' });

    // outside of CodeUri
    await writeFiles(dir, { 'words/words.go': 'package words\n\nfunc Greeting() string { return "bye " }\n' });
    expect(execFileSync(await programOf(await buildApp(dir)), { encoding: 'utf8' })).toBe('bye embedded');
    await writeFiles(dir, { 'hello/data/text.txt': 'new text' });
    const last = await buildApp(dir);
    expect(execFileSync(await programOf(last), { encoding: 'utf8' })).toBe('bye new text');
    expect(last.inputs('F').map((input) => path.relative(dir, input.path))).toEqual(
      expect.arrayContaining(['hello', 'words', 'hello/go.mod', 'words/go.mod']),
    );
  });

  it('a handler, which names the program of the old runtime, does not lead out of the artifact', async () => {
    const dir = await tempFolder({
      ...APP,
      'template.yaml': APP['template.yaml'].replace(
        'provided.al2023, Handler: bootstrap',
        'go1.x, Handler: ../../../evil',
      ),
    });
    const { failures } = await buildApp(dir);
    expect(failures.map(({ message }) => message)).toEqual(['its Handler leads out of its folder: "../../../evil"']);
    expect((await fs.readdir(path.join(dir, '.aws-sam'), { recursive: true })).join()).not.toContain('evil');
  });

  it('builds for the architecture, statically, and knows TrimGoPath', async () => {
    const metadata = 'BuildMethod: go1.x, BuildProperties: { TrimGoPath: true }';
    const dir = await tempFolder({
      'template.yaml': template('Architectures: [arm64]', metadata),
      'hello/go.mod': 'module example.com/hello\n\ngo 1.21\n',
      'hello/main.go': 'package main\n\nfunc main() { println("x") }\n',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(app.commands.at(-1)).toMatch(/^go build -trimpath -o .*bootstrap /);
    const program = await fs.readFile(await programOf(app));
    // ELF: machine 183 is AArch64
    expect(program.readUInt16LE(18)).toBe(183);
    expect(program.includes(dir)).toBe(false);
  });

  it('go1.x: the handler names the program and may name its folder; the runtime is deprecated, not refused', async () => {
    const dir = await tempFolder({
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: src, Runtime: go1.x, Handler: tool } }
`,
      'src/go.mod': 'module example.com/src\n\ngo 1.21\n',
      'src/tool/main.go': 'package main\n\nfunc main() {}\n',
    });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('F'))).toEqual(['tool']);
    expect(app.result.notes).toEqual([
      { level: 'warning', ids: ['F'], text: expect.stringContaining('runtime go1.x is deprecated since 2024-01-08') },
    ]);
  });

  it('says what go said, and what is missing', async () => {
    const dir = await tempFolder({ ...APP, 'hello/main.go': 'package main\n\nfunc main() { nothing() }\n' });
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({
        message: 'go build failed: main.go:3:15: undefined: nothing',
        file: 'hello/main.go',
        line: 3,
        column: 15,
        output: expect.stringContaining('nothing'),
      }),
    ]);
    const env = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), {}) });
    expect((await buildApp(dir, { env })).failures).toEqual([
      expect.objectContaining({ message: 'go is needed to build F, and it is not on PATH' }),
    ]);
    await fs.rm(path.join(dir, 'hello/go.mod'));
    expect((await buildApp(dir)).failures).toEqual([
      expect.objectContaining({ message: expect.stringContaining('there is no go.mod in') }),
    ]);
  });
});
