import type { VNode } from 'preact';
import type { SyncRecord } from '../../model/records.ts';
import { isOf } from '../../model/spans.ts';
import { colorOf, formatMs, formatTime } from '../format.ts';
import { go } from '../store.ts';

/** Spans that are listed at once. */
const MOST_SHOWN = 40;
/** Shorter ones (ms) are in the timeline only. */
const SHORTEST = 1;

/** What a sync did for a resource, and how long each part took. */
export function Breakdown({
  record,
  id,
  physicalId,
}: {
  record: SyncRecord;
  id: string;
  physicalId: string | undefined;
}): VNode {
  const spans = record.spans
    .filter((span) => isOf(span, id, physicalId) && span.end - span.start >= SHORTEST)
    .toSorted((one, other) => one.start - other.start || other.end - one.end);
  const start = Math.min(...spans.map((span) => span.start));
  const end = Math.max(...spans.map((span) => span.end));
  const whole = Math.max(1, end - start);
  const outcome = record.failed.includes(id)
    ? 'failed'
    : record.changed.includes(id)
      ? 'synced'
      : record.end === undefined
        ? 'running'
        : 'unchanged';
  return (
    <div class="breakdown">
      <p class="sentence">
        <strong>{outcome}</strong>{' '}
        {record.files.length > 0 && (
          <>
            after {record.files.join(', ')} {record.files.length === 1 ? 'was' : 'were'} saved
          </>
        )}{' '}
        at {formatTime(record.start)}
        {spans.length > 0 && <>, {formatMs(end - start)}</>}{' '}
        <button
          type="button"
          class="link"
          onClick={() => go({ view: 'timeline', item: `s/${record.id}`, isTrying: false })}
        >
          Timeline
        </button>
      </p>
      <ol>
        {spans.slice(0, MOST_SHOWN).map((span, index) => (
          <li key={index} class={span.failed ? 'failed' : ''} title={span.detail}>
            <span class="label">{span.label.replace(` ${id}`, '')}</span>
            <span class="track">
              <i
                style={{
                  background: colorOf(span.kind),
                  left: `${((span.start - start) / whole) * 100}%`,
                  width: `${Math.max(0.7, ((span.end - span.start) / whole) * 100)}%`,
                }}
              />
            </span>
            <span class="time">{formatMs(span.end - span.start)}</span>
          </li>
        ))}
      </ol>
      {spans.length > MOST_SHOWN && <p class="empty">{spans.length - MOST_SHOWN} more in the timeline.</p>}
    </div>
  );
}
