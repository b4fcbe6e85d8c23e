import { count, fields, listOf, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';

/** Code to be looked at: the file of a handler, and what it loads of the function's own files. */
export interface CodeCheck {
  /** The artifact. Absolute. */
  root: string;
  /** Relative to it, with `/`. */
  file: string;
  /** The function in it. */
  name: string;
  /** The function's source: what is not there too comes from a package. Absolute. */
  own: string;
}

/** What is wrong with it: it does not parse (`message`), or it has no function of that name, but others (`names`). */
export interface CodeProblem {
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  message?: string | undefined;
  names?: readonly string[] | undefined;
}

const readNames = listOf(text);

/** A finding as a program printed it. */
export const readCodeProblem: Reader<CodeProblem> = (value) => {
  const map = fields(value);
  return (
    map && {
      file: text(map['file']),
      line: count(map['line']),
      column: count(map['column']),
      message: text(map['message']),
      names: readNames(map['names']),
    }
  );
};
