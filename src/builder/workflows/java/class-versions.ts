import * as fs from 'node:fs/promises';
import { listTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import type { BuildContext } from '../workflow.ts';

/** Offset of class file versions: Java 8 writes version 52. */
const CLASS_VERSION_BASE = 44;

/** Adds a warning if the classes in a folder need a newer Java than the function's runtime. */
export async function warnOfNewerClasses(
  definition: BuildDefinition,
  { note }: Pick<BuildContext, 'note'>,
  folder: string,
): Promise<void> {
  const runtime = Number(/^java(\d+)/.exec(definition.runtime ?? '')?.[1]);
  const classFile = listTree(folder, ['/META-INF', '/lib']).files.find(({ path }) => path.endsWith('.class'));
  if (!classFile || Number.isNaN(runtime)) return;
  const version = await classVersion(classFile.absolute);
  if (version <= runtime) return;
  const text = `compiled for Java ${version}, which ${definition.runtime} cannot run; set maven.compiler.release (Maven) or the toolchain (Gradle) to ${runtime}`;
  note('warning', text);
}

async function classVersion(file: string): Promise<number> {
  const handle = await fs.open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead < 8 ? 0 : buffer.readUInt16BE(6) - CLASS_VERSION_BASE;
  } finally {
    await handle.close();
  }
}
