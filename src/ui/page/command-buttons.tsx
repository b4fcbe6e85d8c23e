import type { VNode } from 'preact';
import { api } from './api.ts';
import { store, update } from './store.ts';

/** The commands of the terminal that work on everything. */
export function CommandButtons(): VNode {
  const { session, isHelpShown, connection } = store;
  const isOff = session.ended !== undefined || !session.isReady || connection !== 'open';
  return (
    <div class="commands">
      <button
        type="button"
        disabled={isOff}
        title="Compare with the cloud and sync the differences (r)"
        onClick={() => void api.sync().catch(() => {})}
      >
        Sync all
      </button>
      <button
        type="button"
        disabled={isOff}
        title="Deploy the stack (d)"
        onClick={() => void api.deploy().catch(() => {})}
      >
        Deploy
      </button>
      <button
        type="button"
        class="help"
        title="Keys (?)"
        aria-label="Keys"
        onClick={() => update({ isHelpShown: !isHelpShown })}
      >
        ?
      </button>
    </div>
  );
}
