import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import { withSlashes } from './places.ts';

/** Folders of the Lambda execution environment (Lambda developer guide): layers, code, temporary files. */
const RUNTIME_FOLDERS = ['/opt', '/var/task', '/tmp'];

/**
 * Returns the target of a link into Lambda's folders, such as a layer's, which stays a link; undefined for a link on this
 * machine. If the project itself is in such a folder, existing targets are the project's own.
 */
export function runtimeLink(link: string, projectFolder: string): string | undefined {
  const target = withSlashes(readlinkSync(link));
  const folder = RUNTIME_FOLDERS.find((candidate) => isIn(path.posix.normalize(target), candidate));
  if (folder === undefined) return undefined;
  const isOurs = isIn(withSlashes(realpathSync(projectFolder)), folder) && existsSync(link);
  return isOurs ? undefined : target;
}

/** Returns whether a link's target is in one of Lambda's own folders. */
export function isRuntimePath(target: string): boolean {
  return RUNTIME_FOLDERS.some((folder) => isIn(path.posix.normalize(target), folder));
}

function isIn(place: string, folder: string): boolean {
  return place === folder || place.startsWith(`${folder}/`);
}
