import { CreateChangeSetCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TEMPLATE = 'Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n';
const QUESTION = 'Confirm that you are synchronizing a development stack.';

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
    expect(no.stderr).toContain('Sync stack question in account 000000000000, eu-west-1? [Y/n]: n');

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

  it('--yes and CI do not delete a stack that has only a change set to review, nor does a piped y; its name does', async () => {
    const cwd = await tempFolder({ 'template.yaml': TEMPLATE });
    const { cloudformation } = clients(cloud.endpoint);
    const StackName = 'reviewed';
    await cloudformation.send(
      new CreateChangeSetCommand({ StackName, ChangeSetName: 'c', ChangeSetType: 'CREATE', TemplateBody: TEMPLATE }),
    );
    const env = { ...cloud.env, __SAM_CLI_APP_DIR: path.join(cwd, 'home') };
    const status = async () =>
      (await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus;
    for (const [args, variables] of [
      [['--yes'], {}],
      [[], { CI: 'true' }],
    ] as const) {
      const result = await runCli(['--stack-name', StackName, ...args], { cwd, env: { ...env, ...variables } });
      expect(result).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr).toContain('only has a change set, which may be under review (REVIEW_IN_PROGRESS');
      expect(result.stderr).toContain(`aws cloudformation delete-stack --stack-name ${StackName} --region us-east-1`);
      expect(await status()).toBe('REVIEW_IN_PROGRESS');
    }
    // JetBrains IDEs write it, to answer whether it is a development stack
    const flooded = await runCli(['--stack-name', StackName], { cwd, env, input: 'Y\n'.repeat(1_000) });
    expect(flooded).toMatchObject({ code: 1, stdout: '' });
    expect(await status()).toBe('REVIEW_IN_PROGRESS');
    const answered = await runCli(['--stack-name', StackName], { cwd, env, input: `${StackName}\n` });
    expect(answered, answered.stderr).toMatchObject({ code: 0 });
    expect(answered.stderr.match(/Delete it and create it again\?/g)).toHaveLength(1);
    expect(await status()).toBe('CREATE_COMPLETE');
  });

  it.skipIf(process.platform === 'win32')(
    'files of the user that are links stay links, with their permissions',
    async () => {
      const cwd = await tempFolder({
        'template.yaml': TEMPLATE,
        'dotfiles/samconfig.toml': '# kept\nversion = 0.1\n',
        'dotfiles/metadata.json': '{"telemetryEnabled": false}',
      });
      await fs.mkdir(path.join(cwd, 'home'));
      const links = {
        'samconfig.toml': 'dotfiles/via.toml',
        'dotfiles/via.toml': 'samconfig.toml',
        'home/metadata.json': '../dotfiles/metadata.json',
      };
      for (const [link, target] of Object.entries(links)) await fs.symlink(target, path.join(cwd, link));
      for (const name of ['samconfig.toml', 'metadata.json']) await fs.chmod(path.join(cwd, 'dotfiles', name), 0o640);
      const env = { ...cloud.env, __SAM_CLI_APP_DIR: path.join(cwd, 'home') };
      const args = ['--stack-name', 'linked', '--save-params'];
      expect(await runCli(args, { cwd, env, input: 'y\n' })).toMatchObject({ code: 0 });

      for (const [link, target] of Object.entries(links))
        expect(await fs.readlink(path.join(cwd, link)), link).toBe(target);
      const dotfile = async (name: string) => {
        const file = path.join(cwd, 'dotfiles', name);
        expect((await fs.stat(file)).mode & 0o777, name).toBe(0o640);
        return fs.readFile(file, 'utf8');
      };
      expect(await dotfile('samconfig.toml')).toMatch(/^# kept\n[^]*stack_name = "linked"/);
      expect(JSON.parse(await dotfile('metadata.json'))).toMatchObject({
        telemetryEnabled: false,
        samSyncDevelopmentStacks: ['000000000000/us-east-1/linked'],
      });
      // a link to a file that is not there yet
      await fs.rm(path.join(cwd, 'dotfiles', 'samconfig.toml'));
      expect(await runCli(args, { cwd, env })).toMatchObject({ code: 0 });
      expect(await fs.readlink(path.join(cwd, 'samconfig.toml'))).toBe('dotfiles/via.toml');
      expect(await fs.readFile(path.join(cwd, 'dotfiles', 'samconfig.toml'), 'utf8')).toContain('"linked"');
    },
  );
});
