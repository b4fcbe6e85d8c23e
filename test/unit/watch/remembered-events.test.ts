import { expect, it } from 'vitest';
import type { SyncOptions } from '../../../src/sync/sync-options.ts';
import { readRemembered, rememberEvent } from '../../../src/watch/ui/remembered-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('events that are sent at once are all remembered', async () => {
  const options = { projectDir: await tempFolder(), stackName: 'shop' } as SyncOptions;
  const names = ['A', 'B', 'C', 'D'];
  await Promise.all(names.map((name) => rememberEvent(options, name, '{}')));
  expect(Object.keys(await readRemembered(options))).toEqual(names);
});
