import { distance } from 'fastest-levenshtein';

/** Returns the most similar candidate, in any case; undefined if none is similar. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const bare = bareName(name);
  let best: string | undefined;
  let least = allowedDistance(bare.length) + 1;
  for (const candidate of candidates) {
    const away = slipsBetween(bare, bareName(candidate));
    if (away >= least) continue;
    best = candidate;
    least = away;
  }
  return best;
}

/** Counts the letters that differ; two that are swapped count once. */
export function slipsBetween(one: string, other: string): number {
  return isSwapped(one, other) ? 1 : distance(one, other);
}

function isSwapped(one: string, other: string): boolean {
  if (one.length !== other.length || one === other) return false;
  let at = 0;
  while (one[at] === other[at]) at++;
  const swapped = `${one.slice(0, at)}${one[at + 1] ?? ''}${one[at]}${one.slice(at + 2)}`;
  return swapped === other;
}

/** Options are compared without their dashes: `--nope` is not like `--code`. */
function bareName(name: string): string {
  return name.replace(/^-+/, '').toLowerCase();
}

/** In short words two other letters make another word. */
function allowedDistance(length: number): number {
  if (length < 5) return Math.min(1, length - 1);
  return Math.max(2, Math.floor(length / 3));
}
