import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Returns the path of a `file:` URL, or of a path that may be relative to `dir`. */
export function pathOfUrl(url: string, dir: string): string {
  if (!url.startsWith('file:')) return path.resolve(dir, url);
  const plain = url.replace(/[#?].*$/, '');
  try {
    if (plain.startsWith('file://')) return fileURLToPath(plain);
  } catch {
    // `file://../lib`, which pip reads as a path
  }
  return path.resolve(dir, decodeURIComponent(plain.replace(/^file:(\/\/)?/, '')));
}

/** Whether an index or a link is on this machine. */
export function isLocalUrl(url: string): boolean {
  return url.startsWith('file:') || (url !== '' && !/^[\w+.-]{2,}:/.test(url));
}
