import * as path from 'node:path';
import type { Metafile } from 'esbuild';
import { UserError } from '../../../errors.ts';
import { statIfExists } from '../../../support/files.ts';
import type { BuildDefinition } from '../../plan-build.ts';

/** Endings that an entry without one may have, in the order in which they are tried. */
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];

/** The module of a handler: `src/app.lambdaHandler` → `src/app`, as Lambda itself splits it. */
export function entryOfHandler(handler: string): string {
  const { module } = splitHandler(handler);
  return module;
}

/** `src/app.api.get` → module `src/app`, function `api.get`: the first dot of the last segment separates them. */
export function splitHandler(handler: string): { module: string; exported: string } {
  const slash = handler.lastIndexOf('/') + 1;
  const dot = handler.indexOf('.', slash);
  if (dot < 0) return { module: handler, exported: '' };
  return { module: handler.slice(0, dot), exported: handler.slice(dot + 1) };
}

/** The file of an entry point, relative to the code. */
export async function resolveEntry(definition: BuildDefinition, name: string): Promise<string> {
  const found = await findEntry(definition, name);
  if (found !== undefined) return found;
  const isLayer = definition.kind === 'layer';
  throw new UserError(
    `${definition.ids.join(', ')}: there is no file for the entry point ${name} in ${definition.codeDir}`,
    {
      hint: isLayer
        ? 'Correct BuildProperties EntryPoints; they are relative to ContentUri.'
        : 'Correct the Handler or BuildProperties EntryPoints; both are relative to CodeUri.',
    },
  );
}

/** The file of the first of these entry points that is there. */
export async function firstEntry(definition: BuildDefinition, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const found = await findEntry(definition, name);
    if (found !== undefined) return found;
  }
  throw new UserError(
    `${definition.ids.join(', ')}: there is nothing to bundle, neither ${names.join(' nor ')}, in ${definition.codeDir}`,
    { hint: 'Name the modules that functions import in BuildProperties EntryPoints, relative to ContentUri.' },
  );
}

async function findEntry({ codeDir }: BuildDefinition, name: string): Promise<string | undefined> {
  const withEndings = ENDINGS.map((ending) => name + ending);
  const candidates = path.extname(name) === '' ? withEndings : [name, ...withEndings];
  for (const candidate of candidates)
    if ((await statIfExists(path.resolve(codeDir, candidate)))?.isFile()) return candidate;
  return undefined;
}

/**
 * The handler that finds the bundle, or undefined if the template's does. esbuild puts a single entry at the top of its
 * output, so `src/app.handler` becomes `app.handler`.
 */
export async function bundledEntry(
  handler: string | undefined,
  built: { metafile: Metafile; entries: readonly string[]; codeDir: string; target: string },
): Promise<string | undefined> {
  if (handler === undefined || handler.startsWith('/opt')) return undefined;
  const { module, exported } = splitHandler(handler);
  for (const ending of ['.js', '.mjs', '.cjs']) {
    if ((await statIfExists(path.join(built.target, module + ending)))?.isFile()) return undefined;
  }
  const wanted = path.resolve(built.codeDir, module);
  const output = Object.entries(built.metafile.outputs).find(([, { entryPoint }]) => {
    if (entryPoint === undefined) return false;
    const entry = path.resolve(built.codeDir, entryPoint);
    return entry === wanted || entry.slice(0, -path.extname(entry).length) === wanted;
  });
  if (!output) return handler.slice(handler.lastIndexOf('/') + 1);
  const [file] = output;
  return `${file.slice(0, -path.extname(file).length)}.${exported}`;
}
