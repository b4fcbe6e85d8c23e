import type { VNode } from 'preact';
import { api } from './api.ts';
import { store, update } from './store.ts';

/** Whether the session takes commands now. */
export function canCommand(): boolean {
  const { session, connection } = store;
  return session.ended === undefined && session.isReady && connection === 'open';
}

/** The commands of the terminal that work on everything. */
export function CommandButtons(): VNode {
  const { isHelpShown } = store;
  const isOff = !canCommand();
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
