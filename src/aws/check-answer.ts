import { UserError } from '../errors.ts';

/** What an answer says, and what it has to say after that request. */
export type Expected = readonly [what: string, said: string | undefined, meant: string];

/**
 * Compares the answer to a change with what was meant. A success that says something else, or nothing, is none: a gateway
 * on the way, or a cloud that only looks like AWS, may have answered without changing anything.
 */
export function checkAnswer(service: string, operation: string, ...expected: readonly Expected[]): void {
  const wrong = expected.find(([, said, meant]) => said !== meant);
  if (wrong === undefined) return;
  const [what, said, meant] = wrong;
  throw unexpectedAnswer(service, operation, `${what} is ${said ?? 'missing'} instead of ${meant}`);
}

/** The member of an answer that names what was made; an answer without it is no success. */
export function requireAnswer<T>(service: string, operation: string, what: string, said: T | undefined): T {
  if (said === undefined || said === '') throw unexpectedAnswer(service, operation, `${what} is missing`);
  return said;
}

/** A change was answered with success, in words that do not fit: whether it was made is not known. */
export class UnexpectedAnswerError extends UserError {}

function unexpectedAnswer(service: string, operation: string, why: string): UnexpectedAnswerError {
  return new UnexpectedAnswerError(`${service} accepted ${operation}, but its answer does not fit: ${why}`, {
    hint: 'The change may not have been made. Sync again; if this repeats, see what answers in place of AWS (AWS_ENDPOINT_URL, a proxy).',
  });
}
