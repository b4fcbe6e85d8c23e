import type { ScalarNode } from './nodes.ts';

/** `&name` or `*name`. */
export interface NameToken {
  type: 'anchor' | 'alias';
  start: number;
  text: string;
}

/** `!name`: its handle (`!`, `!!`, `!x!`; undefined for a full tag) and the rest. */
export interface TagToken {
  type: 'tag';
  start: number;
  handle: string | undefined;
  text: string;
}

/** `%YAML 1.1`, `%TAG !x! prefix` (`handle` and `text`), or an unknown directive. */
export interface DirectiveToken {
  type: 'directive';
  start: number;
  name: string;
  handle: string | undefined;
  text: string;
}

/** A token with nothing but a type and a position. */
export interface MarkToken {
  type:
    | 'document-start'
    | 'document-end'
    | 'block-sequence'
    | 'block-mapping'
    | 'block-end'
    | 'item'
    | 'key'
    | 'value'
    | '['
    | ']'
    | '{'
    | '}'
    | ','
    | 'end';
  start: number;
}

/** The tokens of a YAML text. `item` is a `-`, `value` a `:`, `key` a `?` or the start of a key without one. */
export type Token = ScalarNode | NameToken | TagToken | DirectiveToken | MarkToken;

/** Describes a token in messages. */
export function describeToken(token: Token): string {
  switch (token.type) {
    case 'scalar':
      return token.text.length > 20 ? `"${token.text.slice(0, 20)}…"` : `"${token.text}"`;
    case 'anchor':
      return `&${token.text}`;
    case 'alias':
      return `*${token.text}`;
    case 'tag':
      return `the tag ${token.handle ?? '!'}${token.text}`;
    default:
      return NAMES[token.type] ?? token.type;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  directive: 'a directive',
  'document-start': 'a new document',
  'document-end': 'the end of the document',
  'block-sequence': 'a list at another indentation',
  'block-mapping': 'a mapping at another indentation',
  'block-end': 'the end of the block',
  item: '"-"',
  key: 'a key',
  value: '":"',
  end: 'the end of the file',
};
