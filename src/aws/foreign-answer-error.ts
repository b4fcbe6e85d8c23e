/** An answer that does not come from AWS, or that was damaged on its way. */
export class ForeignAnswerError extends Error {
  override readonly name = 'ForeignAnswerError';
  /** For the SDK: the next attempt may get an answer of AWS. */
  readonly $retryable = {};
}
