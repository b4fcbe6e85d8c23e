import { api } from '../api.ts';
import { redraw } from '../store.ts';

const MOST_EVENTS = 10;

let texts: Record<string, string[]> | undefined;

/** Events that were sent before, newest first; undefined until they are read. */
export function rememberedOf(name: string): readonly string[] | undefined {
  if (texts !== undefined) return Object.hasOwn(texts, name) ? (texts[name] ?? []) : [];
  void read();
  return undefined;
}

async function read(): Promise<void> {
  try {
    texts = await api.remembered();
  } catch {
    texts = {};
  }
  redraw();
}

/** Remembers an event that is sent, also for later sessions. */
export function remember(name: string, text: string): void {
  const others = (rememberedOf(name) ?? []).filter((one) => one !== text);
  texts = { ...texts, [name]: [text, ...others].slice(0, MOST_EVENTS) };
  void api.remember(name, text).catch(() => {});
}
