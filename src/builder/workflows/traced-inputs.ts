import * as path from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { fields, listOf, parseJson, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';
import type { BuildInput } from '../build-result.ts';
import { keyOf } from '../build-key.ts';
import { buildStoreDir } from '../build-options.ts';
import type { BuildContext } from './workflow.ts';

/** The files and folders that a build reads, and a key over their content. */
export interface TracedInputs extends Trace {
  key: string;
}

/** What a tool said. */
export interface Trace {
  inputs: readonly BuildInput[];
  /** Something that it said besides. */
  fact?: string | undefined;
}

/** A key over the content of inputs; what is not there counts as that. */
export async function keyOfInputs(inputs: readonly BuildInput[], { hasher }: BuildContext): Promise<string> {
  const parts = await Promise.all(
    inputs.map(async ({ path: place, excludes }) => [place, (await hasher.hashPath(place, excludes)) ?? null]),
  );
  return keyOf(parts);
}

/**
 * What a tool says that a build reads (`go list`), asked only if something of what it said last has changed: as long as all
 * of that has the same content, it would say the same.
 */
export async function traceInputs(
  name: string,
  context: BuildContext,
  trace: () => Promise<Trace>,
): Promise<TracedInputs> {
  const file = path.join(buildStoreDir(context.options.projectDir), 'traces', `${keyOf(name)}.json`);
  const known = parseTrace(await readTextIfExists(file));
  if (known && (await keyOfInputs(known.inputs, context)) === known.key) return known;
  const said = await trace();
  const traced = { ...said, key: await keyOfInputs(said.inputs, context) };
  await writeFileAtomic(file, JSON.stringify(traced));
  return traced;
}

/** undefined: there is none, or it is damaged; then the tool is asked again. */
function parseTrace(json: string | undefined): TracedInputs | undefined {
  const trace = fields(parseJson(json ?? ''));
  const inputs = listOf(readInput)(trace?.['inputs']);
  const key = text(trace?.['key']);
  return inputs && key !== undefined ? { inputs, key, fact: text(trace?.['fact']) } : undefined;
}

const readInput: Reader<BuildInput> = (value) => {
  const input = fields(value);
  const place = text(input?.['path']);
  const excludes = listOf(text)(input?.['excludes']);
  return place !== undefined && excludes ? { path: place, excludes } : undefined;
};
