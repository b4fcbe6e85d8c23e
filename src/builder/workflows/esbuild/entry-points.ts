import * as path from 'node:path';
import type { Metafile } from 'esbuild';
import { UserError } from '../../../errors.ts';
import { isFile } from '../../../support/files.ts';
import type { BuildDefinition } from '../../plan-build.ts';

/** Endings to try for an entry without one, in this order. */
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

/** Finds the file of an entry point, relative to the code. */
export async function resolveEntry(definition: BuildDefinition, name: string): Promise<string> {
  const found = await findEntry(definition, name);
  if (found !== undefined) return found;
  throw new UserError(
    `${definition.ids.join(', ')}: the file of entry point ${name} does not exist in ${definition.codeDir}`,
    { hint: ENTRY_HINTS[definition.kind] },
  );
}

const ENTRY_HINTS: Readonly<Record<BuildDefinition['kind'], string>> = {
  function: 'Correct the Handler or BuildProperties EntryPoints; both are relative to CodeUri.',
  layer: 'Correct BuildProperties EntryPoints; they are relative to ContentUri.',
  'web-function': 'Correct the EntryPoint or BuildProperties EntryPoints; both are relative to CodeUri.',
};

/** Finds the file of the first of these entry points that exists. */
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
  for (const candidate of candidates) if (await isFile(path.resolve(codeDir, candidate))) return candidate;
  return undefined;
}

/** What a run of esbuild gave, and from what. */
interface Bundled {
  metafile: Metafile;
  codeDir: string;
  target: string;
}

/**
 * Returns the handler that finds the bundle, or undefined if the template's does. esbuild puts a single entry at the top of its
 * output, so `src/app.handler` becomes `app.handler`.
 */
export async function bundledHandler(handler: string | undefined, built: Bundled): Promise<string | undefined> {
  if (handler === undefined || handler.startsWith('/opt')) return undefined;
  const { module, exported } = splitHandler(handler);
  if (await isBuilt(built, ...['.js', '.mjs', '.cjs'].map((ending) => module + ending))) return undefined;
  const file = outputOf(module, built);
  if (file === undefined) return handler.slice(handler.lastIndexOf('/') + 1);
  return `${file.slice(0, -path.extname(file).length)}.${exported}`;
}

/**
 * Returns the file that starts a Web Function, or undefined if the template's does: `src/server.ts` becomes `server.js`. SAM CLI
 * keeps `server.ts`, which is not in the bundle.
 */
export async function bundledEntryPoint(entryPoint: string, built: Bundled): Promise<string | undefined> {
  if (await isBuilt(built, entryPoint, `${entryPoint}.js`)) return undefined;
  return outputOf(entryPoint, built) ?? `${path.posix.parse(entryPoint).name}.js`;
}

async function isBuilt({ target }: Bundled, ...names: string[]): Promise<boolean> {
  for (const name of names) if (await isFile(path.join(target, name))) return true;
  return false;
}

/** Returns the output file of an entry, which may lack its ending. */
function outputOf(entry: string, { metafile, codeDir }: Bundled): string | undefined {
  const wanted = path.resolve(codeDir, entry);
  const output = Object.entries(metafile.outputs).find(([, { entryPoint }]) => {
    if (entryPoint === undefined) return false;
    const file = path.resolve(codeDir, entryPoint);
    return file === wanted || file.slice(0, -path.extname(file).length) === wanted;
  });
  return output?.[0];
}
