import { parseJson } from './json.ts';
import type { TemplatePath } from './template-path.ts';
import { composeDocument } from './yaml/compose.ts';
import { YamlError } from './yaml/cursor.ts';
import { targetOf } from './yaml/nodes.ts';
import type { MappingNode, SequenceNode, YamlNode } from './yaml/nodes.ts';
import { TextLines } from './yaml/text-lines.ts';
import type { TextPosition } from './yaml/text-lines.ts';

/**
 * Where the value at a path begins in a template's text (the key, for a value in a mapping). If the path is not written
 * there, where the nearest mapping or list around it is.
 */
export type Locator = (path: TemplatePath) => TextPosition | undefined;

/** For messages only: the first call reads the text again. */
export function createLocator(text: string): Locator {
  let places: Places | undefined;
  return (path) => {
    places ??= readPlaces(text.startsWith('\u{FEFF}') ? text.slice(1) : text);
    const { root, lines } = places;
    return root === undefined ? undefined : lines.positionOf(find(root, path, root.start));
  };
}

interface Places {
  root: YamlNode | undefined;
  lines: TextLines;
}

function readPlaces(source: string): Places {
  const lines = new TextLines(source);
  try {
    // JSON may be indented with tabs, YAML may not
    return { root: composeDocument(parseJson(source) === undefined ? source : source.replaceAll('\t', ' ')), lines };
  } catch (error) {
    if (error instanceof YamlError) return { root: undefined, lines };
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
