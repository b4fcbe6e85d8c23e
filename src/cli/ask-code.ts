import type { Keys } from './keys.ts';

/** What reading a code unseen takes. */
export interface CodeTools {
  /** Reads single keys, which the terminal then does not show; undefined: there is no terminal. */
  openKeys(onKey: (key: string) => void): Keys | undefined;
  /** Reads a line where there is no terminal that could show it. */
  askText(question: string): Promise<string>;
  output: NodeJS.WritableStream;
  signal: AbortSignal;
}

const ENTER = /[\r\n]/;
const ERASE = /[\b\u007f]/;

/** Asks for a code of digits. What is typed is not shown: others may see the screen, or a recording of it. */
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
