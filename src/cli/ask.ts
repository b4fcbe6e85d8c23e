import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UserError } from '../errors.ts';
import { holdInput, releaseInput } from './input-hold.ts';

/** Asks a yes-or-no question. */
export type Ask = (question: string, options: { default: boolean }) => Promise<boolean>;

/** Input and output of questions. */
export interface AskOptions {
  /** A terminal, or a pipe with one answer per line: `yes | sam sync …`. */
  input: () => Readable;
  output: NodeJS.WritableStream;
  /** Answers all questions with yes without asking. */
  yes: boolean;
  signal: AbortSignal;
  /** Runs a question while nothing else is drawn on the terminal. */
  alone(question: () => Promise<string>): Promise<string>;
}

/** Asks questions, and releases the input when closed. */
export interface Asker {
  ask: Ask;
  /** Asks for a text without echoing a piped answer, e.g. the code of an MFA device. `--yes` does not answer it. */
  askText(question: string): Promise<string>;
  close(): void;
}

/** Creates the asker. Throws a `UserError` if the input ends before an answer. */
export function createAsker({ input, output, yes, signal, alone }: AskOptions): Asker {
  let lines: LineReader | undefined;
  const askLine = async (question: string, hint: string, repeated: boolean): Promise<string> => {
    output.write(`${question} `);
    lines ??= readLines(input());
    const line = await lines.next(signal).catch((error: unknown) => {
      output.write('\n');
      throw error;
    });
    // Enter has already ended the line on a terminal
    if (!lines.isTerminal || line === undefined)
      output.write(`${repeated ? (line ?? '') : ''}
`);
    if (line === undefined) throw new UserError('No answer: stdin is closed', { hint });
    return line;
  };
  return {
    async ask(question, { default: fallback }) {
      if (yes) return true;
      for (;;) {
        const text = `${question} ${fallback ? '[Y/n]' : '[y/N]'}:`;
        const line = await alone(() => askLine(text, UNATTENDED, true));
        const answer = parseAnswer(line, fallback);
        if (answer !== undefined) return answer;
        output.write('Please answer y or n.\n');
      }
    },
    askText: (question) => alone(() => askLine(question, 'Answer on a terminal or through a pipe.', false)),
    close: () => {
      lines?.close();
      lines = undefined;
    },
  };
}

const UNATTENDED = 'In scripts, pass --yes or set CI=1.';

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

/** Keeps lines between questions, as a pipe delivers many at once. An idle input does not keep the process alive. */
function readLines(input: Readable): LineReader {
  // without line editing of our own Ctrl-C stays a signal
  const reader = createInterface({ input, terminal: false });
  const waiting: string[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  reader.on('line', (line) => {
    waiting.push(line);
    reader.pause();
    wake?.();
  });
  const end = (): void => {
    ended = true;
    wake?.();
  };
  reader.on('close', end);
  // an unreadable input, such as a folder, has no answers
  input.on('error', end);
  return {
    isTerminal: 'isTTY' in input && input.isTTY === true,
    async next(signal) {
      signal.throwIfAborted();
      if (waiting.length === 0 && !ended) {
        holdInput(input);
        reader.resume();
        await new Promise<void>((resolve, reject) => {
          const abort = (): void => reject(signal.reason);
          signal.addEventListener('abort', abort, { once: true });
          wake = () => {
            signal.removeEventListener('abort', abort);
            resolve();
          };
        }).finally(() => {
          reader.pause();
          releaseInput(input);
        });
      }
      return waiting.shift();
    },
    close: () => {
      reader.close();
      releaseInput(input);
    },
  };
}
