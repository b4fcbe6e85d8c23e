import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { holdInput, releaseInput } from './input-hold.ts';

/** An open reader of single keys. */
export interface Keys {
  close(): void;
}

/** Input of the keys, and the process that Ctrl-Z stops. */
export interface KeyOptions {
  input: Readable;
  process: {
    pid: number;
    kill(pid: number, signal: NodeJS.Signals): unknown;
    on(signal: NodeJS.Signals, listener: () => void): unknown;
    off(signal: NodeJS.Signals, listener: () => void): unknown;
  };
  onKey(key: string): void;
  onInterrupt(): void;
}

const CTRL_C = '\u0003';
const CTRL_Z = '\u001A';
const CTRL_BACKSLASH = '\u001C';

/** Reads single keys from a terminal, with the usual Ctrl-C, Ctrl-\ and Ctrl-Z. Returns undefined if the input is no terminal. */
export function openKeys({ input, process, onKey, onInterrupt }: KeyOptions): Keys | undefined {
  const terminal = input as Partial<ReadStream>;
  if (terminal.isTTY !== true || terminal.setRawMode === undefined) return undefined;
  const setRaw = (raw: boolean): void => void terminal.setRawMode?.(raw);
  const onData = (data: Buffer | string): void => {
    for (const key of String(data)) {
      // in raw mode the terminal does not turn these into signals
      if (key === CTRL_C || key === CTRL_BACKSLASH) onInterrupt();
      else if (key === CTRL_Z) suspend();
      else onKey(key);
    }
  };
  const suspend = (): void => {
    // Windows has no job control
    if (globalThis.process.platform === 'win32') return;
    setRaw(false);
    process.kill(process.pid, 'SIGTSTP');
  };
  const resume = (): void => setRaw(true);
  process.on('SIGCONT', resume);
  input.on('data', onData);
  // reading a closed terminal fails; SIGHUP ends the run
  input.on('error', ignore);
  setRaw(true);
  holdInput(input);
  input.resume();
  return {
    close: () => {
      process.off('SIGCONT', resume);
      input.off('data', onData);
      setRaw(false);
      releaseInput(input);
    },
  };
}

function ignore(): void {}
