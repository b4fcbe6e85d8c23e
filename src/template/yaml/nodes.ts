interface NodeProperties {
  /** Offset of its first character: of the tag, the anchor or the content. */
  start: number;
  /** `!Name` for CloudFormation's tags, the full name for YAML's own, `!` for the non-specific tag. */
  tag: string | undefined;
  /** Offset of the tag, or -1. */
  tagStart: number;
  anchor: string | undefined;
}

/** How a scalar is written: plain, `'`, `"` or as a block (`|`, `>`). */
export type ScalarStyle = 'plain' | 'quoted' | 'block';

/** A text that is not yet resolved to a number or another type. */
export interface ScalarNode extends NodeProperties {
  type: 'scalar';
  text: string;
  style: ScalarStyle;
  /** Offset after its last character (or quote). */
  end: number;
}

/** A list. */
export interface SequenceNode extends NodeProperties {
  type: 'sequence';
  items: YamlNode[];
}

/** A mapping. Keys may be any node, and may repeat. */
export interface MappingNode extends NodeProperties {
  type: 'mapping';
  entries: MappingEntry[];
}

/** A key with its value. */
export interface MappingEntry {
  key: YamlNode;
  value: YamlNode;
}

/** `*name`, with the node it refers to. */
export interface AliasNode {
  type: 'alias';
  start: number;
  target: AnchoredNode;
}

/** A node that an anchor can name. */
export type AnchoredNode = ScalarNode | SequenceNode | MappingNode;

/** A piece of a YAML document. */
export type YamlNode = AnchoredNode | AliasNode;

/** A scalar without tag and anchor. */
export function scalarNode(start: number, end: number, text: string, style: ScalarStyle): ScalarNode {
  return {
    type: 'scalar',
    start,
    tag: undefined,
    tagStart: -1,
    anchor: undefined,
    text,
    style,
    end,
  };
}

/** A list without tag and anchor. */
export function sequenceNode(start: number, items: YamlNode[]): SequenceNode {
  return { type: 'sequence', start, tag: undefined, tagStart: -1, anchor: undefined, items };
}

/** A mapping without tag and anchor. */
export function mappingNode(start: number, entries: MappingEntry[]): MappingNode {
  return { type: 'mapping', start, tag: undefined, tagStart: -1, anchor: undefined, entries };
}

/** The node itself, or the one an alias refers to. */
export function targetOf(node: YamlNode): AnchoredNode {
  return node.type === 'alias' ? node.target : node;
}
