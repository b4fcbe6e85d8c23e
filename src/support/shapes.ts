/**
 * Reads untrusted data: files of package managers and tools, responses, our own state files that may be damaged. A reader
 * returns the value if it has the expected shape, else undefined. Never throws.
 */
export type Reader<T> = (value: unknown) => T | undefined;

/** Parses JSON; undefined if invalid. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    return undefined;
  }
}

export const text: Reader<string> = (value) => (typeof value === 'string' ? value : undefined);

export const flag: Reader<boolean> = (value) => (typeof value === 'boolean' ? value : undefined);

/** A non-negative safe integer. */
export const count: Reader<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** A mapping with any values. */
export const fields: Reader<Readonly<Record<string, unknown>>> = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

/** Creates a reader of lists whose items all have the shape. */
export function listOf<T>(item: Reader<T>): Reader<T[]> {
  return (value) => (Array.isArray(value) ? all(value.map((one) => item(one))) : undefined);
}

/** The texts of a list; none if something else was written. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** Creates a reader of mappings whose values all have the shape. */
export function recordOf<T>(item: Reader<T>): Reader<Record<string, T>> {
  return (value) => {
    const map = fields(value);
    const entries = map && all(Object.entries(map).map(([name, one]) => pair(name, item(one))));
    return entries && Object.fromEntries(entries);
  };
}

/** Creates a reader that tries two readers in order. */
export function either<A, B>(one: Reader<A>, other: Reader<B>): Reader<A | B> {
  return (value) => one(value) ?? other(value);
}

function pair<T>(name: string, value: T | undefined): [string, T] | undefined {
  return value === undefined ? undefined : [name, value];
}

function all<T>(items: readonly (T | undefined)[]): T[] | undefined {
  const whole = items.filter((item): item is T & {} => item !== undefined);
  return whole.length === items.length ? whole : undefined;
}
