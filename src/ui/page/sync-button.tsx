import type { VNode } from 'preact';
import { outcomeOf, titleOf } from '../model/records.ts';
import type { SyncRecord } from '../model/records.ts';
import { formatMs, formatTime } from './format.ts';
import { go } from './store.ts';

/** A sync in the list of the timeline. */
export function SyncButton({ record, isSelected }: { record: SyncRecord; isSelected: boolean }): VNode {
  const { id, start, end, ids } = record;
  const state = end === undefined ? 'updating' : outcomeOf(record) === 'failed' ? 'failed' : 'in-sync';
  return (
    <button
      type="button"
      class={isSelected ? 'row selected' : 'row'}
      aria-pressed={isSelected}
      onClick={() => go({ item: `s/${id}` })}
    >
      <i class={`icon state-${state}`} />
      <span class="name">{titleOf(record)}</span>
      <span class="fact">
        {formatTime(start)} · {end === undefined ? 'running' : formatMs(end - start)} · {ids.length}{' '}
        {ids.length === 1 ? 'resource' : 'resources'}
      </span>
    </button>
  );
}
