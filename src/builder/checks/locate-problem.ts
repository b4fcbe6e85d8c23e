import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { RunProblem } from '../../errors.ts';
import { createLocator } from '../../template/locate.ts';
import type { FunctionCheck } from './function-check.ts';
import type { Finding } from './records.ts';

/** Where a finding is in the project: in the function's source, or in its template. Paths are relative to `projectDir`. */
export function locateProblem(
  { message, property, file, line, column }: Finding,
  { codeDir, template }: FunctionCheck,
  { artifact, projectDir }: { artifact: string; projectDir: string },
): RunProblem {
  if (property !== undefined) {
    const place = createLocator(readFileSync(template.file, 'utf8'))(template[property]);
    return { message, file: nameOf(template.file, projectDir), line: place?.line, column: place?.column };
  }
  if (file === undefined) return { message };
  const source = path.join(codeDir, file);
  // what was made while it was built has no other place
  return { message, file: nameOf(existsSync(source) ? source : path.join(artifact, file), projectDir), line, column };
}

/** How a file is named: relative to the project where it is in it. */
export function nameOf(file: string, projectDir: string): string {
  const relative = path.relative(projectDir, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative.replaceAll(path.sep, '/');
}
