import { parentPort } from 'node:worker_threads';
import { ownBytes } from './compression.ts';
import type { DeflateAnswer, DeflateTask } from './compression.ts';
import { compressPart } from './deflate.ts';

// A worker thread of `compression-threads.ts`: one answer for each task.

parentPort?.on('message', ({ content, part }: DeflateTask) => {
  try {
    const { body, method } = compressPart(content, part);
    const own = ownBytes(body);
    answer({ body: own, method }, [own.buffer]);
  } catch (error) {
    answer({ failure: String(error) }, []);
  }
});

function answer(value: DeflateAnswer, transferred: ArrayBuffer[]): void {
  parentPort?.postMessage(value, transferred);
}
