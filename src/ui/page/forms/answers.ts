import type { CommandError } from '../api.ts';
import { redraw } from '../store.ts';

/** What came back from a form. */
interface Answer {
  isSending: boolean;
  /** What it is, the form knows. */
  answer?: unknown;
  error?: CommandError | undefined;
}

/** The last answer of each form, so that it is there again after a look at another resource. */
const answers = new Map<string, Answer>();
/** How often each form was sent. */
const counts = new Map<string, number>();

/** What came back from the form with this name last. */
export function answerOf(name: string): Answer {
  return answers.get(name) ?? { isSending: false };
}

/**
 * Sends something for a form and keeps what comes back, also if the form is no longer shown then. `onAnswer` may be called again
 * with more of the answer; it returns false when the form was sent again meanwhile: nothing more is kept then.
 */
export async function sendFor(
  name: string,
  send: (onAnswer: (answer: unknown) => boolean) => Promise<void>,
): Promise<void> {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  const keep = (change: Partial<Answer>): boolean => {
    if (counts.get(name) !== count) return false;
    answers.set(name, { ...answerOf(name), ...change });
    redraw();
    return true;
  };
  keep({ isSending: true, error: undefined });
  try {
    await send((answer) => keep({ answer, isSending: false }));
  } catch (error) {
    keep({ answer: undefined, error: error as CommandError });
  } finally {
    keep({ isSending: false });
  }
}
