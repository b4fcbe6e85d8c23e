import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOtherSam, missingSam, runOtherSam } from '../../../src/cli/delegate.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A folder with a `sam` of some kind in each of `bins`, all on PATH in this order. */
async function findAmong(
  files: Record<string, { text?: string; link?: string; mode?: number }>,
  platform: NodeJS.Platform = 'linux',
) {
  const folder = await tempFolder({ 'ours/bin/sam.cjs': '#!/usr/bin/env node\n' });
  for (const [name, { text, link, mode }] of Object.entries(files)) {
    const file = path.join(folder, name);
    await fs.mkdir(path.dirname(file), { recursive: true });
    if (link === undefined)
      await fs.writeFile(file, (text ?? '').replaceAll('OURS', path.join(folder, 'ours')), { mode: mode ?? 0o755 });
    else await fs.symlink(path.join(folder, link), file);
  }
  const folders = [...new Set(Object.keys(files).map((name) => path.join(folder, path.dirname(name))))];
  const separator = platform === 'win32' ? ';' : ':';
  const found = await findOtherSam({
    env: { [platform === 'win32' ? 'Path' : 'PATH']: ['/nowhere', ...folders].join(separator) },
    cwd: folder,
    packageDir: path.join(folder, 'ours'),
    platform,
    signals: process,
  });
  return found === undefined ? undefined : path.relative(folder, found);
}

describe('the other sam', () => {
  const peer = { text: '#!/usr/bin/python3\nfrom samcli import cli\n' };
  it.each<[string, Parameters<typeof findAmong>[0], string | undefined]>([
    ['is the first one', { 'a/sam': peer, 'b/sam': peer }, 'a/sam'],
    ['is not our own link, as npm makes it', { 'a/sam': { link: 'ours/bin/sam.cjs' }, 'b/sam': peer }, 'b/sam'],
    [
      'is not our own script, as pnpm makes it',
      { 'a/sam': { text: '#!/bin/sh\nexec node "OURS/bin/sam.cjs" "$@"\n' }, 'b/sam': peer },
      'b/sam',
    ],
    [
      'is not another copy of us',
      { 'a/sam': { text: '#!/bin/sh\nexec node "$d/node_modules/sam-sync/bin/sam.cjs" "$@"\n' } },
      undefined,
    ],
    ['is not a file that cannot be run', { 'a/sam': { ...peer, mode: 0o644 }, 'b/sam': peer }, 'b/sam'],
    ['may be large', { 'a/sam': { text: `${'x'.repeat(9000)}/sam-sync/bin/sam.cjs` } }, 'a/sam'],
    ['may be missing', {}, undefined],
  ])('%s', async (_name, files, expected) => {
    expect(await findAmong(files)).toBe(expected);
  });

  it('is not a folder', async () => {
    expect(await findAmong({ 'a/sam/x': {}, 'a/y': {} })).toBeUndefined();
  });

  it('on Windows has an ending and may be a script that names us', async () => {
    const shim = { text: '@"%~dp0\\node.exe" "%~dp0\\node_modules\\sam-sync\\bin\\sam.cjs" %*\r\n' };
    expect(await findAmong({ 'a/sam.cmd': shim, 'b/sam.cmd': { text: '@python -m samcli %*\r\n' } }, 'win32')).toBe(
      'b/sam.cmd',
    );
  });

  it('if it cannot be started, is named with the reason', async () => {
    const folder = await tempFolder({ sam: 'no program' });
    const options = { env: {}, cwd: folder, packageDir: folder, platform: process.platform, signals: process };
    const program = path.join(folder, 'sam');
    await expect(runOtherSam(program, [], options)).rejects.toThrow(`Could not start ${program}: spawn`);
  });

  it('if missing, is said to be', () => {
    expect(missingSam(['--debug', 'build', '-u']).message).toContain('`sam build` needs AWS SAM CLI');
    expect(missingSam(['build']).hint).toContain('aws-sam-cli');
  });

  it.each([
    ['snyc', '`sam snyc` is not a command', 'Did you mean `sam sync`?'],
    ['deplyo', '`sam deplyo` is not a command', 'Did you mean `sam deploy`?'],
    ['--versoin', '`sam --versoin` is not an option', 'Did you mean `sam --version`?'],
  ])('if missing, and %s is a slip, the nearest name is suggested', (word, message, hint) => {
    expect(missingSam([word])).toMatchObject({ message, hint });
  });
});
