import { UsageError } from '../../errors.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import { nearestName } from '../../support/nearest-name.ts';

/**
 * How the values of an option are written. `place` is what an error names: `--tags` or
 * `samconfig.toml, [default.sync.parameters] tags`.
 */
export interface Grammar<T> {
  /** What stands for the value in `--help`; undefined for a flag, which takes none. */
  metavar: string | undefined;
  /** Reads all words that were typed for the option, or the text of its environment variable. */
  parse(words: readonly string[], place: string): T;
  /** Reads what a samconfig holds, in any shape that makes sense. */
  read(value: ConfigValue, place: string): T;
  /** What a samconfig has to hold so that `read` gives the value again. */
  write(value: T): ConfigValue;
}

/** One text; the last one counts. */
export const TEXT: Grammar<string> = {
  metavar: 'TEXT',
  parse: (words) => words.at(-1) ?? '',
  read: (value, place) => readText(value, place),
  write: (value) => value,
};

/** A file or folder, as it is written; who resolves it knows against what. */
export const FILE: Grammar<string> = { ...TEXT, metavar: 'FILE' };
export const DIRECTORY: Grammar<string> = { ...TEXT, metavar: 'DIRECTORY' };

const YES = ['true', '1', 'yes', 'on', 't', 'y'];
const NO = ['false', '0', 'no', 'off', 'f', 'n'];

/** A switch. In files and variables it may be written as the peer's users do: true, yes, on, 1 and their opposites. */
export const FLAG: Grammar<boolean> = {
  metavar: undefined,
  parse: (words, place) => readFlag(words.at(-1) ?? 'true', place),
  read: (value, place) => readFlag(value, place),
  write: (value) => value,
};

function readFlag(value: ConfigValue, place: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (YES.includes(text)) return true;
  if (NO.includes(text)) return false;
  throw new UsageError(`${place} must be true or false, not ${describe(value)}`);
}

/** One of some words. */
export function choice<C extends string>(choices: readonly C[]): Grammar<C> {
  const pick = (text: string, place: string): C => pickChoice(choices, text, place);
  return {
    metavar: choices.join('|'),
    parse: (words, place) => pick(words.at(-1) ?? '', place),
    read: (value, place) => pick(readText(value, place), place),
    write: (value) => value,
  };
}

/** Settings of a list option. */
export interface ListRules<T extends string> {
  metavar: string;
  /** The characters between the items of one text: on the command line and in files, or in files only. */
  split?: { by: RegExp; typedToo: boolean };
  check?: (item: string, place: string) => T;
}

/** Several texts. */
export function list<T extends string>(rules: ListRules<T>): Grammar<T[]> {
  const splitItems = (text: string): string[] => (rules.split ? text.split(rules.split.by) : [text]);
  const check = (items: readonly string[], place: string): T[] =>
    items.filter((item) => item !== '').map((item) => (rules.check ? rules.check(item, place) : (item as T)));
  return {
    metavar: rules.metavar,
    parse: (words, place) => check(rules.split?.typedToo ? words.flatMap(splitItems) : words, place),
    read: (value, place) => {
      const items = Array.isArray(value) ? value : [value];
      return check(
        items.flatMap((item) => splitItems(readText(item, place, 'text or a list of texts').trim())),
        place,
      );
    },
    write: (value) => [...value],
  };
}

/** A grammar that refuses the values for which `check` throws. */
export function checked<T>(grammar: Grammar<T>, check: (value: T, place: string) => void): Grammar<T> {
  const pass = (value: T, place: string): T => {
    check(value, place);
    return value;
  };
  return {
    ...grammar,
    parse: (words, place) => pass(grammar.parse(words, place), place),
    read: (value, place) => pass(grammar.read(value, place), place),
  };
}

/** A check for `list`: each item is one of some words. */
export function oneOf<C extends string>(choices: readonly C[]): (item: string, place: string) => C {
  return (item, place) => pickChoice(choices, item, place);
}

/** The text of a samconfig value, or an error that says what is there instead. */
function readText(value: ConfigValue, place: string, expected = 'text'): string {
  if (typeof value === 'string') return value;
  throw new UsageError(`${place} must be ${expected}, not ${describe(value)}`);
}

/** The kind of a samconfig value, in words. */
export function describe(value: ConfigValue): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isConfigMap(value)) return 'a table';
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function pickChoice<C extends string>(choices: readonly C[], text: string, place: string): C {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const near = nearestName(text, choices);
  throw new UsageError(`${place}: \`${text}\` is not one of ${choices.join(', ')}`, {
    hint: near === undefined ? undefined : `Did you mean ${near}?`,
  });
}
