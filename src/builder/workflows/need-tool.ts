import { UserError } from '../../errors.ts';
import type { Tools } from '../tools/tools.ts';

/** Finds the program of this name, or throws an error that names the resources and how to install it (`hint`). */
export async function needTool(tools: Tools, name: string, ids: readonly string[], hint: string): Promise<string> {
  const [program] = await tools.find(name);
  if (program !== undefined) return program;
  throw new UserError(`${name} is needed to build ${ids.join(', ')}, and it is not ${tools.place}`, { hint });
}
