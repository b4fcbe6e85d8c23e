import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { watchSources } from '../../../src/watch/sources/source-watch.ts';
import { silent } from '../../support/cloud.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Work that was under way when the watch ended still reports what it learned; the process must end all the same. */
describe('after the end of a watch', () => {
  it('no folder is watched any more', async () => {
    const dir = await tempFolder({ 'template.yaml': '' });
    const run = { options: { projectDir: dir }, environment: { reporter: silent } } as Parameters<
      typeof watchSources
    >[0];
    const input = {
      root: undefined,
      syncMethod: () => undefined,
      built: new Map(),
      templateFiles: [path.join(dir, 'template.yaml')],
      optionFiles: [],
      excludes: {},
    };
    const sources = watchSources(run, { onFirst: () => {}, onChange: () => {}, onOwn: () => {} });
    sources.follow(input, Date.now());
    expect(sources.folders).toBe(1);
    sources.close();
    sources.follow(input, Date.now());
    expect(sources.folders).toBe(0);
  });
});
