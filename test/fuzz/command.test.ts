import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { fuzz, mutatedText } from '../support/fuzz.ts';
import { MANIFEST_APP } from '../support/hostile-app.ts';
import { runCli } from '../support/run-cli.ts';
import { stubTools } from '../support/stub-tools.ts';
import { snapshotFolder, tempFolder, writeFiles } from '../support/temp-folder.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud?.stop());

const outside = await tempFolder();
const tools = await stubTools();

const FILES: Readonly<Record<string, string>> = {
  ...MANIFEST_APP,
  'samconfig.toml': `version = 0.1
[default.sync.parameters]
stack_name = "hostile"
parameter_overrides = "A=b"
tags = "c=d"
`,
};

const changed = fc
  .constantFrom(
    'template.yaml',
    'template.yaml',
    ...Object.keys(FILES).filter((name) => !/\.(?:py|rb|js|go|tgz)$/.test(name)),
  )
  .chain((name) => mutatedText([FILES[name] ?? '']).map((text) => [name, text] as const));

/** Most memory that a run may ever have (kB). */
const MOST_MEMORY = 250_000;
const usage = await tempFolder({
  'note.cjs': `process.on('exit', () => require('node:fs').writeFileSync(__dirname + '/kb', String(process.resourceUsage().maxRSS)));`,
});

fuzz(
  'the command ends with a sentence whatever is in a file, within its folder and little memory',
  6,
  changed,
  async ([name, text]) => {
    const dir = path.join(outside, 'app');
    await fs.rm(outside, { recursive: true, force: true });
    await writeFiles(outside, { 'sentinel/keep.txt': 'mine' });
    await writeFiles(dir, FILES);
    await fs.writeFile(path.join(dir, name), text);
    const env = {
      ...cloud.env,
      PATH: tools.path,
      HOME: outside,
      NODE_OPTIONS: `--require=${path.join(usage, 'note.cjs')}`,
    };
    const { code, signal, stderr } = await runCli(['--dry-run', '--stack-name', 'hostile'], { cwd: dir, env });
    expect({ ended: [0, 1, 2].includes(code ?? -1), signal }, stderr).toEqual({ ended: true, signal: null });
    expect(Number(await fs.readFile(path.join(usage, 'kb'), 'utf8'))).toBeLessThan(MOST_MEMORY);
    expect(stderr).not.toMatch(/This is a defect of sam-sync|^ +at .+:\d+:\d+\)?$/m);
    const { '.aws-sam': _own, ...beside } = await topOf(dir);
    expect(beside).toEqual(await topOfFiles());
    expect(await snapshotFolder(path.join(outside, 'sentinel'))).toEqual({ 'keep.txt': 'mine' });
  },
);

/** The names directly in a folder. */
async function topOf(dir: string): Promise<Record<string, true>> {
  return Object.fromEntries((await fs.readdir(dir)).map((name) => [name, true]));
}

async function topOfFiles(): Promise<Record<string, true>> {
  return Object.fromEntries(Object.keys(FILES).map((name) => [name.split('/')[0] ?? '', true]));
}
