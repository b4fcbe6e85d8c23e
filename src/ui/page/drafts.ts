/** What was typed into a form and not sent. It outlives a look at another view and a reload, and ends with the tab. */
export function draftOf(name: string): string | undefined {
  return sessionStorage.getItem(name) ?? undefined;
}

/** Keeps a draft; undefined: forgets it. */
export function keepDraft(name: string, text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch {
    // it is too large for the browser's storage
  }
}
