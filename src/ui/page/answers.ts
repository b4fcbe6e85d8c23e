import type { CommandError } from './api.ts';
import { redraw } from './store.ts';

/** What came back from a form. */
interface Answer {
  isSending: boolean;
  /** What it is, the form knows. */
  answer?: unknown;
  error?: CommandError | undefined;
}

/** The last answer of each form, so that it is there again after a look at another resource. */
const answers = new Map<string, Answer>();

/** What came back from the form with this name last. */
export function answerOf(name: string): Answer {
  return answers.get(name) ?? { isSending: false };
}

/** Sends something for a form and keeps what comes back, also if the form is no longer shown then. */
export async function sendFor(
  name: string,
  send: (onAnswer: (answer: unknown) => void) => Promise<void>,
): Promise<void> {
  const keep = (change: Partial<Answer>): void => {
    answers.set(name, { ...answerOf(name), ...change });
    redraw();
  };
  keep({ isSending: true, error: undefined });
  try {
    await send((answer) => keep({ answer }));
  } catch (error) {
    keep({ answer: undefined, error: error as CommandError });
  } finally {
    keep({ isSending: false });
  }
}
