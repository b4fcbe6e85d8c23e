import * as path from 'node:path';
import { exists } from '../../../support/files.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import type { Tools } from '../../tools/tools.ts';
import { needTool } from '../need-tool.ts';

/** A Java build tool and the wrapper script that a project may have. */
interface BuildProgram {
  name: string;
  wrapper: string;
  /** What to install if there is neither. */
  hint: string;
}

/** Finds the wrapper in the first of these folders that has it, else the installed program. */
export async function findBuildProgram(
  { name, wrapper, hint }: BuildProgram,
  folders: readonly string[],
  { ids, tools }: { ids: BuildDefinition['ids']; tools: Tools },
): Promise<string> {
  for (const folder of folders) {
    const script = path.join(folder, wrapper);
    if (await exists(script)) return script;
  }
  return needTool(tools, name, ids, hint);
}
