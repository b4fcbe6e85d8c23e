import { setOwn } from '../../support/own-value.ts';
import { CORE_TAG } from './compose.ts';
import { YamlError } from './cursor.ts';
import { targetOf } from './nodes.ts';
import type { AliasNode, AnchoredNode, MappingNode, ScalarNode, YamlNode } from './nodes.ts';
import { failTooDeep, LimitError, MAX_ALIASED_VALUES, MAX_DEPTH } from './limits.ts';

/** The meaning of scalars and tags. `undefined`: not allowed. */
export interface Schema<Scalar> {
  /** A plain scalar without a tag; it may be empty. */
  plain(text: string): Scalar | undefined;
  /** A quoted or block scalar without a tag. */
  text(text: string): Scalar;
  /** A scalar with one of YAML's own tags, such as `int` or `str`. */
  core(type: string, text: string): Scalar | undefined;
  /** A value with the tag `!name`. */
  tagged(name: string, value: Built<Scalar>): Built<Scalar> | undefined;
}

/** Scalars in lists and mappings. */
export type Built<Scalar> = Scalar | Built<Scalar>[] | BuiltMap<Scalar>;

/** A mapping of a document. */
interface BuiltMap<Scalar> {
  [key: string]: Built<Scalar>;
}

/** Repeated keys of the same mapping, by offset. */
export type DuplicateKeys = Map<number, string>;

/** Constructs the value of a document. The last of duplicate keys wins; adds them to `duplicates`. Throws `YamlError`. */
export function construct<Scalar>(
  root: YamlNode,
  schema: Schema<Scalar>,
  duplicates: DuplicateKeys = new Map(),
): Built<Scalar> {
  return new Constructor(schema, duplicates).value(root);
}

/** The value of a node with an anchor. */
interface Anchored<Scalar> {
  value: Built<Scalar>;
  values: number;
  height: number;
}

class Constructor<Scalar> {
  private readonly schema: Schema<Scalar>;
  private readonly duplicates: DuplicateKeys;
  private readonly anchored = new Map<AnchoredNode, Anchored<Scalar>>();
  /** Number of values so far. */
  private values = 0;
  /** Number of values from aliases. */
  private aliasedValues = 0;
  private depth = 0;
  /** The depth of the deepest value below the current node. */
  private deepest = 0;

  constructor(schema: Schema<Scalar>, duplicates: DuplicateKeys) {
    this.schema = schema;
    this.duplicates = duplicates;
  }

  value(node: YamlNode): Built<Scalar> {
    if (node.type === 'alias') return this.aliased(node);
    if (node.anchor !== undefined) return this.anchor(node);
    this.values++;
    this.deepest = Math.max(this.deepest, ++this.depth);
    const value = this.build(node);
    this.depth--;
    return value;
  }

  private anchor(node: AnchoredNode): Built<Scalar> {
    const { values, deepest } = this;
    this.values++;
    this.deepest = ++this.depth;
    const value = this.build(node);
    this.depth--;
    this.anchored.set(node, { value, values: this.values - values, height: this.deepest - this.depth });
    this.deepest = Math.max(this.deepest, deepest);
    return value;
  }

  private aliased({ target, start }: AliasNode): Built<Scalar> {
    const anchored = this.anchored.get(target);
    if (anchored === undefined) return fail('an alias cannot be inside the node it refers to', start);
    this.values += anchored.values;
    this.aliasedValues += anchored.values;
    if (this.aliasedValues > MAX_ALIASED_VALUES)
      throw new LimitError(`Aliases expand this file by more than ${MAX_ALIASED_VALUES} values`, start);
    this.deepest = Math.max(this.deepest, this.depth + anchored.height);
    if (this.deepest > MAX_DEPTH) failTooDeep(start);
    return anchored.value;
  }

  private build(node: AnchoredNode): Built<Scalar> {
    const { type, tag, tagStart } = node;
    if (type === 'scalar') return this.scalar(node);
    const value = type === 'sequence' ? node.items.map((item) => this.value(item)) : this.entriesOf(node);
    const own = type === 'sequence' ? `${CORE_TAG}seq` : `${CORE_TAG}map`;
    if (tag === undefined || tag === '!' || tag === own) return value;
    return this.tagged(tag, value, tagStart);
  }

  private scalar({ text, style, tag, tagStart, start }: ScalarNode): Built<Scalar> {
    const { schema } = this;
    if (tag === undefined && style !== 'plain') return schema.text(text);
    // with the tag `!` the text determines the type, even in quotes
    if (tag === undefined || tag === '!') {
      const value = schema.plain(text);
      return value === undefined ? fail(`${text} has a special meaning in YAML; put it in quotes`, start) : value;
    }
    if (!tag.startsWith(CORE_TAG)) return this.tagged(tag, schema.text(text), tagStart);
    const type = tag.slice(CORE_TAG.length);
    const value = schema.core(type, text);
    return value === undefined ? fail(`${showTag(tag)} ${text}`.trimEnd() + NOT_ALLOWED, tagStart) : value;
  }

  private tagged(tag: string, value: Built<Scalar>, offset: number): Built<Scalar> {
    const result = tag.startsWith('!') ? this.schema.tagged(tag.slice(1), value) : undefined;
    return result === undefined ? fail(showTag(tag) + NOT_ALLOWED, offset) : result;
  }

  private entriesOf(node: MappingNode): BuiltMap<Scalar> {
    const own: BuiltMap<Scalar> = {};
    const merged: BuiltMap<Scalar>[] = [];
    for (const { key: keyNode, value: valueNode } of node.entries) {
      if (!isPlainKey(keyNode) && isMergeKey(targetOf(keyNode))) {
        merged.push(...this.mergeSources(valueNode));
        continue;
      }
      const key = this.key(keyNode);
      if (Object.hasOwn(own, key)) this.duplicates.set(keyNode.start, key);
      setOwn(own, key, this.value(valueNode));
    }
    if (merged.length === 0) return own;
    const all: BuiltMap<Scalar> = {};
    for (const map of [...merged, own]) for (const [key, value] of Object.entries(map)) setOwn(all, key, value);
    return all;
  }

  /** A key is its text: `200`, `On` and `012` stay as written, as in CloudFormation's JSON. */
  private key(node: YamlNode): string {
    if (isPlainKey(node)) return node.text;
    const target = targetOf(node);
    const isTagged = target.tag !== undefined && target.tag !== '!';
    if (target.type !== 'scalar' || (isTagged && target.tag?.startsWith('!')))
      return fail('the key of a mapping must be a string', node.start);
    // its value does not matter, but it must have one, and aliases may refer to it
    if (isTagged || target.anchor !== undefined) this.value(node);
    return target.text;
  }

  /** Returns the mappings that `<<` merges, lowest precedence first: in a list the earlier one wins. Ignores their tags. */
  private mergeSources(node: YamlNode): BuiltMap<Scalar>[] {
    this.value(node);
    const list = targetOf(node);
    const sources = list.type === 'sequence' ? list.items.toReversed() : [node];
    return sources.map((source) => {
      const target = targetOf(source);
      if (target.type === 'mapping') return this.entriesOf(target);
      return fail('the merge key << takes a mapping or a list of mappings', node.start);
    });
  }
}

const NOT_ALLOWED = ' is not allowed here';

/** Returns whether the key is a scalar without tag or anchor. */
function isPlainKey(node: YamlNode): node is ScalarNode {
  return node.type === 'scalar' && node.tag === undefined && node.anchor === undefined && node.text !== '<<';
}

function isMergeKey(node: AnchoredNode): boolean {
  if (node.type !== 'scalar') return false;
  if (node.tag === `${CORE_TAG}merge`) return true;
  return node.text === '<<' && (node.tag === '!' || (node.tag === undefined && node.style === 'plain'));
}

function showTag(tag: string): string {
  if (tag.startsWith(CORE_TAG)) return `!!${tag.slice(CORE_TAG.length)}`;
  return tag.startsWith('!') ? tag : `!<${tag}>`;
}

function fail(reason: string, offset: number): never {
  throw new YamlError(reason, offset);
}
