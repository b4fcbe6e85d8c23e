import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { SourcePlace } from '../../errors.ts';
import { nameWithin } from '../../support/places.ts';
import { ToolError } from './tools.ts';

/** esbuild's form of a position; its columns count from 0. */
const ESBUILD = /^ {4}(?<file>\S[^\n]*?):(?<line>\d+):(?<column>\d+):$/m;

/** Returns where in the project a build failed, if its tool says so; a file inside the project is relative to it. */
export function failurePlace(error: unknown, codeDir: string, projectDir: string): SourcePlace | undefined {
  if (!(error instanceof ToolError)) return undefined;
  const place = error.place ?? placeInBundle(error, codeDir);
  // the folder that the tool ran in may be gone
  if (place?.file === undefined || !existsSync(place.file)) return undefined;
  return { ...place, file: nameWithin(projectDir, place.file) };
}

function placeInBundle({ message, output }: ToolError, codeDir: string): SourcePlace | undefined {
  const { file, line, column } = (message.startsWith('esbuild ') && ESBUILD.exec(output)?.groups) || {};
  return file === undefined
    ? undefined
    : { file: path.resolve(codeDir, file), line: Number(line), column: Number(column) + 1 };
}
