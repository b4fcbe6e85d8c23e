import type { Readable } from 'node:stream';
import type { ObjectOrigin } from '../../package/object-store.ts';

/** The content of a zip in a scope. */
export interface ScopeContent {
  /** A small one may have been read already. */
  body: Readable | Buffer;
  /** Where S3 can copy it from. */
  origin?: ObjectOrigin | undefined;
}

/** Returns the content in parts. */
export function chunksOf(body: ScopeContent['body']): Readable | Buffer[] {
  return Buffer.isBuffer(body) ? [body] : body;
}

/** What to add to a scope. */
export type NewContent = { text: string } | { file: string; size: number };

/** An object of a scope. */
export interface ScopeObject {
  /** `ac/<key>` or `cas/<hash>`. */
  name: string;
  size: number;
  /** ms since the epoch. */
  writtenAt: number;
}

/** What a scope knows of a zip. */
interface ZipDescription {
  size: number;
  /** Of its content, in hex, as the scope computed it; undefined: it has to be read for that. */
  sha256?: string | undefined;
}

/** A place with builds: a prefix of a bucket, or a folder. Names are `ac/<build key>` and `cas/<sha256>`. */
export interface CacheScope {
  /** As the user wrote it. */
  readonly name: string;
  /** Reads a small text; undefined if there is none. */
  read(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** Opens a zip; undefined if there is none. */
  open(name: string, signal: AbortSignal): Promise<ScopeContent | undefined>;
  /** Describes a zip without reading it; undefined if there is none. */
  describe(name: string, signal: AbortSignal): Promise<ZipDescription | undefined>;
  /** Adds an object. Never replaces one: false if the name is taken. */
  add(name: string, content: NewContent, signal: AbortSignal): Promise<boolean>;
  /** Lists all objects. */
  list(signal: AbortSignal): AsyncIterable<ScopeObject>;
  /** Removes objects, and what killed writers left. */
  remove(names: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Entries are small; a larger one is not ours (bytes). */
export const MOST_ENTRY_BYTES = 256 * 1024;
