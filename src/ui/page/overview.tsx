import type { VNode } from 'preact';
import { outcomeOf, titleOf } from '../model/records.ts';
import { placeBeside } from '../model/headline.ts';
import { formatAgo, formatMs, formatTime } from './format.ts';
import { go, store } from './store.ts';

/** Syncs and messages that it lists. */
const MOST_SYNCS = 6;
const MOST_NOTES = 12;

/** Nothing is selected: the stack, its outputs and messages. */
export function Overview(): VNode {
  const { session } = store;
  const { stack, outputs, notes, stackName, resources, facts, records } = session;
  const ahead = [...resources.values()].filter(
    (row) => row.undeployed.length > 0 || (facts?.resources.find(({ id }) => id === row.id)?.ahead.length ?? 0) > 0,
  );
  return (
    <section class="detail overview" aria-label="Stack">
      <div class="title">
        <h2>Stack {stackName}</h2>
        <span class="type">{stack.state.replace('-', ' ')}</span>
      </div>
      {stack.failure !== undefined && (
        <div class="box box-failed" role="alert">
          <strong>The deployment failed</strong>
          {placeBeside(stack.failure) !== undefined && <code class="place">{placeBeside(stack.failure)}</code>}
          <pre>{stack.failure.message}</pre>
          {stack.failure.hint !== undefined && <p>{stack.failure.hint}</p>}
        </div>
      )}
      <p class="sentence">
        {stack.lastSync === undefined
          ? 'CloudFormation changed nothing in this session.'
          : `Deployed ${formatAgo(Date.now() - stack.lastSync.at)}.`}{' '}
        {ahead.length === 0
          ? 'No resource is known to be ahead of it.'
          : `${ahead.length === 1 ? '1 resource is' : `${ahead.length} resources are`} ahead of it: ${ahead
              .slice(0, 8)
              .map(({ id }) => id)
              .join(', ')}${ahead.length > 8 ? ' …' : ''}.`}
      </p>
      {records.length > 0 && (
        <>
          <h3>Last syncs</h3>
          <ul class="last-syncs">
            {records
              .slice(-MOST_SYNCS)
              .toReversed()
              .map((record) => (
                <li key={record.id}>
                  <time>{formatTime(record.start)}</time>
                  <button type="button" class="link" onClick={() => go({ view: 'timeline', item: `s/${record.id}` })}>
                    {titleOf(record)}
                  </button>
                  <span class={outcomeOf(record) === 'failed' ? 'is-bad' : ''}>{outcomeOf(record)}</span>
                  <span class="time">{record.end === undefined ? '' : formatMs(record.end - record.start)}</span>
                </li>
              ))}
          </ul>
        </>
      )}
      {outputs.length > 0 && (
        <>
          <h3>Outputs</h3>
          <dl class="outputs">
            {outputs.map(({ key, value, local, description }) => (
              <div key={key}>
                <dt title={description}>{key}</dt>
                <dd>{local ?? value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {notes.length > 0 && (
        <>
          <h3>Messages</h3>
          <ul class="notes">
            {notes
              .toReversed()
              .slice(0, MOST_NOTES)
              .map(({ at, level, text, hint }) => (
                <li key={`${at} ${text}`} class={`note-${level}`}>
                  <time>{formatTime(at)}</time>
                  <span>
                    {text}
                    {hint !== undefined && <small>{hint}</small>}
                  </span>
                </li>
              ))}
          </ul>
        </>
      )}
    </section>
  );
}
