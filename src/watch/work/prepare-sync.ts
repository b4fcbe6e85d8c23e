import { wakeEsbuild } from '../../builder/tools/esbuild-service.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';

/** Files that esbuild bundles or checks. */
const SCRIPT = /\.[cm]?[jt]sx?$/;

/**
 * Prepares the sync of a file that was just written, while more writes may follow: connects to Lambda, whose idle connections are
 * closed, and asks what it has. Changes nothing, and fails as the sync will.
 */
export function prepareSync(
  { tools, prepared, resources, run }: ApplicationSnapshot,
  ids: ReadonlySet<ResourceIdentifier>,
  file: string,
): void {
  run.aws.prepare('lambda');
  if (SCRIPT.test(file)) wakeEsbuild();
  if (resources === undefined) return;
  const reading = tools
    .codeSync(prepared?.deployed.stack)
    .then((codeSync) => codeSync.readSavedAhead(resources.root, ids));
  reading.catch(() => {});
}
