import { UsageError } from '../../errors.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { BuildImages } from '../../sync/sync-options.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import type { Grammar } from './grammar.ts';
import type { Pair } from './key-value-words.ts';
import { mapEntries, notPairs, scalarText, toRecord } from './pairs.ts';

/** Creates the grammar of `Id=value`, repeatable; in files also a table. `check` throws for an invalid value. */
export function byIdentifier(
  metavar: string,
  check: (value: string, place: string) => void,
): Grammar<Record<string, string>> {
  const checked = (pairs: readonly Pair[], place: string): Record<string, string> => {
    for (const { key, value } of pairs) check(value, `${place}, ${key}`);
    return toRecord(pairs);
  };
  return {
    metavar,
    parse: (words, place) =>
      checked(
        words.map((word) => splitIdentifier(word, place)),
        place,
      ),
    read: (value, place) => checked(readIdentified(value, place), place),
    write: (value) => Object.entries(value).map(([id, text]) => `${id}=${text}`),
  };
}

/** `Id=pattern`, repeatable, with several patterns for an id. */
export const EXCLUDES: Grammar<Record<string, string[]>> = {
  metavar: 'ID=PATTERN',
  parse: (words, place) => toLists(words.map((word) => splitIdentifier(word, place))),
  read: (value, place) => toLists(readIdentified(value, place)),
  write: (value) => mapEntries(value, (patterns) => [...patterns]),
};

/** The value of an option that names no build images. */
export const NO_BUILD_IMAGES: BuildImages = { all: undefined, byId: {} };

/** `URI`, or `Id=URI`, repeatable. */
export const BUILD_IMAGES: Grammar<BuildImages> = {
  metavar: 'URI|ID=URI',
  parse: (words, place) => toBuildImages(words, place),
  read: (value, place) =>
    toBuildImages(
      [value]
        .flat()
        .flatMap((item) =>
          typeof item === 'string'
            ? item.split(/\s+/).filter((word) => word !== '')
            : readIdentified(item, place).map(({ key, value: uri }) => `${key}=${uri}`),
        ),
      place,
    ),
  write: ({ all, byId }) => [
    ...(all === undefined ? [] : [all]),
    ...Object.entries(byId).map(([id, uri]) => `${id}=${uri}`),
  ],
};

function toBuildImages(words: readonly string[], place: string): BuildImages {
  const split = words.map((word) => {
    const pair = word.includes('=') ? splitIdentifier(word, place) : { key: '', value: word.trim() };
    if (pair.value === '' || /\s/.test(pair.value))
      throw new UsageError(`${place}: \`${word}\` is not an image: write URI or FunctionId=URI`);
    return pair;
  });
  return {
    all: split.findLast((pair) => pair.key === '')?.value,
    byId: toRecord(split.filter((pair) => pair.key !== '')),
  };
}

function splitIdentifier(word: string, place: string): Pair {
  const split = word.indexOf('=');
  const pair = { key: word.slice(0, Math.max(split, 0)).trim(), value: word.slice(split + 1).trim() };
  if (pair.key === '' || pair.value === '')
    throw new UsageError(`${place}: \`${word}\` does not have the form ResourceId=value`);
  return pair;
}

function readIdentified(value: ConfigValue, place: string): Pair[] {
  if (Array.isArray(value)) return value.flatMap((item) => readIdentified(item, place));
  if (typeof value === 'string') {
    if (value.trim() === '') return [];
    const words = value.trim().split(/\s+/);
    const several = words.every((word) => /^[\w/:.-]+=./.test(word));
    return (several ? words : [value]).map((word) => splitIdentifier(word, place));
  }
  if (!isConfigMap(value)) throw notPairs(value, place);
  return Object.entries(value).flatMap(([key, entry]) =>
    [entry].flat().map((item) => splitIdentifier(`${key}=${scalarText(item, `${place}.${key}`)}`, place)),
  );
}

function toLists(pairs: readonly Pair[]): Record<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const { key, value } of pairs) lists.set(key, [...(lists.get(key) ?? []), value]);
  return Object.fromEntries(lists);
}
