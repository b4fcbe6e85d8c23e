import { slipsBetween } from '../../support/nearest-name.ts';

/**
 * Returns the known name that a name is a slip of: another case, one letter more or less, two swapped. Stricter than
 * `nearestName`, because a template is refused for it: a name of a service's next release must not count as a slip.
 */
export function meantName(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > 2) continue;
    const away = isSpelledLike(name, candidate) ? 0 : slipsBetween(name, candidate);
    if (away <= allowedSlips(name) && (best === undefined || away < best.distance) && !isOtherVersion(name, candidate))
      best = { name: candidate, distance: away };
  }
  return best?.name;
}

function allowedSlips({ length }: string): number {
  if (length < 3) return 0;
  return length < 6 ? 1 : 2;
}

function isSpelledLike(one: string, other: string): boolean {
  return withoutCase(one) === withoutCase(other);
}

function withoutCase(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

/** `DomainNameV2` is no slip of `DomainName`, nor `Http2` of `Http1`. */
function isOtherVersion(one: string, other: string): boolean {
  return /\d/.test(one + other) && withoutVersion(one) === withoutVersion(other);
}

function withoutVersion(name: string): string {
  return name.replaceAll(/V?\d+/g, '');
}
