import { YamlError } from './cursor.ts';
import { failTooDeep, MAX_DEPTH } from './limits.ts';
import { mappingNode, scalarNode, sequenceNode } from './nodes.ts';
import type { AnchoredNode, MappingEntry, MappingNode, ScalarNode, SequenceNode, YamlNode } from './nodes.ts';
import { Scanner } from './scanner.ts';
import { describeToken } from './tokens.ts';
import type { MarkToken, Token } from './tokens.ts';

/** The prefix of YAML's own tags, `!!name`. */
export const CORE_TAG = 'tag:yaml.org,2002:';

/** Composes the only document of a text; undefined if the text is empty. Throws `YamlError`. */
export function composeDocument(text: string): YamlNode | undefined {
  return new Composer(new Scanner(text)).readStream();
}

/** Tokens before which a node may be missing. */
type Ends = ReadonlySet<Token['type']>;

const AFTER_ITEM: Ends = new Set(['item', 'block-end']);
const AFTER_UNINDENTED_ITEM: Ends = new Set(['item', 'key', 'value', 'block-end']);
const IN_BLOCK_MAPPING: Ends = new Set(['key', 'value', 'block-end']);
const FLOW_SEQUENCE_KEY: Ends = new Set(['value', ',', ']']);
const FLOW_SEQUENCE_VALUE: Ends = new Set([',', ']']);
const FLOW_MAPPING_KEY: Ends = new Set(['value', ',', '}']);
const FLOW_MAPPING_VALUE: Ends = new Set([',', '}']);
const DOCUMENT_ENDS: Ends = new Set(['directive', 'document-start', 'document-end', 'end']);

/** The styles allowed at a position: flow only, also block, also a block list that is not indented. */
type Allowed = 'flow' | 'block' | 'unindented';

class Composer {
  private readonly scanner: Scanner;
  /** The next token. */
  private token: Token;
  private depth = 0;
  private readonly anchors = new Map<string, AnchoredNode>();
  private handles = new Map([
    ['!', '!'],
    ['!!', CORE_TAG],
  ]);

  constructor(scanner: Scanner) {
    this.scanner = scanner;
    this.token = scanner.next();
  }

  readStream(): YamlNode | undefined {
    let root: YamlNode | undefined;
    const { type } = this.token;
    if (type === 'directive' || type === 'document-start') {
      this.readDirectives();
      const { start } = this.take('document-start', 'expected --- at the start of the document');
      root = this.readOptional(DOCUMENT_ENDS, 'block', start);
    } else if (type !== 'end') root = this.readNode('block');
    while (this.token.type === 'document-end') this.skip();
    if (this.token.type === 'document-start' || this.token.type === 'directive')
      this.fail('only one document is allowed');
    this.take('end', 'expected the end of the file');
    return root;
  }

  private readDirectives(): void {
    const own = new Map<string, string>();
    let hasVersion = false;
    for (let { token } = this; token.type === 'directive'; { token } = this) {
      if (token.name === 'YAML') {
        if (hasVersion || !token.text.startsWith('1.'))
          this.fail('only one %YAML directive is allowed, with version 1.1 or 1.2');
        hasVersion = true;
      } else if (token.handle !== undefined) {
        if (own.has(token.handle)) this.fail(`duplicate tag handle ${token.handle}`);
        own.set(token.handle, token.text);
      }
      this.skip();
    }
    this.handles = new Map([...this.handles, ...own]);
  }

  private readNode(allowed: Allowed): YamlNode {
    if (++this.depth > MAX_DEPTH) failTooDeep(this.token.start);
    const { token } = this;
    let node: YamlNode;
    if (token.type === 'alias') node = this.readAlias(token);
    else if (token.type === 'anchor' || token.type === 'tag') node = this.readWithProperties(allowed);
    else node = this.readContent(allowed) ?? this.fail(`expected a value, found ${describeToken(token)}`);
    this.depth--;
    return node;
  }

  private readAlias(token: { text: string; start: number }): YamlNode {
    const target = this.anchors.get(token.text);
    if (target === undefined) this.fail(`there is no anchor &${token.text} before this alias`);
    this.skip();
    return { type: 'alias', start: token.start, target };
  }

  /** A node with a tag, an anchor, or both in any order. */
  private readWithProperties(allowed: Allowed): AnchoredNode {
    const { start } = this.token;
    let tag: { name: string; start: number } | undefined;
    let anchor: string | undefined;
    for (;;) {
      const { token } = this;
      if (token.type === 'anchor' && anchor === undefined) anchor = token.text;
      else if (token.type === 'tag' && tag === undefined)
        tag = { name: this.resolveTag(token.handle, token.text), start: token.start };
      else break;
      this.skip();
    }
    const node = this.readContent(allowed) ?? emptyNode(this.token.start);
    Object.assign(node, { start, tag: tag?.name, tagStart: tag?.start ?? -1, anchor });
    if (anchor !== undefined) {
      if (this.anchors.has(anchor)) this.fail(`duplicate anchor &${anchor}`, start);
      this.anchors.set(anchor, node);
    }
    return node;
  }

  private resolveTag(handle: string | undefined, text: string): string {
    if (handle === undefined) return text;
    const prefix = this.handles.get(handle);
    return prefix === undefined ? this.fail(`undeclared tag handle ${handle}`) : prefix + text;
  }

  /** undefined if no node starts here. */
  private readContent(allowed: Allowed): AnchoredNode | undefined {
    const { token } = this;
    switch (token.type) {
      case 'scalar':
        this.skip();
        return token;
      case '[':
        return this.readFlowSequence(token.start);
      case '{':
        return this.readFlowMapping(token.start);
      case 'item':
        return allowed === 'unindented' ? this.readBlockSequence(token.start, AFTER_UNINDENTED_ITEM) : undefined;
      case 'block-sequence':
        return allowed === 'flow' ? undefined : this.readIndentedSequence(token.start);
      case 'block-mapping':
        return allowed === 'flow' ? undefined : this.readBlockMapping(token.start);
      default:
        return undefined;
    }
  }

  /** A node, or an empty scalar before one of these tokens. */
  private readOptional(ends: Ends, allowed: Allowed, start = this.token.start): YamlNode {
    return ends.has(this.token.type) ? emptyNode(start) : this.readNode(allowed);
  }

  private readIndentedSequence(start: number): SequenceNode {
    this.skip();
    const node = this.readBlockSequence(start, AFTER_ITEM);
    this.take('block-end', 'expected a list item at the same indentation as the previous one');
    return node;
  }

  private readBlockSequence(start: number, ends: Ends): SequenceNode {
    const items: YamlNode[] = [];
    while (this.token.type === 'item') {
      this.skip();
      items.push(this.readOptional(ends, 'block'));
    }
    return sequenceNode(start, items);
  }

  private readBlockMapping(start: number): MappingNode {
    this.skip();
    const entries: MappingEntry[] = [];
    while (this.token.type === 'key') {
      const key = this.readKey(IN_BLOCK_MAPPING, 'unindented');
      entries.push({ key, value: this.readValue(IN_BLOCK_MAPPING, 'unindented') });
    }
    this.take('block-end', 'expected a key at the same indentation as the previous one');
    return mappingNode(start, entries);
  }

  private readKey(ends: Ends, allowed: Allowed): YamlNode {
    const { start } = this.token;
    this.skip();
    return this.readOptional(ends, allowed, start);
  }

  /** The value after `:`, or an empty scalar. */
  private readValue(ends: Ends, allowed: Allowed): YamlNode {
    const { type, start } = this.token;
    if (type !== 'value') return emptyNode(start);
    this.skip();
    return this.readOptional(ends, allowed, start);
  }

  private readFlowSequence(start: number): SequenceNode {
    const items: YamlNode[] = [];
    this.readFlow(']', () => {
      const { token } = this;
      if (token.type === 'key') {
        // [key: value] is a list of one mapping
        const key = this.readKey(FLOW_SEQUENCE_KEY, 'flow');
        items.push(mappingNode(token.start, [{ key, value: this.readValue(FLOW_SEQUENCE_VALUE, 'flow') }]));
      } else items.push(this.readNode('flow'));
    });
    return sequenceNode(start, items);
  }

  private readFlowMapping(start: number): MappingNode {
    const entries: MappingEntry[] = [];
    this.readFlow('}', () => {
      if (this.token.type === 'key') {
        const key = this.readKey(FLOW_MAPPING_KEY, 'flow');
        entries.push({ key, value: this.readValue(FLOW_MAPPING_VALUE, 'flow') });
      } else entries.push({ key: this.readNode('flow'), value: emptyNode(this.token.start) });
    });
    return mappingNode(start, entries);
  }

  private readFlow(close: ']' | '}', readEntry: () => void): void {
    const { start } = this.token;
    this.skip();
    for (let isFirst = true; this.token.type !== close; isFirst = false) {
      if (this.token.type === 'end') this.fail(`this ${close === ']' ? '[' : '{'} is never closed`, start);
      if (!isFirst) {
        this.take(',', `expected a comma or ${close}`);
        if (this.token.type === close) break;
      }
      readEntry();
    }
    this.skip();
  }

  private take(type: MarkToken['type'], complaint: string): Token {
    const { token } = this;
    if (token.type !== type) this.fail(`${complaint}, found ${describeToken(token)}`);
    this.skip();
    return token;
  }

  private skip(): void {
    this.token = this.scanner.next();
  }

  private fail(reason: string, offset = this.token.start): never {
    throw new YamlError(reason, offset);
  }
}

function emptyNode(start: number): ScalarNode {
  return scalarNode(start, start, '', 'plain');
}
