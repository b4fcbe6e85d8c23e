import { copyFiles, listTree } from '../file-tree.ts';
import type { TreeFile } from '../file-tree.ts';
import type { BuildContext } from './workflow.ts';

/** Copies a function's folder into its artifact, without links that lead nowhere; a warning names them. */
export async function copySource(
  context: BuildContext,
  { source, target, excludes }: { source: string; target: string; excludes: readonly string[] },
): Promise<void> {
  await copyFiles(listSource(context, source, excludes), target);
}

/** Lists the files of a function's folder, with the same warning. */
export function listSource(context: BuildContext, source: string, excludes: readonly string[]): TreeFile[] {
  const { files, dangling } = listTree(source, excludes);
  if (dangling.length > 0) {
    const [links, end] = dangling.length === 1 ? ['link', 'leads nowhere and was'] : ['links', 'lead nowhere and were'];
    context.note('warning', `the ${links} ${dangling.join(', ')} in ${source} ${end} left out`);
  }
  return files;
}
