import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import { withSlashes } from './places.ts';

/** Where functions find layers, their code and temporary files (Lambda developer guide, "Lambda execution environment"). */
const RUNTIME_FOLDERS = ['/opt', '/var/task', '/tmp'];

/**
 * What a link says if it leads to a place that exists in Lambda, such as a layer's: it is kept as it is. undefined: it is one of
 * this machine. Below the same folder as the project itself, links that lead somewhere are the project's own.
 */
export function runtimeLink(link: string, projectFolder: string): string | undefined {
  const target = withSlashes(readlinkSync(link));
  const folder = RUNTIME_FOLDERS.find((candidate) => isIn(path.posix.normalize(target), candidate));
  if (folder === undefined) return undefined;
  const isOurs = isIn(withSlashes(realpathSync(projectFolder)), folder) && existsSync(link);
  return isOurs ? undefined : target;
}

function isIn(place: string, folder: string): boolean {
  return place === folder || place.startsWith(`${folder}/`);
}
