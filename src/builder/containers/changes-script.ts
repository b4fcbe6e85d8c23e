import { shellWord } from './copy-commands.ts';
import { mountOf } from './mounts.ts';

/**
 * Returns a script that runs a program, then prints a token (`$0`), the exit code, and the numbers of the places that have changed:
 * all, without a `find` that can compare, or if the clock went back. What changes in the tick of the clock in which `$1` was made would
 * not count as newer.
 */
export function changesScript(places: readonly string[]): string {
  const checks = places.map((place, index) => {
    const folder = shellWord(mountOf(place, process.platform).target);
    return `newer=$(find ${folder} -cnewer "$since" 2>/dev/null) && [ -z "$newer" ] || changed="$changed ${index}"`;
  });
  const all = places.map((_, index) => ` ${index}`).join('');
  return [
    'since="$1"; shift; { true > "$since"; sleep 0.02 || sleep 1; } 2>/dev/null',
    '"$@"; code=$?; changed=',
    ...checks,
    // last: it may be in one of the places
    '{ true > "$since.end"; } 2>/dev/null',
    `[ -n "$(find "$since.end" -newer "$since" 2>/dev/null)" ] || changed='${all}'`,
    'printf %s "$0 $code$changed."; exit "$code"',
  ].join('\n');
}
