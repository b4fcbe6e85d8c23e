import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { RunProblem } from '../../errors.ts';
import { nameWithin } from '../../support/places.ts';
import { createLocator } from '../../template/locate.ts';
import type { FunctionCheck } from './function-check.ts';
import type { CheckProblem } from './check-records.ts';

/** Locates a problem in the project: in the function's source, or in its template. Paths are relative to `projectDir`. */
export function locateProblem(
  { message, property, file, line, column }: CheckProblem,
  { codeDir, template }: FunctionCheck,
  { artifact, projectDir }: { artifact: string; projectDir: string },
): RunProblem {
  if (property !== undefined) {
    const place = createLocator(readFileSync(template.file, 'utf8'))(template[property]);
    return { message, file: nameWithin(projectDir, template.file), line: place?.line, column: place?.column };
  }
  if (file === undefined) return { message };
  const source = path.join(codeDir, file);
  // a file that the build created exists in the artifact only
  return {
    message,
    file: nameWithin(projectDir, existsSync(source) ? source : path.join(artifact, file)),
    line,
    column,
  };
}
