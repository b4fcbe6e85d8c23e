import { UserError } from '../../errors.ts';
import type { OptionChange, SyncOptions } from '../../sync/sync-options.ts';
import type { WatchEnvironment } from '../../sync/sync-environment.ts';

/** The options of a running watch after a change of the samconfig. */
export interface ChangedOptions {
  options: SyncOptions;
  files: readonly string[];
  isChanged: boolean;
  /** What the user should know or do about the change. */
  warnings: readonly string[];
}

/** Reads the options again. Rejects if they are invalid, or if one changed that a running watch cannot follow. */
export async function readChangedOptions(
  before: SyncOptions,
  watch: Pick<WatchEnvironment, 'readOptions' | 'optionChanges'>,
): Promise<ChangedOptions> {
  const { options, files } = await watch.readOptions();
  const changed = (Object.keys(watch.optionChanges) as (keyof SyncOptions)[]).filter(
    (key) => JSON.stringify(options[key]) !== JSON.stringify(before[key]),
  );
  const changedAs = (change: OptionChange): (keyof SyncOptions)[] =>
    changed.filter((key) => watch.optionChanges[key].change === change);
  const namesOf = (keys: readonly (keyof SyncOptions)[]): string =>
    keys.map((key) => watch.optionChanges[key].name).join(', ');
  const fixed = changedAs('fixed');
  if (fixed.length > 0) {
    throw new UserError(`The configuration changed ${namesOf(fixed)}, which a running watch cannot follow`, {
      hint: 'Restart the watch, or undo the change.',
    });
  }
  const late = changedAs('start');
  const waiting = before.code ? changedAs('deployed') : [];
  const warnings = [
    ...warnOf(namesOf(late), 'restart the watch to apply it'),
    ...warnOf(namesOf(waiting), 'press d, or sync without --code, to apply it'),
  ];
  const kept = Object.fromEntries(late.map((key) => [key, before[key]]));
  return { options: { ...options, ...kept }, files, isChanged: changed.length > late.length, warnings };
}

function warnOf(names: string, advice: string): string[] {
  return names === '' ? [] : [`The configuration changed ${names}: ${advice}`];
}
