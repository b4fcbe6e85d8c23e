import { parseJson } from './json.ts';
import type { TemplatePath } from './template-path.ts';
import { composeDocument } from './yaml/compose.ts';
import { YamlError } from './yaml/cursor.ts';
import { targetOf } from './yaml/nodes.ts';
import type { MappingNode, SequenceNode, YamlNode } from './yaml/nodes.ts';
import { TextLines } from './yaml/text-lines.ts';
import type { TextPosition } from './yaml/text-lines.ts';

/**
 * Finds where the value at a path begins in a template's text (in a mapping: its key). For a path that is not written there,
 * finds the nearest mapping or list around it.
 */
export type Locator = (path: TemplatePath) => TextPosition | undefined;

/** Creates a locator for messages. Its first call parses the text again. */
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
    // JSON allows tabs as indentation, YAML does not
    return { root: composeDocument(parseJson(source) === undefined ? source : source.replaceAll('\t', ' ')), lines };
  } catch (error) {
    if (error instanceof YamlError) return { root: undefined, lines };
    throw error;
  }
}

/** Returns the offset of the path below the node; `here` is the node's own offset. */
function find(node: YamlNode, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return here;
  // a short tag is a separate level: !If [...] is {Fn::If: [...]}
  const isTagged = node.type !== 'alias' && node.tag !== undefined;
  const below = isTagged && /^(?:Fn::|Ref$|Condition$)/.test(wanted) ? rest : path;
  if (node.type === 'mapping') return findInMapping(node, below, here);
  return node.type === 'sequence' ? findInSequence(node, below, here) : here;
}

function findInMapping(node: MappingNode, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  // the last of duplicate keys wins
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
