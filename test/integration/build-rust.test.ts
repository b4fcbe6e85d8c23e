import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { rustEnv } from '../support/toolchains.ts';

/** Two functions of a workspace, of which one uses a crate beside it. */
const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda }
    Properties: { CodeUri: a, Runtime: provided.al2023, Handler: bootstrap }
  B:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: two } }
    Properties: { CodeUri: b, Runtime: provided.al2, Handler: bootstrap }
`,
  'Cargo.toml':
    '[workspace]\nmembers = ["a", "b", "words"]\nresolver = "2"\n\n[workspace.dependencies]\nwords = { path = "words" }\n',
  'a/Cargo.toml':
    '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\nwords.workspace = true\n',
  'a/src/main.rs': 'fn main() { print!("{}", words::greeting()); }\n',
  'b/Cargo.toml': '[package]\nname = "b"\nversion = "0.1.0"\nedition = "2021"\n',
  'b/src/bin/one.rs': 'fn main() { print!("one"); }\n',
  'b/src/bin/two.rs': 'fn main() { print!("two"); }\n',
  'words/Cargo.toml': '[package]\nname = "words"\nversion = "0.1.0"\nedition = "2021"\n',
  'words/src/lib.rs': 'pub fn greeting() -> &\'static str { "hello" }\n',
};

const env = await rustEnv();

const output = (app: Awaited<ReturnType<typeof buildApp>>, id: string): string =>
  execFileSync(path.join(app.result.folders.get(id)!.path, 'bootstrap'), { encoding: 'utf8' });

describe.skipIf(env === undefined)('rust (cargo and pip are needed)', () => {
  it('builds members of a workspace; what is outside of CodeUri counts, what is not needed does not; failures are told', async () => {
    const dir = await tempFolder(APP);
    const first = await buildApp(dir, { env: env! });
    expect(first.failures).toEqual([]);
    expect([output(first, 'A'), output(first, 'B')]).toEqual(['hello', 'two']);
    expect(first.commands.find((line) => line.includes('--bin=two'))).toContain(
      '--target x86_64-unknown-linux-gnu.2.26',
    );

    expect(await buildApp(dir, { env: env! })).toMatchObject({
      commands: [],
      outcomes: { A: 'unchanged', B: 'unchanged' },
    });
    await writeFiles(dir, { 'words/src/lib.rs': 'pub fn greeting() -> &\'static str { "bye" }\n' });
    const second = await buildApp(dir, { env: env! });
    expect(second.outcomes).toEqual({ A: 'done', B: 'unchanged' });
    expect(output(second, 'A')).toBe('bye');

    await writeFiles(dir, { 'words/src/lib.rs': 'pub fn broken( {}\n' });
    expect((await buildApp(dir, { env: env!, only: new Set(['A']) })).failures).toEqual([
      expect.objectContaining({
        ids: ['A'],
        message: expect.stringContaining('cargo lambda build failed'),
        output: expect.stringContaining('broken'),
      }),
    ]);

    await writeFiles(dir, { 'template.yaml': APP['template.yaml'].replace(', BuildProperties: { Binary: two }', '') });
    expect((await buildApp(dir, { env: env!, only: new Set(['B']) })).failures).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^cargo lambda built (?:one, two|two, one)/),
        hint: expect.stringContaining('Binary'),
      }),
    ]);
    const cargo = execFileSync('sh', ['-c', 'command -v cargo'], { encoding: 'utf8' }).trim();
    const without = toolEnv({ PATH: await pathWith(path.join(dir, 'bin'), { cargo: await fs.realpath(cargo) }) });
    expect((await buildApp(dir, { env: without, only: new Set(['A']) })).failures).toEqual([
      expect.objectContaining({ message: 'cargo-lambda is needed to build A, and it is not on PATH' }),
    ]);
  });
});
