import * as path from 'node:path';
import { UsageError, UserError } from '../../errors.ts';
import { exists, isMissing } from '../../support/files.ts';
import { MAX_INPUT_BYTES, readTextFile } from '../../support/regular-file.ts';
import { CONFIG_EXTENSIONS, hasConfigExtension } from '../samconfig/config-value.ts';
import { readItems } from './parameter-overrides.ts';
import type { OverrideItem } from './parameter-overrides.ts';
import { parseConfigText } from '../samconfig/parse-config.ts';

/** Stops files that include others twice at each level. */
const MAX_FILES = 1000;

/**
 * Loads the parameter values of the items. A relative file is in the first of the folders that has it; a file named in
 * another file is beside that. Adds all files read to `files`.
 */
export async function loadOverrides(
  items: readonly OverrideItem[],
  folders: readonly string[],
  { place, files = [] }: { place: string; files?: string[] },
): Promise<Record<string, string>> {
  return Object.fromEntries(await loadItems(items, folders, { place, files, open: [] }));
}

interface Loading {
  place: string;
  /** All files read or looked for. */
  files: string[];
  /** The chain of including files, to detect cycles. */
  open: readonly string[];
}

async function loadItems(
  items: readonly OverrideItem[],
  folders: readonly string[],
  loading: Loading,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const item of items) {
    const entries =
      'file' in item ? await loadFile(await locate(item.file, folders), loading) : Object.entries(item.values);
    for (const [key, value] of entries) values.set(key, value);
  }
  return values;
}

async function locate(file: string, folders: readonly string[]): Promise<string> {
  const candidates = folders.map((folder) => path.resolve(folder, file));
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  return candidates[0] ?? path.resolve(file);
}

async function loadFile(file: string, { place, open, files }: Loading): Promise<Map<string, string>> {
  files.push(file);
  if (files.length > MAX_FILES)
    throw new UsageError(`${place}: includes more than ${MAX_FILES} parameter files; stopped at ${file}`);
  if (open.includes(file))
    throw new UsageError(`${place}: parameter files include each other: ${[...open, file].join(' → ')}`);
  if (!hasConfigExtension(file))
    throw new UsageError(`${place}: ${file} is not a parameter file`, {
      hint: `Supported file extensions: ${CONFIG_EXTENSIONS.join(', ')}.`,
    });
  const by = open.at(-1);
  const items = readItems(await parseConfigText(await readFile(file, place, by), file), file);
  return loadItems(items, [path.dirname(file)], { place, files, open: [...open, file] });
}

async function readFile(file: string, place: string, includedBy: string | undefined): Promise<string> {
  try {
    return readTextFile(file, MAX_INPUT_BYTES);
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(`${place}: ${error.message}`, { cause: error });
    const reason = isMissing(error) ? 'does not exist' : 'cannot be read';
    const from = includedBy === undefined ? '' : `, included by ${includedBy},`;
    throw new UsageError(`${place}: ${file}${from} ${reason}`, { cause: error });
  }
}
