import { expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/options/command-line.ts';
import { OPTION_CHANGES } from '../../../src/cli/options/options.ts';
import { resolveOptions } from '../../../src/cli/options/resolve-options.ts';
import type { SyncOptions } from '../../../src/sync/sync-options.ts';
import { readChangedOptions } from '../../../src/watch/work/read-changed-options.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const cwd = await tempFolder({ 'template.yaml': '{}' });
const { options: before } = await resolveOptions(parseCommandLine(['--stack-name', 'app']), { env: {}, cwd });

/** What a watch makes of other options. */
const change = (changed: Partial<SyncOptions>, from = before) =>
  readChangedOptions(from, {
    readOptions: async () => ({ options: { ...from, ...changed }, files: [] }),
    optionChanges: OPTION_CHANGES,
  });

/** Another value of the option's own type. */
const other = (value: unknown): unknown => (typeof value === 'boolean' ? !value : ['another']);

it.each(Object.entries(OPTION_CHANGES).map(([key, { change }]) => [key, change]))(
  '%s is %s',
  async (name, handling) => {
    const value = other(before[name as keyof SyncOptions]);
    const changing = change({ [name]: value });
    if (handling === 'fixed') return expect(changing).rejects.toThrow(/^The configuration changed [a-z_ -]+, which/);
    const { options, isChanged, warnings } = await changing;
    const isFollowed = handling !== 'start';
    expect(isChanged).toBe(isFollowed);
    expect(options).toEqual(isFollowed ? { ...before, [name]: value } : before);
    expect(warnings).toHaveLength(isFollowed ? 0 : 1);
  },
);

it('names what is refused as the samconfig does', async () => {
  await expect(change({ stackName: 'other', region: 'eu-west-1' })).rejects.toThrow(
    'The configuration changed stack_name, region, which a running watch cannot follow',
  );
});

it('with --code what only a deployment applies is reported', async () => {
  const { warnings } = await change({ tags: { a: '1' } }, { ...before, code: true });
  expect(warnings).toEqual(['The configuration changed tags: press d, or sync without --code, to apply it']);
});
