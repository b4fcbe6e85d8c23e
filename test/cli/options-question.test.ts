import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TEMPLATE = 'Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n';
const QUESTION = 'a development stack? [Y/n]';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.stop());

describe('the development-stack question, with real input', () => {
  it('`n` exits 0 and does nothing; no answer exits 1 and names --yes; `y` is remembered', async () => {
    const cwd = await tempFolder({ 'template.yaml': TEMPLATE });
    const env = { ...cloud.env, __SAM_CLI_APP_DIR: path.join(cwd, 'home') };
    const args = ['--stack-name', 'question', '--region', 'eu-west-1'];

    const no = await runCli(args, { cwd, env, input: 'n\n' });
    expect(no.code).toBe(0);
    expect(no.stderr).toContain(`Is question in account 000000000000, eu-west-1, ${QUESTION} n`);

    const ended = await runCli(args, { cwd, env });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('--yes');
    await expect(fs.access(path.join(cwd, 'home', 'metadata.json'))).rejects.toThrow('ENOENT');

    // as `yes | sam sync …` does
    const yes = await runCli(args, { cwd, env, input: 'y\n'.repeat(10_000) });
    expect(yes).toMatchObject({ code: 0 });
    expect(yes.stderr).toContain(QUESTION);

    const again = await runCli(args, { cwd, env });
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).not.toContain(QUESTION);
  });

  it('defect 28: --yes and CI answer it', async () => {
    const cwd = await tempFolder({ 'template.yaml': TEMPLATE });
    const env = { ...cloud.env, __SAM_CLI_APP_DIR: path.join(cwd, 'home') };
    for (const [args, variables] of [
      [['--yes'], {}],
      [[], { CI: 'true' }],
    ] as const) {
      const result = await runCli(['--stack-name', 'answered', ...args], { cwd, env: { ...env, ...variables } });
      expect(result).toMatchObject({ code: 0 });
      expect(result.stderr).not.toContain(QUESTION);
    }
  });
});
