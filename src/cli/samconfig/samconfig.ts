import * as path from 'node:path';
import { UsageError } from '../../errors.ts';
import { statIfExists } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';
import { MAX_INPUT_BYTES, readTextFile } from '../../support/regular-file.ts';
import { CONFIG_EXTENSIONS, hasConfigExtension, isConfigMap } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { parseConfigText } from './parse-config.ts';
import { describe } from '../options/grammar.ts';
import { OPTION_ENTRIES } from '../options/options.ts';
import type { OptionKey } from '../options/options.ts';
import { findUnreadParts, keyElsewhere } from './unread-parts.ts';
import type { UnreadPart } from './unread-parts.ts';

/** The name of a new samconfig. */
export const DEFAULT_CONFIG_NAME = 'samconfig.toml';

/** A value of a samconfig; `place` names file, section and key in messages. */
export interface ConfigEntry {
  value: ConfigValue;
  place: string;
}

/** The option values of one environment in a samconfig. */
export interface Samconfig {
  entries: ReadonlyMap<OptionKey, ConfigEntry>;
  /** What to do about a stack name that it has only where sync does not look. */
  stackNameElsewhere?: string | undefined;
  /** The same for parameter overrides. */
  overridesElsewhere?: string | undefined;
  /** Parts of it that have no effect. */
  warnings: readonly UnreadPart[];
}

/** Where to look for a samconfig. */
export interface ConfigSearch {
  /** Folders in search order. */
  folders: readonly string[];
  /** `--config-file`: absolute, or below one of the folders. */
  named: string | undefined;
  /** A named file may be missing: it will be created. */
  mayBeMissing: boolean;
}

/** The samconfig to use, and ignored ones beside it. */
export interface FoundConfig {
  file: string;
  ignored: readonly string[];
}

/** Finds the samconfig. Throws if a named one is missing. */
export async function findSamconfig(search: ConfigSearch): Promise<FoundConfig | undefined> {
  if (search.named !== undefined) return findNamed(search.named, search);
  for (const folder of search.folders) {
    const files: string[] = [];
    for (const extension of CONFIG_EXTENSIONS) {
      const file = path.join(folder, `samconfig${extension}`);
      if (await isNoFolder(file)) files.push(file);
    }
    if (files[0] !== undefined) return { file: files[0], ignored: files.slice(1) };
  }
  return undefined;
}

async function findNamed(named: string, { folders, mayBeMissing }: ConfigSearch): Promise<FoundConfig | undefined> {
  if (!hasConfigExtension(named))
    throw new UsageError(`--config-file: ${named} is not a configuration file`, {
      hint: `Supported file extensions: ${CONFIG_EXTENSIONS.join(', ')}.`,
    });
  const candidates = [...new Set(folders.map((folder) => path.resolve(folder, named)))];
  for (const file of candidates) if (await isNoFolder(file)) return { file, ignored: [] };
  // scripts for SAM CLI pass the default name even if there is no such file
  if (mayBeMissing || named === DEFAULT_CONFIG_NAME) return undefined;
  throw new UsageError(`--config-file: ${candidates.join(' or ')} does not exist`);
}

async function isNoFolder(file: string): Promise<boolean> {
  const stats = await statIfExists(file);
  return stats !== undefined && !stats.isDirectory();
}

/** Reads a samconfig. `label` names it in messages. */
export async function readSamconfig(file: string, environment: string, label: string): Promise<Samconfig> {
  const document = await parseConfigText(readTextFile(file, MAX_INPUT_BYTES), label);
  return samconfigValues(document, environment, label);
}

/** Extracts the values of one environment: `[env.sync.parameters]` takes precedence over `[env.global.parameters]`. */
export function samconfigValues(document: ConfigValue, environment: string, label: string): Samconfig {
  const top = asTable(document, label);
  const entries = new Map<OptionKey, ConfigEntry>();
  const commands = asTable(ownValue(top, environment), `${label}, [${environment}]`);
  for (const command of ['global', 'sync']) {
    const section = asTable(commands[command], `${label}, [${environment}.${command}]`);
    const where = `[${environment}.${command}.parameters]`;
    const parameters = asTable(section['parameters'], `${label}, ${where}`);
    for (const [key, spec] of OPTION_ENTRIES) {
      const name = keysOf(parameters, spec.configKeys)[0];
      const value = name === undefined ? null : (parameters[name] ?? null);
      if (value !== null) entries.set(key, { value, place: `${label}, ${where} ${name}` });
    }
  }
  const reading = { label, environment };
  const elsewhere = (option: OptionKey, key: string): string | undefined =>
    entries.has(option) ? undefined : keyElsewhere(top, key, reading);
  return {
    entries,
    stackNameElsewhere: elsewhere('stackName', 'stack_name'),
    overridesElsewhere: elsewhere('parameterOverrides', 'parameter_overrides'),
    warnings: findUnreadParts(top, reading),
  };
}

/** Returns the keys of a table that mean one of `names`, by order of `names`. Dashes are equal to underscores. */
export function keysOf(table: ConfigMap, names: readonly string[]): string[] {
  return names
    .flatMap((name) => [name, name.replaceAll('_', '-')])
    .filter((name, index, all) => {
      return Object.hasOwn(table, name) && all.indexOf(name) === index;
    });
}

function asTable(value: ConfigValue | undefined, place: string): ConfigMap {
  if (value === undefined || value === null) return {};
  if (isConfigMap(value)) return value;
  throw new UsageError(`${place} must be a table, not ${describe(value)}`);
}
