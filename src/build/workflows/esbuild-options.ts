import type { BuildOptions as EsbuildOptions } from 'esbuild';
import { UserError } from '../../errors.ts';
import { isMap, scalarText, SourceNumber } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';

/** What `BuildProperties` say, for esbuild's JavaScript API. */
export interface BundleOptions {
  esbuild: EsbuildOptions;
  /** As written; without one the handler's module is the entry. */
  entryPoints: readonly string[] | undefined;
  useNpmCi: boolean;
  /** `External: ["./node_modules/*"]`: every dependency of package.json stays outside the bundle. */
  allDependenciesExternal: boolean;
}

/** Options that a function's bundle cannot do without, and those of esbuild's command line that make no file. */
const FIXED = new Set([
  'bundle',
  'platform',
  'outdir',
  'outfile',
  'write',
  'metafile',
  'watch',
  'serve',
  'servedir',
  'analyze',
  'absWorkingDir',
  'allowOverwrite',
  'color',
  'logLevel',
]);
/** On the command line `--define:K=V`: a mapping, or a list of `K=V`. */
const MAPPINGS = new Set(['define', 'loader', 'banner', 'footer', 'alias', 'outExtension', 'supported', 'logOverride']);
/** On the command line `--external:X` or `--main-fields=a,b`: a list. */
const LISTS = new Set([
  'external',
  'inject',
  'drop',
  'dropLabels',
  'pure',
  'conditions',
  'mainFields',
  'resolveExtensions',
  'nodePaths',
  'target',
]);
const EXPRESSIONS = new Set(['mangleProps', 'reserveProps']);
/** esbuild wants text here, whatever it looks like. */
const TEXTS = new Set(['banner', 'footer', 'define', 'globalName', 'jsxFactory', 'jsxFragment']);

/** Turns `BuildProperties` into esbuild's options: every option that esbuild has, in any spelling (`MainFields`, `main-fields`). */
export function readBundleOptions(properties: TemplateMap, where: string): BundleOptions {
  const esbuild: Record<string, unknown> = { target: 'es2020', format: 'cjs', minify: true };
  const options: BundleOptions = { esbuild, entryPoints: undefined, useNpmCi: false, allDependenciesExternal: false };
  for (const [key, value] of Object.entries(properties)) {
    const name = camelCase(key);
    if (value === null || FIXED.has(name)) continue;
    if (name === 'useNpmCi') options.useNpmCi = plain(value, name) === true;
    else if (name === 'entryPoints') options.entryPoints = listOf(value, where, key);
    else esbuild[name] = optionValue(name, value, { where, key });
  }
  const external = (esbuild['external'] ?? []) as string[];
  options.allDependenciesExternal = external.includes('./node_modules/*');
  esbuild['external'] = external.filter((name) => name !== './node_modules/*');
  return options;
}

/** `MainFields`, `main-fields`, `main_fields`, `mainFields` → `mainFields`; `JSX` → `jsx`. */
function camelCase(key: string): string {
  const words = key
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_]/);
  return words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

function optionValue(name: string, value: TemplateValue, at: { where: string; key: string }): unknown {
  if (MAPPINGS.has(name)) return mappingOf(name, value, at);
  if (LISTS.has(name)) return listOf(value, at.where, at.key);
  if (EXPRESSIONS.has(name)) return expressionOf(value, at);
  return plain(value, name);
}

function mappingOf(name: string, value: TemplateValue, at: { where: string; key: string }): Record<string, unknown> {
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, itemOf(name, item, at)]));
  const pairs = listOf(value, at.where, at.key).map((item): [string, unknown] => {
    const equals = item.indexOf('=');
    if (equals < 1) {
      throw new UserError(`${at.where}: BuildProperties ${at.key} must hold NAME=VALUE, not ${item}`);
    }
    return [item.slice(0, equals), itemOf(name, item.slice(equals + 1), at)];
  });
  return Object.fromEntries(pairs);
}

/** What a mapping says of a name: a text, and of a feature (`supported`) whether it is there. */
function itemOf(name: string, value: TemplateValue, at: { where: string; key: string }): string | boolean {
  const item = plain(value, name);
  if (typeof item === 'boolean' && name === 'supported') return item;
  const text = scalarText(value);
  if (text !== undefined && name !== 'supported') return text;
  throw new UserError(
    `${at.where}: BuildProperties ${at.key} must map names to ${name === 'supported' ? 'true or false' : 'texts'}`,
  );
}

function expressionOf(value: TemplateValue, at: { where: string; key: string }): RegExp {
  try {
    return new RegExp(scalarText(value) ?? fail(`${at.where}: BuildProperties ${at.key} must be a text`));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${at.where}: BuildProperties ${at.key}: ${error.message}`, { cause: error });
  }
}

function fail(message: string): never {
  throw new UserError(message);
}

function listOf(value: TemplateValue, where: string, key: string): string[] {
  const text = scalarText(value);
  const items = Array.isArray(value) ? value : (text?.split(',') ?? [value]);
  return items.map((item) => {
    const text = scalarText(item)?.trim();
    if (text === undefined) throw new UserError(`${where}: BuildProperties ${key} must be a list of texts`);
    return text;
  });
}

/** Values that a parameter or `!Sub` made text of count as what they say, except where text is meant. */
function plain(value: TemplateValue, name: string): unknown {
  if (value instanceof SourceNumber) return TEXTS.has(name) ? value.source : value.value;
  if (TEXTS.has(name)) return scalarText(value) ?? value;
  if (value === 'true' || value === 'false') return value === 'true';
  return value;
}
