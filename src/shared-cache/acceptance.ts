import type { Tools } from '../builder/tools/tools.ts';
import { platformOf, toolVersions } from './machine.ts';
import type { Maker } from './machine.ts';

/** Which builds of other machines to take: any, those of the same platform, or also only those of the same tools. */
export const ACCEPTANCES = ['any', 'same-platform', 'same-tools'] as const;
export type Acceptance = (typeof ACCEPTANCES)[number];

/** Returns what the options refuse about a maker; undefined if they accept it. A tool that is missing here is no difference. */
export async function whyUnacceptable(
  maker: Maker,
  { accept, machine, tools }: { accept: Acceptance; machine: Omit<Maker, 'tools' | 'image'>; tools: Tools },
): Promise<string | undefined> {
  if (accept === 'any') return undefined;
  const theirs = platformOf(maker);
  if (theirs !== platformOf({ ...machine, image: maker.image })) return `a build was made on ${theirs}`;
  if (accept === 'same-platform' || maker.image !== undefined) return undefined;
  for (const [name, version] of Object.entries(maker.tools)) {
    const [program] = await tools.find(name);
    const ours = program === undefined ? undefined : Object.values(await toolVersions(tools, [program]))[0];
    if (ours !== undefined && ours !== version) return `a build was made with ${name} ${version}, and here is ${ours}`;
  }
  return undefined;
}
