import { count, fields, listOf, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';

/** A check of code: the handler's file, and the function's own files that it loads. */
export interface CodeCheck {
  /** The artifact. Absolute. */
  root: string;
  /** Relative to it, with `/`. */
  file: string;
  /** The function that the handler names. */
  name: string;
  /** The function's source folder; files that are not there come from packages. Absolute. */
  own: string;
}

/** A problem of code: it does not parse (`message`), or it defines other names (`names`) but not the handler's. */
export interface CodeProblem {
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  message?: string | undefined;
  names?: readonly string[] | undefined;
}

const readNames = listOf(text);

/** Reads a problem that a program printed as JSON. */
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
