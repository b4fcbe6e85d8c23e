import { UserError } from '../errors.ts';

/** A member of a response, its value, and the value it must have after the request. */
export type ExpectedMember = readonly [member: string, actual: string | undefined, expected: string];

/**
 * Throws if the response to a change does not match the request. A gateway, or an emulator, may report success without
 * changing anything.
 */
export function checkAnswer(service: string, operation: string, ...members: readonly ExpectedMember[]): void {
  const wrong = members.find(([, actual, expected]) => actual !== expected);
  if (wrong === undefined) return;
  const [member, actual, expected] = wrong;
  throw unexpectedAnswer(service, operation, `${member} is ${actual ?? 'missing'} instead of ${expected}`);
}

/** Returns a required member of a response. Throws if it is missing. */
export function requireAnswer<T>(service: string, operation: string, member: string, value: T | undefined): T {
  if (value === undefined || value === '') throw unexpectedAnswer(service, operation, `${member} is missing`);
  return value;
}

/** The response to a change reports success but does not match the request: the change may not have been made. */
export class UnexpectedAnswerError extends UserError {}

function unexpectedAnswer(service: string, operation: string, reason: string): UnexpectedAnswerError {
  return new UnexpectedAnswerError(`${service} accepted ${operation}, but its response is unexpected: ${reason}`, {
    hint: 'The change may not have been made. Sync again; if this repeats, check what responds in place of AWS (AWS_ENDPOINT_URL, a proxy).',
  });
}
