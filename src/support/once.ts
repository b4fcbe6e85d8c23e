/** A function that does its work the first time it is called and gives the same promise ever after. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The promise remembered under the name; made the first time. */
export function oncePerName<T>(memo: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = memo.get(name);
  if (known) return known;
  const made = make();
  memo.set(name, made);
  return made;
}
