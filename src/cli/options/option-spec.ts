import type { OptionChange } from '../../sync/sync-options.ts';
import type { Grammar } from './grammar.ts';

/** The headings of `--help`, in this order. */
export const OPTION_GROUPS = [
  'What to sync',
  'Account and Region',
  'Stack',
  'Artifacts',
  'Build',
  'Configuration',
  'Other',
] as const;

/** One row of the option table: everything that parsing, help, samconfig, `--save-params` and a running watch need. */
export interface OptionSpec<T> {
  /** Names on the command line; messages use the first. */
  names: readonly string[];
  /** The name that switches a flag off. */
  negation?: string;
  grammar: Grammar<T>;
  /** Takes all words up to the next one that starts with `-`. */
  greedy?: boolean;
  /** Collects the words of all occurrences. Otherwise the last occurrence wins. */
  repeatable?: boolean;
  /** Throws for a well-formed value that is not valid. */
  check?: (value: string, place: string) => void;
  default?: T;
  /** The default that help shows if it is not a fixed value. */
  defaultText?: string;
  group: (typeof OPTION_GROUPS)[number];
  /** One or more sentences. */
  help: string;
  /** Keys in a samconfig's `parameters`; `--save-params` writes the first. */
  configKeys: readonly string[];
  /** Its environment variables, which take precedence over the samconfig. */
  variables: readonly string[];
  /** Values may be secrets: messages never show them. */
  secret: boolean;
  /** Whether `--save-params` writes it. */
  saved: boolean;
  /** What a running watch does when the samconfig changes it. */
  whenChanged: OptionChange;
  /** Only the command line uses it: `SyncOptions` has no such field. */
  commandLineOnly: boolean;
}

type Declaration<T> = Pick<OptionSpec<T>, 'names' | 'grammar' | 'group' | 'help'> & Partial<OptionSpec<T>>;

/** Fills in the usual values of a row. */
export function option<T>(declaration: Declaration<T>): OptionSpec<T> {
  return {
    configKeys: [],
    variables: [],
    secret: false,
    saved: declaration.configKeys !== undefined,
    whenChanged: 'followed',
    commandLineOnly: false,
    ...declaration,
  };
}

/** Separates the items of a list option. */
export const WORDS = /[\s,]+/;
