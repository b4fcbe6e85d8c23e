import { deflateSync } from 'fflate/browser';
import type { CompressedContent } from './compression.ts';

/** Compresses a file of a small tree, stored if that is not larger. */
export function compressSmall(content: Uint8Array): CompressedContent {
  const deflated = content.length === 0 ? content : deflateSync(content, { level: 6 });
  return deflated.length < content.length ? { body: deflated, method: 8 } : { body: content, method: 0 };
}
