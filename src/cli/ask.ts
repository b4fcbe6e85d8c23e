import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UserError } from '../errors.ts';

/** Asks a question that is answered with yes or no. */
export type Ask = (question: string, options: { default: boolean }) => Promise<boolean>;

/** Where questions are shown and answered. */
export interface AskOptions {
  /** A terminal, or a pipe with an answer a line: `yes | sam sync …`. */
  input: () => Readable;
  output: NodeJS.WritableStream;
  /** All questions are answered with yes, unasked. */
  yes: boolean;
  signal: AbortSignal;
}

/** Asks and lets go of the input when closed. */
export interface Asker {
  ask: Ask;
  close(): void;
}

/** Makes the function that asks. End of the input without an answer is a `UserError` that names `--yes`. */
export function createAsker({ input, output, yes, signal }: AskOptions): Asker {
  let lines: LineReader | undefined;
  const askOnce = async (question: string, fallback: boolean): Promise<boolean | undefined> => {
    output.write(`${question} ${fallback ? '[Y/n]' : '[y/N]'} `);
    lines ??= readLines(input());
    const line = await lines.next(signal).catch((error: unknown) => {
      output.write('\n');
      throw error;
    });
    // an answer typed on a terminal has ended the line there
    if (!lines.isTerminal || line === undefined) output.write(`${line ?? ''}\n`);
    if (line === undefined)
      throw new UserError('The question was not answered: the input has ended', {
        hint: 'Answer with --yes, or set CI, where nobody can.',
      });
    return parseAnswer(line, fallback);
  };
  return {
    async ask(question, { default: fallback }) {
      if (yes) return true;
      for (;;) {
        const answer = await askOnce(question, fallback);
        if (answer !== undefined) return answer;
        output.write('Please answer y or n.\n');
      }
    },
    close: () => lines?.close(),
  };
}

function parseAnswer(line: string, fallback: boolean): boolean | undefined {
  const answer = line.trim().toLowerCase();
  if (answer === '') return fallback;
  if (answer === 'y' || answer === 'yes') return true;
  return answer === 'n' || answer === 'no' ? false : undefined;
}

interface LineReader {
  isTerminal: boolean;
  /** undefined at the end of the input. */
  next(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** Lines are kept between questions: a pipe gives many at once. */
function readLines(input: Readable): LineReader {
  // no line editing: the terminal keeps its own, and Ctrl-C stays a signal
  const reader = createInterface({ input, terminal: false });
  const waiting: string[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  reader.on('line', (line) => {
    waiting.push(line);
    reader.pause();
    wake?.();
  });
  reader.on('close', () => {
    ended = true;
    wake?.();
  });
  return {
    isTerminal: 'isTTY' in input && input.isTTY === true,
    async next(signal) {
      signal.throwIfAborted();
      if (waiting.length === 0 && !ended) {
        reader.resume();
        await new Promise<void>((resolve, reject) => {
          const abort = (): void => reject(signal.reason);
          signal.addEventListener('abort', abort, { once: true });
          wake = () => {
            signal.removeEventListener('abort', abort);
            resolve();
          };
        }).finally(() => reader.pause());
      }
      return waiting.shift();
    },
    close: () => {
      reader.close();
      input.pause();
    },
  };
}
