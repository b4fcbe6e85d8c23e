import { intrinsicName, isMap, scalarText, SourceNumber } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';

/** The `BuildProperties` of a bundle, with the names of esbuild's JavaScript API. */
export interface EsbuildProperties {
  /** Options for esbuild, including unknown ones: versions differ. */
  options: Record<string, unknown>;
  /** As written; undefined: the handler's module is the entry. */
  entryPoints: readonly string[] | undefined;
  useNpmCi: boolean;
  /** Invalid properties, which `options` omits. */
  problems: readonly EsbuildProblem[];
}

/** An invalid property. */
interface EsbuildProblem {
  /** As written; undefined: `BuildProperties` as a whole. */
  key: string | undefined;
  /** The rest of a sentence that begins with the property. */
  message: string;
}

/** Reads a value of the shape that `what` describes; undefined for any other. */
interface Shape {
  read(value: TemplateValue): unknown;
  what: string;
}

const TEXT: Shape = { read: (value) => scalarText(value), what: 'a string' };
const FLAG: Shape = { read: flagOf, what: 'true or false' };
const NUMBER: Shape = { read: numberOf, what: 'a number' };
const LIST: Shape = { read: listOf, what: 'a list of strings' };
/** On the command line `--define:K=V`: a mapping, or a list of `K=V`. */
const TEXTS: Shape = {
  read: (value) => mappingOf(value, scalarText),
  what: 'a mapping of strings, or a list of NAME=VALUE',
};
const FLAGS: Shape = {
  read: (value) => mappingOf(value, flagOf),
  what: 'a mapping of names to true or false, or a list of NAME=true or NAME=false',
};
const EXPRESSION: Shape = { read: expressionOf, what: 'a regular expression' };
const SOURCE_MAP: Shape = {
  read: (value) => flagOf(value) ?? choiceOf(value, ['linked', 'inline', 'external', 'both']),
  what: 'true, false, linked, inline, external or both',
};
const RAW: Shape = {
  read: (value) => (typeof value === 'string' || isMap(value) ? plainOf(value) : undefined),
  what: 'a string or a mapping',
};

const SHAPES = new Map<string, Shape>([
  ...namesOf('define loader banner footer alias outExtension logOverride', TEXTS),
  ...namesOf('supported', FLAGS),
  ...namesOf(
    'external inject drop dropLabels pure conditions mainFields resolveExtensions nodePaths target entryPoints',
    LIST,
  ),
  ...namesOf('mangleProps reserveProps', EXPRESSION),
  ...namesOf('minify minifyWhitespace minifyIdentifiers minifySyntax mangleQuoted treeShaking ignoreAnnotations', FLAG),
  ...namesOf('keepNames preserveSymlinks splitting sourcesContent jsxDev jsxSideEffects useNpmCi', FLAG),
  ...namesOf('format charset legalComments jsx jsxFactory jsxFragment jsxImportSource globalName packages', TEXT),
  ...namesOf('tsconfig sourceRoot publicPath outbase entryNames chunkNames assetNames', TEXT),
  ...namesOf('logLimit lineLimit', NUMBER),
  ...namesOf('sourcemap', SOURCE_MAP),
  ...namesOf('tsconfigRaw', RAW),
]);

/** Options that sam-sync sets itself, and options of esbuild's command line that create no file. */
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
/** Options that only a program can set. */
const CODE_ONLY = new Set(['plugins', 'stdin', 'mangleCache']);

/** Reads `BuildProperties`, which accept every esbuild option in any spelling (`MainFields`, `main-fields`). */
export function readEsbuildProperties(properties: TemplateValue | undefined): EsbuildProperties {
  const options: Record<string, unknown> = {};
  const problems: EsbuildProblem[] = [];
  if (!isMap(properties ?? {})) problems.push({ key: undefined, message: 'must be a mapping' });
  for (const [key, value] of Object.entries(isMap(properties) ? properties : {})) {
    const name = camelCase(key);
    if (value === null || FIXED.has(name)) continue;
    const { read, what } = SHAPES.get(name) ?? { read: plainOf, what: 'a value' };
    const option = CODE_ONLY.has(name) || intrinsicName(value) !== undefined ? undefined : read(value);
    if (option === undefined) problems.push({ key, message: faultOf(name, value, what) });
    else options[name] = option;
  }
  const { entryPoints, useNpmCi, ...rest } = options;
  return {
    options: rest,
    entryPoints: entryPoints as readonly string[] | undefined,
    useNpmCi: useNpmCi === true,
    problems,
  };
}

function faultOf(name: string, value: TemplateValue, what: string): string {
  if (CODE_ONLY.has(name)) return 'cannot be set in a template';
  if (intrinsicName(value) !== undefined) return 'depends on a value known only to CloudFormation';
  const actual = scalarText(value);
  return `must be ${what}${actual === undefined ? '' : `, not ${actual}`}`;
}

/** `MainFields`, `main-fields`, `main_fields`, `mainFields` → `mainFields`; `JSX` → `jsx`. */
function camelCase(key: string): string {
  const words = key
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_]/);
  return words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

function namesOf(names: string, shape: Shape): [string, Shape][] {
  return names.split(' ').map((name) => [name, shape]);
}

/** Reads a boolean, also as a string, as parameters and `!Sub` produce. */
function flagOf(value: TemplateValue): boolean | undefined {
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'boolean' ? value : undefined;
}

function numberOf(value: TemplateValue): number | undefined {
  const text = scalarText(value)?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function choiceOf(value: TemplateValue, choices: readonly string[]): string | undefined {
  return typeof value === 'string' && choices.includes(value) ? value : undefined;
}

function listOf(value: TemplateValue): string[] | undefined {
  const items = Array.isArray(value) ? value.map(scalarText) : scalarText(value)?.split(',');
  return items?.every((item) => item !== undefined) ? items.map((item) => item.trim()) : undefined;
}

function mappingOf<T>(
  value: TemplateValue,
  read: (item: TemplateValue) => T | undefined,
): Record<string, T> | undefined {
  const pairs = isMap(value) ? Object.entries(value) : listOf(value)?.map(pairOf);
  const entries = pairs?.map((pair) => {
    const item = pair && read(pair[1]);
    return pair && item !== undefined ? ([pair[0], item] as const) : undefined;
  });
  return entries?.every((entry) => entry !== undefined) ? Object.fromEntries(entries) : undefined;
}

function pairOf(item: string): [string, string] | undefined {
  const equals = item.indexOf('=');
  return equals < 1 ? undefined : [item.slice(0, equals), item.slice(equals + 1)];
}

function expressionOf(value: TemplateValue): RegExp | undefined {
  const text = scalarText(value);
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch {
    return undefined;
  }
}

/** Converts the value of an option that only esbuild knows. */
function plainOf(value: TemplateValue): unknown {
  if (value instanceof SourceNumber) return value.value;
  if (Array.isArray(value)) return value.map(plainOf);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainOf(item)]));
  return flagOf(value) ?? value;
}

/** Checks the `BuildProperties` of an esbuild resource. */
export function checkEsbuildProperties(metadata: TemplateMap, logicalId: string): { key: string[]; message: string }[] {
  if (scalarText(metadata['BuildMethod']) !== 'esbuild') return [];
  return readEsbuildProperties(metadata['BuildProperties']).problems.map(({ key, message }) => ({
    key: key === undefined ? ['BuildProperties'] : ['BuildProperties', key],
    message: `${logicalId} BuildProperties ${key === undefined ? '' : `${key} `}${message}`,
  }));
}
