import { YamlError } from './cursor.ts';

/** The deepest nesting of mappings and lists: enough for any API definition, and safe for the call stack. */
export const MAX_DEPTH = 300;
/** Aliases can make a small file huge ("billion laughs"). CloudFormation allows 500 resources and 1 MB. */
export const MAX_ALIASED_VALUES = 200_000;

/** A text that may be valid, but is too large for CloudFormation by far. Its message is a sentence. */
export class LimitError extends YamlError {}

/** The message for a text that is nested too deep. */
export const TOO_DEEP = `Mappings and lists are nested more than ${MAX_DEPTH} levels deep`;

/** Throws the error for nesting too deep at `offset`. */
export function failTooDeep(offset: number): never {
  throw new LimitError(TOO_DEEP, offset);
}
