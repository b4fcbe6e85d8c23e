import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readErrorMessages, untestedMessages } from '../support/error-messages.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** File → why the one message in it that no test has cannot be had. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'builder/workflows/ruby/install-gems.ts': 'needs a gem with compiled parts',
  'deploy/companion-stack.ts': 'CloudFormation takes fewer resources than such a template has',
  'deploy/managed-stack.ts': 'is said after minutes of waiting',
  'local/cloud.ts': 'needs a machine that does not show how a process was started',
  'services/lambda/lambda-patience.ts': 'is said after minutes of waiting',
  'package/zip/zip.ts': 'would write 4 GiB',
};

describe('every error message', () => {
  it('occurs in a test', async () => {
    const messages = await readErrorMessages(path.join(ROOT, 'src'));
    expect(messages.length).toBeGreaterThan(100);
    const untested = untestedMessages(messages, await readTests());
    const shown = untested.map(({ file, line, parts }) => `src/${file}:${line}: ${parts.join('…')}`);
    expect(shown.filter((place) => !Object.keys(EXCEPTIONS).some((file) => place.startsWith(`src/${file}:`)))).toEqual(
      [],
    );
    expect(untested.map(({ file }) => file).sort(), shown.join('\n')).toEqual(Object.keys(EXCEPTIONS).sort());
  });
});

describe('what is found', () => {
  const read = async (source: string) => {
    const folder = await tempFolder({ 'a.ts': source });
    return (await readErrorMessages(folder)).map(({ line, parts }) => [line, ...parts]);
  };

  it.each([
    ["throw new UserError('There is none');", [[1, 'There is none']]],
    ["\nnew UserError(`${a} has ${b('x', {})} in it`, { hint: 'not this' })", [[2, ' has ', ' in it']]],
    ["new UsageError(\n  one ? 'It\\'s this' : \"or that\",\n)", [[1, "It's this", 'or that']]],
    ['new UserError(message)', []],
    ['new Error("a defect")', []],
  ])('in %j', async (source, expected) => expect(await read(source)).toEqual(expected));

  it.each([
    ['toThrow("F: the file is gone")', []],
    ['toThrow(/the file\\s*is gone: .*\\.zip$/)', []],
    ['// the file', ['the file is gone: ']],
    ['toThrow("the file is here")', ['the file is gone: ']],
  ])('as untested, with the test %j', (tests, expected) => {
    const messages = [
      { file: 'a.ts', line: 1, parts: ['the file is gone: '] },
      { file: 'b.ts', line: 1, parts: ['the file is here'] },
    ];
    const untested = untestedMessages(messages, `${tests} 'is here'`);
    expect(untested.filter(({ file }) => file === 'a.ts').map(({ parts }) => parts[0])).toEqual(expected);
  });
});

async function readTests(): Promise<string> {
  const folder = path.join(ROOT, 'test');
  const names = (await fs.readdir(folder, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
  const others = names.filter((name) => path.basename(name) !== path.basename(import.meta.filename));
  return (await Promise.all(others.map((name) => fs.readFile(path.join(folder, name), 'utf8')))).join('\n');
}
