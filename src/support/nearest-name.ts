import { distance } from 'fastest-levenshtein';

/** Returns the most similar candidate, in any case; undefined if none is similar. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const bare = bareName(name);
  let best: string | undefined;
  let least = allowedDistance(bare.length) + 1;
  for (const candidate of candidates) {
    const away = distance(bare, bareName(candidate));
    if (away >= least) continue;
    best = candidate;
    least = away;
  }
  return best;
}

/** Options are compared without their dashes: `--nope` is not like `--code`. */
function bareName(name: string): string {
  return name.replace(/^-+/, '').toLowerCase();
}

/** Two letters differ in `tabel`; in short words they make another word. */
function allowedDistance(length: number): number {
  if (length < 5) return Math.min(1, length - 1);
  return Math.max(2, Math.floor(length / 3));
}
