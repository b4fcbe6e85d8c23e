import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';
import { writeUserFile } from '../../support/user-file.ts';
import { withSlashes } from '../../support/places.ts';
import { isConfigMap } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { parseConfigText } from './parse-config.ts';
import { editConfig } from './edit-config.ts';
import type { TableEdit } from './table-edit.ts';
import type { Notice } from '../notice.ts';
import { OPTIONS } from '../options/options.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import type { OptionKey } from '../options/options.ts';
import type { ResolvedValues } from '../options/resolve-values.ts';
import { keysOf } from './samconfig.ts';

/** What `--save-params` writes, and where. */
export interface SaveRequest {
  /** Absolute. */
  file: string;
  /** The file as messages name it. */
  label: string;
  environment: string;
  /** The folder that typed paths are relative to. */
  cwd: string;
  /** The folder that relative paths in the file start from. */
  pathsFrom: string;
  values: ResolvedValues;
}

/** Saves the typed options in the samconfig, so that a run without them does the same. Keeps everything else in the file. */
export async function saveParams(request: SaveRequest): Promise<Notice[]> {
  const { file, label, environment } = request;
  const text = (await readTextIfExists(file)) ?? '';
  const document = await parseConfigText(text, file);
  const edits = planSave(request, document);
  const { text: edited, lostComments } = await editConfig(text, edits, file);
  const notices: Notice[] = [];
  if (lostComments) {
    await writeUserFile(`${file}.bak`, text);
    notices.push({
      level: 'warning',
      text: `${label} lost comments when it was saved; the previous file is ${label}.bak`,
    });
  }
  await writeUserFile(file, edited);
  const names = edits.flatMap((edit) => Object.keys(edit.set));
  const saved = names.length === 0 ? 'no options' : names.join(', ');
  notices.push({ level: 'info', text: `Saved ${saved} in ${label}, environment ${environment}` });
  return notices;
}

/** Plans the changes of the file. The Region goes to `global`, as in SAM CLI, unless `sync` has its own. Pure. */
function planSave(request: SaveRequest, document: ConfigValue): TableEdit[] {
  const sync: TableEdit = { table: [request.environment, 'sync', 'parameters'], set: {}, remove: [] };
  const global: TableEdit = { table: [request.environment, 'global', 'parameters'], set: {}, remove: [] };
  const syncNow = tableAt(document, sync.table);
  for (const [key, { value, source }] of request.values.entries()) {
    const spec = OPTIONS[key] as OptionSpec<unknown>;
    const name = spec.configKeys[0];
    if (!spec.saved || name === undefined || source !== 'typed') continue;
    const target = key === 'region' && keysOf(syncNow, spec.configKeys).length === 0 ? global : sync;
    target.set[name] = savedValue(key, spec.grammar.write(value), request);
    const aliases = keysOf(tableAt(document, target.table), spec.configKeys).filter((other) => other !== name);
    target.remove = [...target.remove, ...aliases];
  }
  for (const key of request.values.overruled) {
    const spec = OPTIONS[key] as OptionSpec<unknown>;
    const own = keysOf(syncNow, spec.configKeys);
    sync.remove = [...sync.remove, ...own];
    const [name] = spec.configKeys;
    if (name !== undefined && keysOf(tableAt(document, global.table), spec.configKeys).length > 0) {
      sync.set[name] = nothingFor(spec);
      sync.remove = sync.remove.filter((other) => other !== name);
    }
  }
  return [global, sync].filter((edit) => Object.keys(edit.set).length > 0);
}

/** Returns the empty value that hides a value of `global`. */
function nothingFor(spec: OptionSpec<unknown>): ConfigValue {
  if (spec.grammar.metavar === undefined) return false;
  return spec.repeatable ? [] : '';
}

/** Keeps a relative path relative, so that the file can be shared. */
function savedValue(key: OptionKey, value: ConfigValue, { cwd, pathsFrom }: SaveRequest): ConfigValue {
  const { isPath } = OPTIONS[key].grammar;
  if (!isPath || typeof value !== 'string' || value === '' || path.isAbsolute(value)) return value;
  const relative = path.relative(pathsFrom, path.resolve(cwd, value));
  return relative === '' ? '.' : withSlashes(relative);
}

function tableAt(document: ConfigValue, names: readonly string[]): ConfigMap {
  let table = isConfigMap(document) ? document : {};
  for (const name of names) {
    const inner = ownValue(table, name);
    table = isConfigMap(inner) ? inner : {};
  }
  return table;
}
