import * as fs from 'node:fs/promises';

/** The files of the page, which the build puts beside the bundle. */
const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;

/** A file of the page. */
export interface Asset {
  type: string;
  content: Buffer;
}

/** Reads the file of the page with this name; undefined: there is none. */
export async function readAsset(name: string): Promise<Asset | undefined> {
  if (!Object.hasOwn(TYPES, name)) return undefined;
  const file = new URL(`page/${name}`, import.meta.url);
  return { type: TYPES[name as keyof typeof TYPES], content: await fs.readFile(file) };
}
