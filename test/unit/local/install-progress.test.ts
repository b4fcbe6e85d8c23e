import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { createLines } from '../../../src/console/lines.ts';
import { createStyle } from '../../../src/console/style.ts';
import { followInstall } from '../../../src/local/install-progress.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const REQUIREMENTS = `# by uv
boto3==1.2 \\
    --hash=sha256:00
six==1.0 ; python_version < "4" \\
    --hash=sha256:00
tomli==2.0 ; python_version < "3.11" \\
    --hash=sha256:00
`;

it('an installation reports downloaded packages of all, then installed ones, by what pip prints and what is there', async () => {
  const folder = await tempFolder({ 'pip-23.dist-info/METADATA': '' });
  const progress = await followInstall(REQUIREMENTS, folder);
  const read = (line: string): string | undefined => progress.readLine(line)?.text;
  expect(read('Looking in links: /x')).toBeUndefined();
  expect(read("Ignoring tomli: markers 'python_version < \"3.11\"' don't match your environment")).toBeUndefined();
  expect(read('Collecting boto3==1.2 (from -r requirements.txt (line 2))')).toBeUndefined();
  expect(read('  Downloading boto3-1.2-py3-none-any.whl (1.5 MB)')).toBe('downloading packages (1 of 2, 1.5 MB)');
  expect(read('  Using cached six-1.0-py2.py3-none-any.whl (500 kB)')).toBe('downloading packages (2 of 2, 2.0 MB)');
  expect(await progress.count()).toBeUndefined();
  expect(read('Installing collected packages: six, boto3')).toBe('installing packages (0 of 2)');
  expect(await progress.count()).toBeUndefined();
  await fs.mkdir(path.join(folder, 'six-1.0.dist-info'));
  expect((await progress.count())?.text).toBe('installing packages (1 of 2)');
  expect(await progress.count()).toBeUndefined();
});

it('pipes show only the milestones of a long step, terminals all of them in the live view', () => {
  const plain = createStyle(false, {});
  const printed = (live: boolean): string[] => {
    const lines = createLines({ debug: false, outStyle: plain, errStyle: plain, live });
    return [
      { type: 'step-started', kind: 'set-up', id: 's', label: 'the local cloud' } as const,
      { type: 'step-activity', id: 's', text: 'installing packages (0 of 12)', milestone: true } as const,
      { type: 'step-activity', id: 's', text: 'installing packages (1 of 12)', milestone: false } as const,
    ].flatMap((event) => lines(event).map(({ text }) => text));
  };
  expect(printed(false)).toEqual(['Setting up the local cloud: installing packages (0 of 12)']);
  expect(printed(true)).toEqual([]);
});
