import { deflate as libdeflate } from 'libdeflate';
import type { CompressedContent, DeflatePart } from './compression.ts';
import { openEnded } from './deflate-blocks.ts';

const LEVEL = 6;

/** Compresses a file, stored if that is not larger, or a piece of one. */
export function compressPart(content: Uint8Array, part: DeflatePart): CompressedContent {
  if (part === 'file' && content.length === 0) return { body: content, method: 0 };
  const deflated = deflate(content);
  if (part === 'piece') return { body: openEnded(deflated), method: 8 };
  if (part === 'file' && deflated.length >= content.length) return { body: content, method: 0 };
  return { body: deflated, method: 8 };
}

let isLoaded = false;

function deflate(content: Uint8Array): Uint8Array {
  if (isLoaded) return libdeflate(content, LEVEL);
  // when Emscripten's code starts, it adds listeners that end the process on any stray error
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = new Set(events.flatMap((event) => process.listeners(event as 'exit')));
  try {
    return libdeflate(content, LEVEL);
  } finally {
    isLoaded = true;
    for (const event of events) {
      for (const listener of process.listeners(event as 'exit'))
        if (!before.has(listener)) process.off(event, listener);
    }
  }
}
