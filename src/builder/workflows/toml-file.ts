import { parse } from 'smol-toml';
import { UserError } from '../../errors.ts';

/** Parses the TOML of a file that the user can correct; the error names the file and the line. */
export function parseTomlFile(file: string, content: string): Record<string, unknown> {
  try {
    return parse(content);
  } catch (error) {
    throw new UserError(`${file} is not valid TOML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}
