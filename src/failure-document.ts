import { BuildError, errorMessage, TemplateError, UserError } from './errors.ts';
import { asUserError } from './system-errors.ts';

/** Creates the document that `--output json` prints for a failed run. */
export function failureDocument(error: unknown): { status: 'failed'; error: object } {
  const { message, hint, place } = asUserError(error) ?? new UserError(errorMessage(error));
  const failures = error instanceof BuildError ? error.failures : undefined;
  const problems = error instanceof TemplateError ? error.problems : undefined;
  return { status: 'failed', error: { message, hint, ...place, failures, problems } };
}
