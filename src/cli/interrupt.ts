import { InterruptedError } from '../errors.ts';
import { createAbort } from '../support/abort.ts';

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
  /** Does what the first Ctrl-C does, and nothing the second time. */
  end(): void;
  /** Leaves the process's signals to others again. */
  close(): void;
}

/** Every way in which a user, a terminal that is closed or a supervisor ends a command. SIGBREAK is Ctrl-Break on Windows. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGBREAK'] as const;

/** The first Ctrl-C (or another such signal) aborts, the second one ends the process at once. */
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
