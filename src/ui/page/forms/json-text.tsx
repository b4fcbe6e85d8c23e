import { Component } from 'preact';
import type { VNode } from 'preact';
import { prettyJson } from '../format.ts';

/** Characters to show at once: the browser takes seconds for the lines of a megabyte. */
const MOST_SHOWN = 200_000;

interface JsonTextProps {
  text: string;
  before?: string;
}

interface JsonTextState {
  /** The text that the user asked for as a whole. */
  whole: string | undefined;
}

/** JSON or another text. It may have megabytes: formatted again only if it changes, not with each event of the session. */
export class JsonText extends Component<JsonTextProps, JsonTextState> {
  override state: JsonTextState = { whole: undefined };

  override shouldComponentUpdate(next: JsonTextProps, { whole }: JsonTextState): boolean {
    return next.text !== this.props.text || whole !== this.state.whole;
  }

  override render({ text, before = '' }: JsonTextProps, { whole }: JsonTextState): VNode {
    const pretty = before + prettyJson(text);
    if (pretty.length <= MOST_SHOWN || whole === text) return <pre class="text">{pretty}</pre>;
    return (
      <>
        <pre class="text">{pretty.slice(0, MOST_SHOWN)}</pre>
        <p class="empty">
          The first {MOST_SHOWN} of {pretty.length} characters.{' '}
          <button type="button" class="link" onClick={() => this.setState({ whole: text })}>
            Show all
          </button>
        </p>
      </>
    );
  }
}
