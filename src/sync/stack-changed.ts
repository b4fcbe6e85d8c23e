import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';

/** Someone else changed the stack after it was described. */
export class StackChangedError extends UserError {
  constructor(stackName: string) {
    super(`Someone else has changed stack ${stackName} meanwhile`, { hint: 'Sync again when they are done.' });
  }
}

/** Attempts while others keep changing the stack. */
const MAX_ATTEMPTS = 5;

/** Runs the work again, from the stack as it then is, while it rejects with `StackChangedError`. */
export async function retryIfStackChanged<T>(reporter: Reporter, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StackChangedError) || attempt === MAX_ATTEMPTS) throw error;
      note(reporter, 'info', `${error.message}: looking again`);
    }
  }
}
