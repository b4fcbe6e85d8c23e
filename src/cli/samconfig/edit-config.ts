import type { TableEdit } from './table-edit.ts';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ownValue, setOwn } from '../../support/own-value.ts';
import { isConfigMap } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { parseConfigText } from './parse-config.ts';

/** The format version that SAM CLI requires in each file. */
const VERSION = 0.1;

/** The new text of a file, and whether it lost comments. */
export interface EditedConfig {
  text: string;
  lostComments: boolean;
}

/**
 * Changes some keys of a configuration text and keeps the rest, including comments. Rewrites a text that cannot be edited so.
 * The extension of `file` determines the format.
 */
export async function editConfig(text: string, edits: readonly TableEdit[], file: string): Promise<EditedConfig> {
  const format = FORMATS[path.extname(file).toLowerCase()] ?? YAML;
  const before = await parseConfigText(text, file);
  const wanted = applyEdits(isConfigMap(before) ? before : {}, edits, String(VERSION));
  const edited = await editOrNothing(format, text, edits);
  if (edited !== undefined && isDeepStrictEqual(await parseOrNothing(edited, file), wanted))
    return { text: edited, lostComments: (await format.comments(edited)) !== (await format.comments(text)) };
  return { text: await format.rewrite(text, edits), lostComments: (await format.comments(text)) !== '' };
}

/** How to change texts of a format. */
interface Format {
  /** Edits the text with as few changes as possible; undefined if it cannot. The caller checks the result. */
  edit(text: string, edits: readonly TableEdit[]): Promise<string | undefined>;
  /** Rewrites the whole text, without comments. */
  rewrite(text: string, edits: readonly TableEdit[]): Promise<string>;
  /** Returns all comments, to detect lost ones. */
  comments(text: string): Promise<string>;
}

const JSON_FORMAT: Format = {
  edit: async () => undefined,
  rewrite: async (text, edits) => {
    const document = text.trim() === '' ? {} : (JSON.parse(text.replace(/^\uFEFF/, '')) as ConfigValue);
    return `${JSON.stringify(applyEdits(isConfigMap(document) ? document : {}, edits, VERSION), null, 2)}\n`;
  },
  comments: async () => '',
};

const TOML: Format = {
  edit: async (text, edits) => (await import('./edit-toml.ts')).editToml(text, edits, String(VERSION)),
  rewrite: async (text, edits) => {
    const { parse, stringify } = await import('smol-toml');
    return stringify(applyEdits(parse(text, { integersAsBigInt: 'asNeeded' }) as ConfigMap, edits, VERSION));
  },
  comments: async (text) => {
    const { tomlComments } = await import('./edit-toml.ts');
    try {
      return tomlComments(text).sort().join('\n');
    } catch {
      // its parser refuses some texts that ours takes
      return '';
    }
  },
};

const YAML: Format = {
  edit: async (text, edits) => (await import('./edit-yaml.ts')).editYaml(text, edits, String(VERSION)),
  rewrite: async (text, edits) => {
    const { dumpYaml } = await import('../../template/yaml/dump-yaml.ts');
    const { version, ...document } = applyEdits(await documentOf(text), edits, String(VERSION));
    // dumpYaml quotes numbers, which are text for us; SAM CLI requires a number as version
    return `version: ${String(version)}\n${dumpYaml(document)}`;
  },
  // approximate: also matches a `#` within a text
  comments: async (text) =>
    (text.match(/(?:^|\s)#.*$/gm) ?? [])
      .map((comment) => comment.trim())
      .sort()
      .join('\n'),
};

async function documentOf(yaml: string): Promise<ConfigMap> {
  const document = await parseConfigText(yaml, 'x.yaml');
  return isConfigMap(document) ? document : {};
}

const FORMATS: Readonly<Record<string, Format>> = { '.json': JSON_FORMAT, '.toml': TOML };

/** Edits a text; undefined if the format's library refuses what our own parser takes. The text is then written again. */
async function editOrNothing(format: Format, text: string, edits: readonly TableEdit[]): Promise<string | undefined> {
  try {
    return await format.edit(text, edits);
  } catch {
    return undefined;
  }
}

async function parseOrNothing(text: string, file: string): Promise<ConfigValue> {
  try {
    return await parseConfigText(text, file);
  } catch {
    return null;
  }
}

function applyEdits(document: ConfigMap, edits: readonly TableEdit[], version: string | number): ConfigMap {
  const result = structuredClone(document);
  if (!Object.hasOwn(result, 'version')) Object.assign(result, { version });
  for (const { table, set, remove } of edits) {
    let target: ConfigMap = result;
    for (const name of table) {
      const existing = ownValue(target, name);
      // a copy: with a YAML anchor other tables may share the object
      const inner = isConfigMap(existing) ? { ...existing } : {};
      setOwn(target, name, inner);
      target = inner;
    }
    for (const key of remove) delete target[key];
    Object.assign(target, set);
  }
  return result;
}
