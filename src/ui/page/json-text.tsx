import { Component } from 'preact';
import type { VNode } from 'preact';
import { prettyJson } from './format.ts';

interface JsonTextProps {
  text: string;
  before?: string;
}

/** JSON or another text. It may have megabytes: formatted again only if it changes, not with each event of the session. */
export class JsonText extends Component<JsonTextProps> {
  override shouldComponentUpdate(next: JsonTextProps): boolean {
    return next.text !== this.props.text;
  }

  override render({ text, before = '' }: JsonTextProps): VNode {
    return <pre class="text">{before + prettyJson(text)}</pre>;
  }
}
