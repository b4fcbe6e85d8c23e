import { UsageError } from '../../errors.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import { nearestName } from '../../support/nearest-name.ts';

/**
 * How the values of an option are written. `place` names the source in errors: `--tags` or
 * `samconfig.toml, [default.sync.parameters] tags`.
 */
export interface Grammar<T> {
  /** The value's placeholder in `--help`; undefined for a flag, which takes no value. */
  metavar: string | undefined;
  /** Reads all words typed for the option, or the text of its environment variable. */
  parse(words: readonly string[], place: string): T;
  /** Reads the value in a samconfig, in any shape that makes sense. */
  read(value: ConfigValue, place: string): T;
  /** Returns the samconfig value from which `read` gives the same value. */
  write(value: T): ConfigValue;
  /** The value is a path: `--save-params` writes it relative to the samconfig. */
  isPath?: boolean;
}

/** One text; the last one wins. */
export const TEXT: Grammar<string> = {
  metavar: 'TEXT',
  parse: (words) => words.at(-1) ?? '',
  read: (value, place) => readText(value, place),
  write: (value) => value,
};

/** A path as written: `resolveOptions` resolves it. */
export const FILE: Grammar<string> = { ...TEXT, metavar: 'FILE', isPath: true };
export const DIRECTORY: Grammar<string> = { ...TEXT, metavar: 'DIRECTORY', isPath: true };

/** A folder in a bucket, without slashes around it. */
export const FOLDER: Grammar<string> = {
  ...TEXT,
  parse: (words, place) => trimSlashes(TEXT.parse(words, place)),
  read: (value, place) => trimSlashes(TEXT.read(value, place)),
};

function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

const YES = ['true', '1', 'yes', 'on', 't', 'y'];
const NO = ['false', '0', 'no', 'off', 'f', 'n'];

/** A flag. Files and variables may say, as for SAM CLI: true, yes, on, 1, t, y and their opposites. */
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

/** Creates the grammar of one word out of `choices`. */
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
  /** The separator of items within a text: on the command line and in files, or in files only. */
  split?: { by: RegExp; typedToo: boolean };
  check?: (item: string, place: string) => T;
}

/** Creates the grammar of several texts. */
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
        items.flatMap((item) => splitItems(readText(item, place, 'a string or a list of strings').trim())),
        place,
      );
    },
    write: (value) => [...value],
  };
}

/** Creates a grammar that rejects the values for which `check` throws. */
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

/** Creates a check for `list`: each item must be one of `choices`. */
export function oneOf<C extends string>(choices: readonly C[]): (item: string, place: string) => C {
  return (item, place) => pickChoice(choices, item, place);
}

/** Returns the text of a samconfig value. Throws an error that describes any other value. */
function readText(value: ConfigValue, place: string, expected = 'a string'): string {
  if (typeof value === 'string') return value;
  throw new UsageError(`${place} must be ${expected}, not ${describe(value)}`);
}

/** Describes a samconfig value in messages. */
export function describe(value: ConfigValue): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isConfigMap(value)) return 'a table';
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function pickChoice<C extends string>(choices: readonly C[], text: string, place: string): C {
  const match = choices.find((choice) => choice === text);
  if (match !== undefined) return match;
  // IAM for CAPABILITY_IAM, Function for AWS::Lambda::Function
  const near =
    choices.find((choice) => /[_:]/.test(choice.at(-text.length - 1) ?? '') && choice.endsWith(text)) ??
    nearestName(text, choices);
  throw new UsageError(`${place}: \`${text}\` is not one of ${choices.join(', ')}`, {
    hint: near === undefined ? undefined : `Did you mean ${near}?`,
  });
}
