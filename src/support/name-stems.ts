/** Returns the stems of a file's name: `a.b.ts` has `a.b.ts`, `a.b` and `a`. */
export function stemsOf(name: string): string[] {
  const parts = name.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
