import { api } from './api.ts';
import { canCommand } from './command-buttons.tsx';
import { go, store, update } from './store.ts';
import type { Place } from './store.ts';

/** The keys of the page. `r` and `d` are those of the terminal. */
export const PAGE_KEYS = [
  { key: '/', help: 'filter' },
  { key: '↑ ↓', help: 'next and previous resource' },
  { key: 'Enter', help: 'try the selected resource' },
  { key: 'Ctrl+↵', help: 'send the form' },
  { key: 'Esc', help: 'back' },
  { key: '1 2 3', help: 'resources, timeline, logs' },
  { key: 'r', help: 'compare all resources with the cloud and sync the differences' },
  { key: 'd', help: 'deploy the stack, even if its template did not change' },
  { key: '?', help: 'show this help' },
] as const;

const VIEWS: readonly Place['view'][] = ['resources', 'timeline', 'logs'];

/** Handles a key, unless it is typed into a field. */
export function handleKey(event: KeyboardEvent): void {
  const { key } = event;
  // Escape and Enter of an input method
  if (event.isComposing) return;
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  const isTyping = target?.matches('input, textarea, select') === true;
  if (key === 'Escape') {
    if (isTyping) target.blur();
    else if (store.isHelpShown) update({ isHelpShown: false });
    else if (store.place.isTrying) go({ isTrying: false });
    else go({ item: undefined });
    return;
  }
  // the help is above everything
  if (store.isHelpShown && key !== '?') return;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const view = VIEWS[Number(key) - 1];
  if (view !== undefined) return go({ view, item: undefined, isTrying: false });
  switch (key) {
    case 'r':
      return command(event, api.sync);
    case 'd':
      return command(event, api.deploy);
    case '?':
      return update({ isHelpShown: !store.isHelpShown });
    case '/': {
      event.preventDefault();
      document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
      return;
    }
    case 'ArrowDown':
    case 'ArrowUp':
      if (store.place.view === 'resources' && move(key === 'ArrowDown' ? 1 : -1)) event.preventDefault();
      return;
    case 'Enter':
      if (store.place.item === undefined || !isOnSelection(target)) return;
      event.preventDefault();
      return go({ view: 'resources', isTrying: true }, focusForm);
    default:
  }
}

/** Runs a command once, when its button can be clicked. */
function command({ repeat }: KeyboardEvent, run: () => Promise<object>): void {
  if (!repeat && canCommand()) run().catch(() => {});
}

/** Whether the key is for what is selected: other buttons have their own use of it. */
function isOnSelection(target: HTMLElement | undefined): boolean {
  return target === document.body || target?.dataset['item'] === store.place.item;
}

/** Focuses the field that is changed most often. */
function focusForm(): void {
  document.querySelector<HTMLElement>('.detail .try :is(input, textarea)')?.focus();
}

/** Selects the next row; false: there is none. */
function move(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-item]')];
  const now = rows.findIndex((row) => row.dataset['item'] === store.place.item);
  const next = rows[now < 0 ? (by > 0 ? 0 : rows.length - 1) : now + by];
  if (next === undefined) return false;
  go({ item: next.dataset['item'] });
  next.focus();
  return true;
}
