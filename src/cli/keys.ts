import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { holdInput, releaseInput } from './input-hold.ts';

/** Keys that are read one by one, until closed. */
export interface Keys {
  close(): void;
}

/** Where keys come from, and the process that the terminal's own keys are meant for. */
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

/** Reads single keys from a terminal. Ctrl-C, Ctrl-\ and Ctrl-Z mean what they always mean. undefined: the input is no terminal. */
export function openKeys({ input, process, onKey, onInterrupt }: KeyOptions): Keys | undefined {
  const terminal = input as Partial<ReadStream>;
  if (terminal.isTTY !== true || terminal.setRawMode === undefined) return undefined;
  const setRaw = (raw: boolean): void => void terminal.setRawMode?.(raw);
  const onData = (data: Buffer | string): void => {
    for (const key of String(data)) {
      // without lines the terminal leaves these to us
      if (key === CTRL_C || key === CTRL_BACKSLASH) onInterrupt();
      else if (key === CTRL_Z) suspend();
      else onKey(key);
    }
  };
  const suspend = (): void => {
    // Windows knows no such thing
    if (globalThis.process.platform === 'win32') return;
    setRaw(false);
    process.kill(process.pid, 'SIGTSTP');
  };
  const goOn = (): void => setRaw(true);
  process.on('SIGCONT', goOn);
  input.on('data', onData);
  // a terminal that is closed cannot be read; SIGHUP ends the run
  input.on('error', ignore);
  setRaw(true);
  holdInput(input);
  input.resume();
  return {
    close: () => {
      process.off('SIGCONT', goOn);
      input.off('data', onData);
      setRaw(false);
      releaseInput(input);
    },
  };
}

function ignore(): void {}
