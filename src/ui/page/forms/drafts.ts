/** Drafts of this page. The browser may write its own storage to disk: what must not be there is here only. */
const drafts = new Map<string, string>();

/** What was typed into a form. It outlives a look at another view and a reload, and ends with the tab. */
export function draftOf(name: string): string | undefined {
  return drafts.get(name) ?? sessionStorage.getItem(name) ?? undefined;
}

/** Keeps a draft; `stored` is what a reload finds of it. */
export function keepDraft(name: string, text: string, stored = text): void {
  drafts.set(name, text);
  try {
    sessionStorage.setItem(name, stored);
  } catch {
    // it is too large for the browser's storage
  }
}

/** Forgets a draft. */
export function forgetDraft(name: string): void {
  drafts.delete(name);
  sessionStorage.removeItem(name);
}
