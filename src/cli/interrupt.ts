import { setMaxListeners } from 'node:events';
import { InterruptedError } from '../errors.ts';

/** A process whose signals can be listened to. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** A process that can be interrupted. */
export interface Interruptible extends SignalSource {
  exit(code: number): void;
}

/** A signal that is aborted when the user wants the run to end. */
export interface Interrupts {
  signal: AbortSignal;
  /** Does what Ctrl-C does. */
  interrupt(): void;
  /** Leaves the process's signals to others again. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The first Ctrl-C (or SIGTERM) aborts, the second one ends the process at once. */
export function watchInterrupts(target: Interruptible): Interrupts {
  const controller = new AbortController();
  // each call under way listens; beyond ten Node would warn of a leak
  setMaxListeners(0, controller.signal);
  const listener = (): void => {
    if (controller.signal.aborted) target.exit(130);
    else controller.abort(new InterruptedError('Interrupted'));
  };
  for (const signal of SIGNALS) target.on(signal, listener);
  return {
    signal: controller.signal,
    interrupt: listener,
    close: () => {
      for (const signal of SIGNALS) target.off(signal, listener);
    },
  };
}
