import type { VNode } from 'preact';
import { store } from '../store.ts';
import { SyncButton } from '../sync-button.tsx';
import { Waterfall } from './waterfall.tsx';

/** What each sync of the session spent its time on. */
export function TimelineView(): VNode {
  const { session, place } = store;
  const { records } = session;
  const chosen = records.find(({ id }) => place.item === `s/${id}`) ?? records.at(-1);
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="syncs">
        <ul>
          {records.toReversed().map((record) => (
            <li key={record.id}>
              <SyncButton record={record} isSelected={record === chosen} />
            </li>
          ))}
        </ul>
      </div>
      {chosen === undefined ? (
        <p class="empty">No sync in this session yet.</p>
      ) : (
        <Waterfall key={chosen.id} record={chosen} />
      )}
    </section>
  );
}
