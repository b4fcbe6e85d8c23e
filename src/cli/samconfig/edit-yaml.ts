import { isMap, isScalar, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Document, Node } from 'yaml';
import type { ConfigValue } from './config-value.ts';
import type { TableEdit } from './table-edit.ts';

/**
 * Applies edits to a YAML text. Keeps comments, quotes, the indentation and the flow style of the file; aligned values and
 * repeated empty lines are normalized. Returns undefined for a text that cannot be edited. The caller checks the result.
 */
export function editYaml(text: string, edits: readonly TableEdit[], version: string): string | undefined {
  // in this schema scalars are text and stay as they are written: 012, 1.10, yes
  const document = parseDocument(text, { schema: 'failsafe' });
  if (document.errors.length > 0) return undefined;
  const root = isMap(document.contents) ? document.contents : new YAMLMap(document.schema);
  document.contents = root as typeof document.contents;
  if (!root.has('version')) root.items.unshift(document.createPair('version', plainScalar(version)));
  for (const { table, set, remove } of edits) {
    const map = table.reduce((outer, name) => mapAt(document, outer, name), root);
    for (const key of remove) map.delete(key);
    for (const [key, value] of Object.entries(set)) setValue(document, map, { key, node: nodeOf(document, value) });
  }
  const edited = document.toString({ lineWidth: 0, ...layoutOf(text) });
  return text.includes('\r\n') ? edited.replaceAll('\n', '\r\n') : edited;
}

/** Returns the map under a key, creating it if there is no map. */
function mapAt(document: Document, outer: YAMLMap, name: string): YAMLMap {
  const existing = outer.get(name, true);
  if (isMap(existing)) return existing;
  const created = new YAMLMap(document.schema);
  setValue(document, outer, { key: name, node: created });
  return created;
}

/** Sets a value, keeping the comment and quotes of a scalar that it replaces. */
function setValue(document: Document, map: YAMLMap, { key, node }: { key: string; node: Node }): void {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair === undefined) {
    map.items.push(document.createPair(scalarOf(key), node));
    return;
  }
  const old = pair.value;
  if (isScalar(old) && isScalar(node)) {
    const { comment, commentBefore, spaceBefore, type } = old;
    Object.assign(node, { comment, commentBefore, spaceBefore });
    if (type === Scalar.QUOTE_SINGLE || type === Scalar.QUOTE_DOUBLE) node.type = type;
  }
  pair.value = node;
}

/** Creates the node of a value: lists in block style, tables in flow style. */
function nodeOf(document: Document, value: ConfigValue): Node {
  if (value === null || typeof value === 'boolean') return plainScalar(String(value));
  if (typeof value === 'string') return scalarOf(value);
  if (Array.isArray(value)) {
    const list = new YAMLSeq(document.schema);
    list.items = value.map((item) => nodeOf(document, item));
    list.flow = value.length === 0;
    return list;
  }
  const map = new YAMLMap(document.schema);
  map.items = Object.entries(value).map(([key, entry]) => document.createPair(scalarOf(key), nodeOf(document, entry)));
  map.flow = true;
  return map;
}

function plainScalar(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.PLAIN;
  return scalar;
}

/** Creates a text, quoted if any YAML parser could read it as another type. */
function scalarOf(text: string): Scalar {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  const scalar = new Scalar(text);
  scalar.type = isPlain ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE;
  return scalar;
}

/** Detects the layout of a text: indentation, lists at the column of their keys, spaces inside braces. */
function layoutOf(text: string): { indent: number; indentSeq: boolean; flowCollectionPadding: boolean } {
  return {
    indent: /^( {2,8})[^\s#-]/m.exec(text)?.[1]?.length ?? 2,
    indentSeq: !/^( *)[^\s#-][^#\n]*:[ \t]*(?:#.*)?\r?\n\1- /m.test(text),
    flowCollectionPadding: /[{[] +\S/.test(text),
  };
}
