import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { SourcePlace } from '../../errors.ts';
import { nameWithin } from '../../support/places.ts';
import { ToolError } from './tools.ts';

/** How esbuild prints where an error is; its columns count from 0. */
const ESBUILD = /^ {4}(?<file>\S[^\n]*?):(?<line>\d+):(?<column>\d+):$/m;

/** Where in the project a build failed, as far as its tool says; the file relative to the project where it is in it. */
export function placeOf(error: unknown, codeDir: string, projectDir: string): SourcePlace | undefined {
  if (!(error instanceof ToolError)) return undefined;
  const place = error.place ?? bundled(error, codeDir);
  // what the tool ran in may be gone
  if (place?.file === undefined || !existsSync(place.file)) return undefined;
  return { ...place, file: nameWithin(projectDir, place.file) };
}

function bundled({ message, output }: ToolError, codeDir: string): SourcePlace | undefined {
  const { file, line, column } = (message.startsWith('esbuild ') && ESBUILD.exec(output)?.groups) || {};
  return file === undefined
    ? undefined
    : { file: path.resolve(codeDir, file), line: Number(line), column: Number(column) + 1 };
}
