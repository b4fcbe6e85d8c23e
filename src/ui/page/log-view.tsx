import { Component, createRef } from 'preact';
import type { VNode } from 'preact';
import type { PageLogLine } from '../commands.ts';
import { api } from './api.ts';
import { FilterField, fitsFilter } from './filter.tsx';
import { formatTime } from './format.ts';
import { createPortions } from './portions.ts';
import { store } from './store.ts';

/** Lines on the page. */
const MOST_SHOWN = 800;
/** How close to the end (px) counts as the end. */
const NEAR = 40;

let asked: { client: string; on: boolean } | undefined;

/** Asks for log lines while they are on the screen: each costs a call to CloudWatch Logs. */
export function followLogsWhileShown(): void {
  const { client, place } = store;
  const on = place.view === 'logs' && !document.hidden;
  if (client === undefined || (asked?.client === client ? asked.on : false) === on) return;
  asked = { client, on };
  if (on) store.logs = [];
  void api.logs(client, on).catch(() => {});
}

interface LogState {
  id: string;
}

/** The log lines of all functions. */
export class LogView extends Component<object, LogState> {
  override state: LogState = { id: '' };
  readonly #list = createRef<HTMLOListElement>();
  readonly #portions = createPortions();
  #isAtEnd = true;
  /** Where the end was. */
  #top = 0;

  override componentDidMount(): void {
    this.#scroll();
  }

  override componentDidUpdate(): void {
    this.#scroll();
  }

  override render(_: object, { id }: LogState): VNode {
    const { logs, logFailure, session } = store;
    const hasWords = fitsFilter();
    const fits = (line: PageLogLine): boolean => (id === '' || line.id === id) && hasWords(`${line.id} ${line.text}`);
    const all = logs.filter(fits).slice(-MOST_SHOWN);
    // the newest lines first
    const lines = all.slice(all.length - this.#portions.next(all.length));
    const ids = (session.facts?.resources ?? []).filter(({ role }) => role === 'function').map((one) => one.id);
    return (
      <section class="logs" aria-label="Logs">
        <div class="filter">
          <FilterField />
          <select
            aria-label="Function"
            value={id}
            onChange={({ currentTarget }) => this.setState({ id: currentTarget.value })}
          >
            <option value="">All functions</option>
            {ids.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </div>
        {logFailure !== undefined && (
          <div class="box box-failed" role="alert">
            <pre>{logFailure}</pre>
          </div>
        )}
        {lines.length === 0 && (
          <p class="empty">
            {logs.length === 0
              ? 'No log lines in the last 15 minutes. New ones appear here.'
              : 'Nothing fits the filter.'}
          </p>
        )}
        <ol ref={this.#list} tabIndex={0} onScroll={({ currentTarget }) => this.#onScroll(currentTarget)}>
          {lines.map((line) => (
            <LogRow key={line.number} line={line} />
          ))}
        </ol>
      </section>
    );
  }

  #scroll(): void {
    const list = this.#list.current;
    if (!list || !this.#isAtEnd) return;
    list.scrollTop = list.scrollHeight;
    this.#top = list.scrollTop;
  }

  /** Only the user leaves the end, upwards. Rows that the browser lays out late move the end away: follow it. */
  #onScroll({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void {
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      if (!this.#isAtEnd) this.#top = scrollTop;
      this.#isAtEnd = true;
    } else if (scrollTop < this.#top - NEAR) this.#isAtEnd = false;
    else this.#scroll();
  }
}

class LogRow extends Component<{ line: PageLogLine }> {
  override shouldComponentUpdate(next: { line: PageLogLine }): boolean {
    return next.line !== this.props.line;
  }

  override render({ line }: { line: PageLogLine }): VNode {
    const { id, time, text } = line;
    const look = /\b(?:ERROR|Error|Exception|Traceback|Task timed out)\b/.test(text)
      ? 'is-bad'
      : /^(?:START|END|REPORT|INIT_START)\b/.test(text)
        ? 'is-quiet'
        : '';
    return (
      <li class={look}>
        <time>{formatTime(time)}</time>
        <span class="name">{id}</span>
        <span class="text">{text}</span>
      </li>
    );
  }
}
