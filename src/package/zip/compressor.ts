import { availableParallelism } from 'node:os';
import { once } from '../../support/once.ts';
import type { CompressedContent, DeflatePart } from './compression.ts';
import type { CompressionThreads } from './compression-threads.ts';

/** Compresses contents, the first ones here, the others in threads. Where it happens makes no difference to the bytes. */
export interface Compressor {
  /** Compresses a part of a file; `content` must not be used afterwards. */
  compress(content: Uint8Array, part: DeflatePart): Promise<CompressedContent>;
  /** Ends the threads; what they have not finished rejects. */
  close(): Promise<void>;
}

/** A thread costs as much as it takes to compress this (bytes). */
const WORTH_A_THREAD = 1024 * 1024;

/** Creates a compressor. Threads start, and libdeflate is loaded, when there is something to compress. */
export function createCompressor(mostThreads: number = availableParallelism()): Compressor {
  const inline = once(() => import('./deflate.ts'));
  const start = async (): Promise<CompressionThreads | undefined> =>
    (await import('./compression-threads.ts')).startThreads(mostThreads, WORTH_A_THREAD);
  let isClosed = false;
  let taken = 0;
  let running: Promise<CompressionThreads | undefined> | undefined;
  return {
    compress: async (content, part) => {
      if (isClosed) throw new Error('The compressor was closed');
      taken += content.length;
      if (mostThreads > 0 && taken > WORTH_A_THREAD) {
        const pool = await (running ??= start());
        if (pool !== undefined) return pool.compress(content, part);
      }
      return (await inline()).compressPart(content, part);
    },
    close: async () => {
      isClosed = true;
      await (await running)?.close();
    },
  };
}
