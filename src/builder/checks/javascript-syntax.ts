import type * as Esbuild from 'esbuild';
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { useEsbuild } from '../tools/esbuild-service.ts';
import type { CodeProblem, CodeCheck } from './code-check.ts';

/** Errors of esbuild about code that Node.js may still run. */
const NOT_SYNTAX = /^Could not resolve|^No loader|output format|^This require call|^Failed to |^Cannot read/;

/**
 * Checks the syntax of the handler's file, and of the function's own files that it loads. By esbuild, which knows the syntax of
 * every Node.js: ours may be older than the function's.
 */
export async function checkJavaScript({ root, file }: CodeCheck): Promise<CodeProblem> {
  const esbuild = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
  const folder = realpathSync(root);
  try {
    const options: Esbuild.BuildOptions = {
      entryPoints: [path.join(folder, file)],
      absWorkingDir: folder,
      outdir: folder,
      write: false,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      packages: 'external',
      resolveExtensions: ['.js', '.json', '.mjs', '.cjs', '.node'],
      loader: { '.node': 'empty' },
      tsconfigRaw: '{}',
      logLevel: 'silent',
    };
    await useEsbuild(esbuild, () => esbuild.build(options));
    return {};
  } catch (error) {
    const { errors = [] } = error as Partial<Esbuild.BuildFailure>;
    const first = errors.find(({ text, location }) => location !== null && !NOT_SYNTAX.test(text));
    if (first?.location === undefined || first.location === null) return {};
    const { location, text } = first;
    return { file: location.file, line: location.line, column: location.column + 1, message: `SyntaxError: ${text}` };
  }
}

/** `exports.__esModule`, which compilers write. */
const MARKER = /Object\.defineProperty\(exports,\s*["']__esModule["'],\s*\{\s*value:\s*(?:true|!0)\s*\}\)/g;
const ASSIGNED = /\b(?:module\.)?exports\.([\w$]+)\s*=(?!=)/g;
const LITERAL = /\bmodule\.exports\s*=\s*\{[\w\s,$:]*\}/g;

/**
 * Checks that the file may export the name. Reports a problem only if the name is nowhere in it, and nothing it exports is
 * defined elsewhere or at run time.
 */
export function lacksExport({ root, file, name }: CodeCheck): CodeProblem {
  const [top = ''] = name.split('.');
  const source = readFileSync(path.join(root, file), 'utf8');
  if (new RegExp(`(?<![\\w$])${top.replaceAll('$', '\\$')}(?![\\w$])`).test(source)) return {};
  const rest = source.replaceAll(MARKER, '').replaceAll(ASSIGNED, '').replaceAll(LITERAL, '');
  if (/\bexports\b|\bexport\s*\*|\bthis\s*\[/.test(rest)) return {};
  const names = [...source.matchAll(ASSIGNED)].map(([, exported = '']) => exported);
  for (const [, exported = ''] of source.matchAll(
    /\bexport\s+(?:async\s+)?(?:const|let|var|function\*?|class)\s+([\w$]+)/g,
  ))
    names.push(exported);
  return { file, names };
}
