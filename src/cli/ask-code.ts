import type { Keys } from './keys.ts';

/** The input and output of a hidden code. */
export interface CodeTools {
  /** Reads single keys without echo; undefined if the input is no terminal. */
  openKeys(onKey: (key: string) => void): Keys | undefined;
  /** Reads a line from an input that is no terminal. */
  askText(question: string): Promise<string>;
  output: NodeJS.WritableStream;
  signal: AbortSignal;
}

const ENTER = /[\r\n]/;
const ERASE = /[\b\u007f]/;

/** Asks for a numeric code without echo: others may see the screen or a recording of it. */
export async function askCode(question: string, { openKeys, askText, output, signal }: CodeTools): Promise<string> {
  signal.throwIfAborted();
  let code = '';
  let onEnter: (() => void) | undefined;
  const keys = openKeys((key) => {
    if (ENTER.test(key)) onEnter?.();
    else if (ERASE.test(key)) code = code.slice(0, -1);
    else if (/\d/.test(key)) code += key;
  });
  if (keys === undefined) return (await askText(question)).trim();
  output.write(`${question} `);
  try {
    await new Promise<void>((resolve, reject) => {
      onEnter = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return code;
  } finally {
    keys.close();
    output.write('\n');
  }
}
