import { createHash } from 'node:crypto';

/** A part of a key; the keys of mappings count in sorted order. */
export type KeyPart = string | number | boolean | null | undefined | readonly KeyPart[] | { [name: string]: KeyPart };

/** Returns the name of a build in the cache, from everything that decides its content. 32 hex digits. */
export function keyOf(...parts: readonly KeyPart[]): string {
  return hashOf(...parts).slice(0, 32);
}

/** Returns the SHA-256 of the same, in hex: no one can find other parts with the same hash. */
export function hashOf(...parts: readonly KeyPart[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts.map(sorted)))
    .digest('hex');
}

function sorted(part: KeyPart): unknown {
  if (part === undefined) return null;
  if (Array.isArray(part)) return part.map(sorted);
  if (typeof part !== 'object' || part === null) return part;
  const names = Object.keys(part).sort();
  return names.map((name) => [name, sorted((part as { [name: string]: KeyPart })[name])]);
}

/** Removes logins from the URLs in a text: a renewed token must not install everything again. */
export function withoutLogins(text: string): string {
  return text.replace(/(\w+:\/\/)[^/@\s]+@/g, '$1');
}

/** Removes the lines that hold logins from the settings of a package manager (`.npmrc`, `.yarnrc.yml`). */
export function withoutLoginLines(text: string): string {
  const login = /(?:_auth|_authToken|_password|username|npmAuthToken|npmAuthIdent)["']?\s*[:=]/;
  return withoutLogins(
    text
      .split('\n')
      .filter((line) => !login.test(line))
      .join('\n'),
  );
}
