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

/** The inputs of a build, as a tool reported them. */
export interface Trace {
  inputs: readonly BuildInput[];
  /** Another fact that the tool reported. */
  fact?: string | undefined;
}

/** Hashes the content of inputs; missing files count as missing. */
export async function keyOfInputs(inputs: readonly BuildInput[], { hasher }: BuildContext): Promise<string> {
  const parts = await Promise.all(
    inputs.map(async ({ path: place, excludes }) => [place, (await hasher.hashPath(place, excludes)) ?? null]),
  );
  return keyOf(parts);
}

/**
 * Returns the inputs that a tool reports (`go list`). It runs the tool only if an input of its last report changed: with the
 * same content it would report the same.
 */
export async function traceInputs(
  name: string,
  context: BuildContext,
  trace: () => Promise<Trace>,
): Promise<TracedInputs> {
  const file = path.join(buildStoreDir(context.options.projectDir), 'traces', `${keyOf(name)}.json`);
  const recorded = parseTrace(await readTextIfExists(file));
  if (recorded && (await keyOfInputs(recorded.inputs, context)) === recorded.key) return recorded;
  const reported = await trace();
  const traced = { ...reported, key: await keyOfInputs(reported.inputs, context) };
  await writeFileAtomic(file, JSON.stringify(traced));
  return traced;
}

/** Parses a record; undefined without one, or with a damaged one: the tool runs again. */
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
