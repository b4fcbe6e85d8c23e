import { parseJson } from './json.ts';
import type { TemplatePath } from './template-path.ts';
import { textPosition } from './yaml.ts';
import { composeDocument } from './yaml/compose.ts';
import { YamlError } from './yaml/cursor.ts';
import { targetOf } from './yaml/nodes.ts';
import type { MappingNode, SequenceNode, YamlNode } from './yaml/nodes.ts';

/** A place in a text. Both count from 1. */
export interface TextPosition {
  line: number;
  column: number;
}

/**
 * Where the value at the path begins in the template's text (a key for a value that stands in a mapping); if the path
 * is not written there, where the nearest mapping or list around it is. Reads the text again, so for messages only.
 */
export function locate(text: string, path: TemplatePath): TextPosition | undefined {
  const source = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  try {
    // JSON may be indented with tabs, YAML may not
    const root = composeDocument(parseJson(source) === undefined ? source : source.replaceAll('\t', ' '));
    return root === undefined ? undefined : textPosition(source, find(root, path, root.start));
  } catch (error) {
    if (error instanceof YamlError) return undefined;
    throw error;
  }
}

/** Offset for the path below the node; `here` is the node's own. */
function find(node: YamlNode, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return here;
  // a short tag is a level of its own: !If [...] is {Fn::If: [...]}
  const isTagged = node.type !== 'alias' && node.tag !== undefined;
  const below = isTagged && /^(?:Fn::|Ref$|Condition$)/.test(wanted) ? rest : path;
  if (node.type === 'mapping') return findInMapping(node, below, here);
  return node.type === 'sequence' ? findInSequence(node, below, here) : here;
}

function findInMapping(node: MappingNode, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  // of keys written twice the last one counts
  const entry = node.entries.findLast(({ key }) => {
    const target = targetOf(key);
    return target.type === 'scalar' && target.text === wanted;
  });
  return entry === undefined ? here : find(entry.value, rest, entry.key.start);
}

function findInSequence(node: SequenceNode, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  const item = node.items.find((_, position) => String(position) === wanted);
  return item === undefined ? here : find(item, rest, item.start);
}
