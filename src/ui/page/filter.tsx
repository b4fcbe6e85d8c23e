import type { VNode } from 'preact';
import { store, update } from './store.ts';

/** The field of the filter, which all views share. */
export function FilterField(): VNode {
  return (
    <input
      type="search"
      placeholder="Filter  /"
      aria-label="Filter"
      value={store.filter}
      onInput={({ currentTarget }) => update({ filter: currentTarget.value })}
    />
  );
}

/** Returns a test whether a text has all words of the filter. */
export function fitsFilter(): (text: string) => boolean {
  const words = store.filter.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => {
    const searched = text.toLowerCase();
    return words.every((word) => searched.includes(word));
  };
}
