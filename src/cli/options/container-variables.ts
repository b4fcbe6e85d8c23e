import { UsageError } from '../../errors.ts';
import { ownValue, setOwn } from '../../support/own-value.ts';
import type { ContainerVariables } from '../../sync/sync-options.ts';
import { isConfigMap } from '../samconfig/config-value.ts';
import type { ConfigValue } from '../samconfig/config-value.ts';
import type { Grammar } from './grammar.ts';
import { notPairs, scalarText } from './pairs.ts';

/** `NAME=value` for all build containers, `Id.NAME=value` for those of one function or layer. Repeatable. */
export const CONTAINER_VARIABLES: Grammar<ContainerVariables> = {
  metavar: 'NAME=VALUE|ID.NAME=VALUE',
  parse: (words, place) => collect(words.map((word) => splitVariable(word, place))),
  read: (value, place) => collect(readVariables(value, place)),
  write: ({ all, byId }) => [
    ...words('', all),
    ...Object.entries(byId).flatMap(([id, variables]) => words(`${id}.`, variables)),
  ],
};

interface Variable {
  /** '': all containers. */
  id: string;
  name: string;
  value: string;
}

function words(prefix: string, variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `${prefix}${name}=${value}`);
}

function splitVariable(word: string, place: string): Variable {
  const match = /^(?:([^=]+)\.)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word);
  if (match) return { id: match[1] ?? '', name: match[2] ?? '', value: match[3] ?? '' };
  throw new UsageError(`${place}: a value has neither the form NAME=value nor FunctionId.NAME=value`, {
    hint: 'The value is not shown because it may be a secret.',
  });
}

function readVariables(value: ConfigValue, place: string): Variable[] {
  if (Array.isArray(value)) return value.flatMap((item) => readVariables(item, place));
  if (typeof value === 'string') return value.trim() === '' ? [] : [splitVariable(value.trim(), place)];
  if (!isConfigMap(value)) throw notPairs(value, place);
  return Object.entries(value).flatMap(([key, entry]) => {
    if (!isConfigMap(entry)) return [splitVariable(`${key}=${scalarText(entry, `${place}.${key}`)}`, place)];
    const id = key === 'Parameters' ? '' : key;
    return Object.entries(entry).map(([name, text]) => ({
      id,
      name,
      value: scalarText(text, `${place}.${key}.${name}`),
    }));
  });
}

function collect(variables: readonly Variable[]): ContainerVariables {
  const all: Record<string, string> = {};
  const byId: Record<string, Record<string, string>> = {};
  for (const { id, name, value } of variables) {
    if (id === '') setOwn(all, name, value);
    else setOwn(byId, id, { ...ownValue(byId, id), [name]: value });
  }
  return { all, byId };
}
