import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ownBytes } from './compression.ts';
import type { CompressedContent, DeflateAnswer, DeflatePart, DeflateTask } from './compression.ts';

/** Threads that compress; they do not keep the process running while they have no work. */
export interface CompressionThreads {
  compress(content: Uint8Array, part: DeflatePart): Promise<CompressedContent>;
  close(): Promise<void>;
}

interface Job extends DeflateTask {
  resolve: (result: CompressedContent) => void;
  reject: (error: Error) => void;
}

/** A thread, and what it works on. */
interface Thread {
  worker: Worker;
  job: Job | undefined;
}

/** A part of the bundle (`scripts/build.mjs`). */
const THREAD = fileURLToPath(new URL('deflate-worker.cjs', import.meta.url));

/**
 * Prepares at most `most` threads; another one starts when more than `share` bytes wait for each of those that run. undefined in
 * code that is not bundled, where there is no file to start them from.
 */
export function startThreads(most: number, share: number): CompressionThreads | undefined {
  if (!existsSync(THREAD)) return undefined;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let waitingBytes = 0;
  let isClosed = false;

  const next = (thread: Thread): void => {
    const job = waiting.shift();
    thread.job = job;
    if (job === undefined) return thread.worker.unref();
    waitingBytes -= job.content.length;
    const content = ownBytes(job.content);
    thread.worker.ref();
    thread.worker.postMessage({ content, part: job.part } satisfies DeflateTask, [content.buffer]);
  };
  const start = (): void => {
    const thread: Thread = { worker: new Worker(THREAD), job: undefined };
    threads.add(thread);
    const fail = (error: Error): void => {
      threads.delete(thread);
      thread.job?.reject(error);
      if (threads.size === 0) for (const job of waiting.splice(0)) job.reject(error);
    };
    thread.worker.on('message', (answer: DeflateAnswer) => {
      const { job } = thread;
      next(thread);
      if ('failure' in answer) job?.reject(new Error(answer.failure));
      else job?.resolve(answer);
    });
    thread.worker.on('error', fail);
    thread.worker.on('exit', () => fail(stopped()));
    next(thread);
  };

  return {
    compress: (content, part) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(stopped());
        waiting.push({ content, part, resolve, reject });
        waitingBytes += content.length;
        const idle = [...threads].find(({ job }) => job === undefined);
        if (idle !== undefined) next(idle);
        else if (threads.size < most && waitingBytes > threads.size * share) start();
      }),
    close: async () => {
      isClosed = true;
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

function stopped(): Error {
  return new Error('The compression was stopped');
}
