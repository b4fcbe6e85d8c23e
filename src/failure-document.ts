import { BuildError, errorMessage, TemplateError } from './errors.ts';
import { asUserError } from './system-errors.ts';

/** What `--output json` prints of a run that failed. */
export function failureDocument(error: unknown): { status: 'failed'; error: object } {
  const { message, hint } = asUserError(error) ?? { message: errorMessage(error), hint: undefined };
  const failures = error instanceof BuildError ? error.failures : undefined;
  const problems = error instanceof TemplateError ? error.problems : undefined;
  return { status: 'failed', error: { message, hint, failures, problems } };
}
