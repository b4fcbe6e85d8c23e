import type { OptionChange, SyncOptions } from '../../sync/sync-options.ts';
import type { OptionSpec } from './option-spec.ts';
import { ACCOUNT } from './table/account.ts';
import { ARTIFACTS } from './table/artifacts.ts';
import { BUILD } from './table/build.ts';
import { CONFIGURATION, OTHER } from './table/configuration.ts';
import { STACK } from './table/stack.ts';
import { WHAT_TO_SYNC } from './table/what-to-sync.ts';

/** Every option of `sam sync`. The key is the name of its field in `SyncOptions`, if it has one. */
export const OPTIONS = {
  ...WHAT_TO_SYNC,
  ...ACCOUNT,
  ...STACK,
  ...ARTIFACTS,
  ...BUILD,
  ...CONFIGURATION,
  ...OTHER,
} as const;

/** The key of an option in the table. */
export type OptionKey = keyof typeof OPTIONS;

/** The value of each option. */
export type OptionValues = {
  [K in OptionKey]: (typeof OPTIONS)[K] extends OptionSpec<infer T> ? T : never;
};

/** All rows of the table. */
export const OPTION_ENTRIES = Object.entries(OPTIONS) as [OptionKey, OptionSpec<unknown>][];

/** What a running watch does when the samconfig changes a field, and the name messages use for it. */
export const OPTION_CHANGES: Readonly<Record<keyof SyncOptions, { name: string; change: OptionChange }>> = {
  projectDir: { name: 'the current folder', change: 'fixed' },
  ...(Object.fromEntries(
    OPTION_ENTRIES.filter(([, spec]) => !spec.commandLineOnly).map(([key, { configKeys, names, whenChanged }]) => [
      key,
      { name: configKeys[0] ?? names[0] ?? key, change: whenChanged },
    ]),
  ) as Record<Exclude<keyof SyncOptions, 'projectDir'>, { name: string; change: OptionChange }>),
};

/** An option as a name on the command line means it. */
export interface NamedOption {
  key: OptionKey;
  spec: OptionSpec<unknown>;
  /** The name switches the flag off. */
  off: boolean;
}

/** Every name on the command line and its option. */
export const OPTIONS_BY_NAME: ReadonlyMap<string, NamedOption> = new Map(
  OPTION_ENTRIES.flatMap(([key, spec]) => {
    const negations = spec.negation === undefined ? [] : [spec.negation];
    return [
      ...spec.names.map((name): [string, NamedOption] => [name, { key, spec, off: false }]),
      ...negations.map((name): [string, NamedOption] => [name, { key, spec, off: true }]),
    ];
  }),
);
