import * as path from 'node:path';
import { expect, it } from 'vitest';
import { namesOf } from '../../../src/files/path-change.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('names what changed, and no file that an editor created and removed again meanwhile', async () => {
  const dir = await tempFolder({ 'app.py': '1', 'new.py': '2' });
  const at = (name: string): string => path.join(dir, name);
  const saved = { path: at('app.py'), folder: false, isNew: false };
  const added = { path: at('new.py'), folder: false, isNew: true };
  const removed = { path: at('gone.py'), folder: false, isNew: false };
  const temporary = { path: at('.app.py.kak.x1'), folder: false, isNew: true };
  expect(namesOf([temporary, saved, added, removed])).toEqual([at('app.py'), at('new.py'), at('gone.py')]);
  // something changed, which a build may have read
  expect(namesOf([temporary])).toEqual([temporary.path]);
});
