import { createHash, hash as hashOf } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hashFile } from '../support/files.ts';
import { mapLimit } from '../support/map-limit.ts';
import type { CountedFile } from '../model/built-stack.ts';
import type { TreeEntry } from './zip/tree-entries.ts';

/**
 * MD5 of a file in hex: SAM CLI's S3 key for single files (docs/sam-cli-behaviour.md#package-keys). A name, not a
 * protection: the same content has the same key with both tools, so that a stack does not see new code when a team
 * alternates between them.
 */
export function fileKey(file: string): Promise<string> {
  return hashFile(file, 'md5', 'hex');
}

/** MD5 of a text in hex: SAM CLI's key for templates. */
export function textKey(text: string): string {
  return hashOf('md5', text, 'hex');
}

/** A file of a tree with its MD5 in hex. */
export interface FileSum {
  path: string;
  md5: string;
}

/** Computes the MD5 of each file of a tree. Follows links, as SAM CLI does. */
export async function readSums(entries: readonly TreeEntry[]): Promise<FileSum[]> {
  return mapLimit(entries, 16, async (entry) => ({ path: entry.path, md5: await entryMd5(entry) }));
}

/**
 * MD5 over each file's relative path and MD5, in the order of their paths: SAM CLI's S3 key for a folder
 * (docs/sam-cli-behaviour.md#package-keys). `counted` takes part in the key without being sent.
 */
export function treeKey(files: readonly FileSum[], counted?: CountedFile): string {
  const sums = counted ? [...files, { path: counted.path, md5: textKey(counted.text) }] : [...files];
  sums.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const hash = createHash('md5');
  for (const { path, md5 } of sums) hash.update(path).update(md5);
  return hash.digest('hex');
}

/** Returns the sum of a file whose content was read already. */
export function sumOf(name: string, content: Buffer): FileSum {
  return { path: name, md5: hashOf('md5', content, 'hex') };
}

/** Smaller files are read at once and synchronously, which costs far less than a stream or promises. */
const STREAM_ABOVE = 1024 * 1024;

async function entryMd5(entry: TreeEntry): Promise<string> {
  try {
    if (entry.size > STREAM_ABOVE) return await fileKey(entry.absolute);
    return sumOf(entry.path, entry.content ?? readFileSync(entry.absolute)).md5;
  } catch (error) {
    // a dangling link, or one to a folder: use the name of its target
    if (entry.linkTarget !== undefined) return textKey(entry.linkTarget);
    throw error;
  }
}
