import { InterruptedError } from '../errors.ts';
import { createAbort } from '../support/abort.ts';

/** A source of signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** A source of signals that can exit. */
export interface Interruptible extends SignalSource {
  exit(code: number): void;
}

/** Aborts a run when the user wants it to end. */
export interface Interrupts {
  signal: AbortSignal;
  /** Acts as Ctrl-C. */
  interrupt(): void;
  /** Acts as the first Ctrl-C. Has no effect the second time. */
  end(): void;
  /** Stops listening. */
  close(): void;
}

/** The signals with which a user, a closed terminal or a supervisor ends a command. SIGBREAK is Ctrl-Break on Windows. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGBREAK'] as const;

/** Aborts at the first of the signals and exits at the second. */
export function watchInterrupts(target: Interruptible): Interrupts {
  const controller = createAbort();
  const end = (): void => {
    if (!controller.signal.aborted) controller.abort(new InterruptedError('Interrupted'));
  };
  const interrupt = (): void => {
    if (controller.signal.aborted) target.exit(130);
    else end();
  };
  const listener = (signal: NodeJS.Signals): void => {
    // the shell and the system both report a closed terminal: the second signal is not a second Ctrl-C
    if (signal === 'SIGHUP') end();
    else interrupt();
  };
  for (const signal of SIGNALS) target.on(signal, listener);
  return {
    signal: controller.signal,
    interrupt,
    end,
    close: () => {
      for (const signal of SIGNALS) target.off(signal, listener);
    },
  };
}
