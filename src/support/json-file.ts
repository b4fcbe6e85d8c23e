import { UserError } from '../errors.ts';

/** Parses the JSON of a file that the user can correct; the error names the file. */
export function parseJsonFile(file: string, content: string): unknown {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, '')) as unknown;
  } catch (error) {
    throw new UserError(`${file} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}
