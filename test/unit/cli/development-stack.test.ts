import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createAsker } from '../../../src/cli/ask.ts';
import { confirmDevelopmentStack, isKnownDevelopmentStack, metadataFile } from '../../../src/cli/development-stack.ts';
import { InterruptedError, UserError } from '../../../src/errors.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const STACK = { account: '123456789012', region: 'eu-west-1', stackName: 'app', templateFile: '/app/template.yaml' };

/** An asker on streams of its own; `shown` is what it wrote. */
function askerOn(typed: string | undefined, options: { yes?: boolean; end?: boolean } = {}) {
  const input = new PassThrough();
  const output = new PassThrough();
  const controller = new AbortController();
  if (typed !== undefined) input.write(typed);
  if (options.end !== false) input.end();
  const { signal } = controller;
  const alone = (question: () => Promise<string>): Promise<string> => question();
  const asker = createAsker({ input: () => input, output, yes: options.yes ?? false, signal, alone });
  return { ...asker, input, controller, shown: (): string => String(output.read() ?? '') };
}

describe('a question', () => {
  it.each<[string, boolean, boolean]>([
    ['y\n', false, true],
    ['YES\n', false, true],
    ['n\n', true, false],
    ['No\n', true, false],
    ['\n', true, true],
    ['\n', false, false],
    ['  y  \r\n', false, true],
    ['what\nn\n', true, false],
    ['y', false, true],
  ])('%j, default %j: %j', async (typed, fallback, answer) => {
    const { ask } = askerOn(typed);
    expect(await ask('Really?', { default: fallback })).toBe(answer);
  });

  it('shows the default and asks again after nonsense', async () => {
    const { ask, shown } = askerOn('what\nn\n');
    await ask('Really?', { default: true });
    expect(shown()).toBe('Really? [Y/n]: what\nPlease answer y or n.\nReally? [Y/n]: n\n');
  });

  it('one pipe answers several questions', async () => {
    const { ask } = askerOn('y\nn\ny\n');
    const answers = [];
    for (let index = 0; index < 3; index++) answers.push(await ask('?', { default: true }));
    expect(answers).toEqual([true, false, true]);
  });

  it('end of input without an answer names --yes, exit code 1', async () => {
    const { ask } = askerOn('');
    const error = await ask('?', { default: true }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exitCode: 1, hint: expect.stringContaining('--yes') });
  });

  it('--yes answers unasked', async () => {
    const { ask, shown } = askerOn('n\n', { yes: true });
    expect(await ask('?', { default: false })).toBe(true);
    expect(shown()).toBe('');
  });

  it('Ctrl-C ends the waiting', async () => {
    const { ask, controller } = askerOn(undefined, { end: false });
    const answer = ask('?', { default: true });
    controller.abort(new InterruptedError('Interrupted'));
    await expect(answer).rejects.toThrow('Interrupted');
  });
});

const never = async (): Promise<boolean> => {
  throw new Error('asked');
};
const asked =
  (answer: boolean, questions: string[] = []) =>
  async (question: string) => {
    questions.push(question);
    return answer;
  };

describe('the development-stack question', () => {
  it('is asked once for account, Region and stack, and remembered', async () => {
    const file = path.join(await tempFolder(), 'new', 'metadata.json');
    const questions: string[] = [];
    const options = { yes: false, metadataFile: file };
    expect(await confirmDevelopmentStack(STACK, { ...options, ask: asked(true, questions) })).toBe(true);
    expect(questions[0]).toContain('Sync stack app in account 123456789012, eu-west-1?');
    expect(await confirmDevelopmentStack({ ...STACK, templateFile: '/other.yaml' }, { ...options, ask: never })).toBe(
      true,
    );
    for (const other of [{ account: '2' }, { region: 'eu-west-2' }, { stackName: 'app2' }])
      await expect(confirmDevelopmentStack({ ...STACK, ...other }, { ...options, ask: never })).rejects.toThrow(
        'asked',
      );
  });

  it('that will not be asked is known before the account is: by --yes, or by an answer for Region and stack', async () => {
    const file = path.join(await tempFolder(), 'metadata.json');
    const options = { yes: false, metadataFile: file };
    expect(await isKnownDevelopmentStack(STACK, options)).toBe(false);
    expect(await isKnownDevelopmentStack(STACK, { ...options, yes: true })).toBe(true);
    await confirmDevelopmentStack(STACK, { ...options, ask: asked(true) });
    expect(await isKnownDevelopmentStack(STACK, options)).toBe(true);
    expect(await isKnownDevelopmentStack({ ...STACK, region: undefined }, options)).toBe(false);
    for (const other of [{ region: 'eu-west-2' }, { stackName: 'pp' }])
      expect(await isKnownDevelopmentStack({ ...STACK, ...other }, options)).toBe(false);
    await fs.writeFile(file, JSON.stringify({ samSyncDevelopmentStacks: [1, null] }));
    expect(await isKnownDevelopmentStack(STACK, options)).toBe(false);
  });

  it('`n` is not remembered', async () => {
    const file = path.join(await tempFolder(), 'metadata.json');
    expect(await confirmDevelopmentStack(STACK, { yes: false, metadataFile: file, ask: asked(false) })).toBe(false);
    await expect(fs.access(file)).rejects.toThrow('ENOENT');
  });

  it('defect 28: --yes skips it, and is not remembered', async () => {
    const file = path.join(await tempFolder(), 'metadata.json');
    expect(await confirmDevelopmentStack(STACK, { yes: true, metadataFile: file, ask: never })).toBe(true);
    await expect(fs.access(file)).rejects.toThrow('ENOENT');
  });

  it("counts the peer's answers and keeps all that the peer has in the file", async () => {
    // as aws-sam-cli 1.170.0 writes it
    const checksum = createHash('md5').update('/app/template.yamlapp').digest('hex');
    const theirs = { telemetryEnabled: false, installationId: 'x', accelerateOptInStacks: [checksum] };
    const folder = await tempFolder({ 'metadata.json': JSON.stringify(theirs) });
    const options = { yes: false, metadataFile: path.join(folder, 'metadata.json') };
    expect(await confirmDevelopmentStack(STACK, { ...options, ask: never })).toBe(true);
    await confirmDevelopmentStack({ ...STACK, stackName: 'b' }, { ...options, ask: asked(true) });
    await confirmDevelopmentStack({ ...STACK, stackName: 'c' }, { ...options, ask: asked(true) });
    expect(JSON.parse(await fs.readFile(options.metadataFile, 'utf8'))).toEqual({
      ...theirs,
      samSyncDevelopmentStacks: ['123456789012/eu-west-1/b', '123456789012/eu-west-1/c'],
    });
  });

  it.each(['', '{', '[]', 'null', '{"accelerateOptInStacks": 5, "samSyncDevelopmentStacks": {}}'])(
    'a broken file is no problem: %j',
    async (text) => {
      const file = path.join(await tempFolder({ 'metadata.json': text }), 'metadata.json');
      const options = { yes: false, metadataFile: file };
      expect(await confirmDevelopmentStack(STACK, { ...options, ask: asked(true) })).toBe(true);
      expect(await confirmDevelopmentStack(STACK, { ...options, ask: never })).toBe(true);
    },
  );

  it('a place that cannot be written to only means that the question comes again', async () => {
    const folder = await tempFolder({ file: '' });
    const options = { yes: false, metadataFile: path.join(folder, 'file', 'metadata.json') };
    expect(await confirmDevelopmentStack(STACK, { ...options, ask: asked(true) })).toBe(true);
    await expect(confirmDevelopmentStack(STACK, { ...options, ask: never })).rejects.toThrow('asked');
  });

  it('is remembered where the peer remembers', () => {
    expect(metadataFile({}, '/home/me', 'linux')).toBe(path.join('/home/me', '.aws-sam', 'metadata.json'));
    expect(metadataFile({}, '/Users/me', 'darwin')).toBe(path.join('/Users/me', '.aws-sam', 'metadata.json'));
    expect(metadataFile({ __SAM_CLI_APP_DIR: '/x' }, '/home/me', 'linux')).toBe(path.join('/x', 'metadata.json'));
    expect(metadataFile({ APPDATA: 'C:/Roaming' }, 'C:/me', 'win32')).toBe(
      path.join('C:/Roaming', 'AWS SAM', 'metadata.json'),
    );
  });
});
