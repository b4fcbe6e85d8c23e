/** Where Lambda's runtime looks for a `Handler`. Paths have `/` and are relative to the function's folder. */
export interface HandlerLocation {
  /** Files that Lambda accepts; the first is the usual one. */
  files: readonly string[];
  /** Other accepted names in the folder of the first. */
  alternatives?: RegExp | undefined;
  /** Accepted names in a folder of packages (`node_modules`, `python`), relative to it. */
  inPackages: readonly string[];
  /** The class file, which may also be in a `.jar`. */
  inJars?: string | undefined;
  /** The function in the file, if the handler names one. */
  name?: string | undefined;
  language: 'python' | 'nodejs' | 'ruby' | undefined;
}

/** A handler that Lambda cannot parse. */
export interface InvalidHandler {
  /** The reason. */
  invalid: string;
}

/** Languages, by the prefix of a runtime's name. */
const PLACES: readonly (readonly [
  runtime: string,
  place: (handler: string) => HandlerLocation | InvalidHandler | undefined,
])[] = [
  ['python', placePython],
  ['nodejs', placeNode],
  ['ruby', placeRuby],
  ['java', placeJava],
  ['dotnet', placeDotnet],
  ['go1.x', (handler) => placeProgram(handler)],
  ['provided', () => placeProgram('bootstrap')],
];

/** Returns where a handler is in the artifact; undefined if unknown. */
export function locateHandler(
  runtime: string,
  handler: string | undefined,
): HandlerLocation | InvalidHandler | undefined {
  const [, place] = PLACES.find(([prefix]) => runtime.startsWith(prefix)) ?? [];
  if (handler === undefined && !runtime.startsWith('provided')) return undefined;
  return place?.(handler ?? '');
}

/** Returns where the file that starts a Web Function is in the artifact; undefined if unknown. */
export function locateEntryPoint(runtime: string, entryPoint: string | undefined): HandlerLocation | undefined {
  if (entryPoint === undefined || !runtime.startsWith('nodejs')) return undefined;
  const file = entryPoint.replace(/^\.\//, '');
  const isScript = SOURCES.nodejs.test(file);
  // whether the runtime adds what is missing is not documented
  const files = isScript ? [file] : [file, `${file}.js`, `${file}.mjs`, `${file}.cjs`, `${file}/index.js`];
  return { files, inPackages: [], language: isScript ? 'nodejs' : undefined };
}

/** Returns the handler for `name` in a file, in the form of the language. */
export function handlerOf(language: HandlerLocation['language'], file: string, name: string): string {
  const stem = file.replace(/\.\w+$/, '');
  return `${language === 'python' ? stem.replaceAll('/', '.').replace(/\.__init__$/, '') : stem}.${name}`;
}

/** Names of files that can hold a handler. */
export const SOURCES: Readonly<Record<'python' | 'nodejs' | 'ruby', RegExp>> = {
  python: /\.py$/,
  nodejs: /\.[mc]?js$/,
  ruby: /\.rb$/,
};

function placePython(handler: string): HandlerLocation | InvalidHandler {
  const dot = handler.lastIndexOf('.');
  if (dot <= 0) return { invalid: 'it needs the form module.function' };
  const stem = handler.slice(0, dot).replaceAll('.', '/');
  const base = stem.slice(stem.lastIndexOf('/') + 1);
  const files = [`${stem}.py`, `${stem}/__init__.py`, `${stem}.pyc`];
  return {
    files,
    // compiled modules
    alternatives: new RegExp(`^${base.replaceAll(/\W/g, '\\$&')}\\.(?:[\\w-]+\\.)?so$`),
    inPackages: files,
    name: handler.slice(dot + 1),
    language: 'python',
  };
}

function placeNode(handler: string): HandlerLocation | InvalidHandler {
  if (handler.includes('..')) return { invalid: 'it must not contain ..' };
  const slash = handler.lastIndexOf('/');
  const [, module, name] = /^([^.]+)\.(.+)$/.exec(handler.slice(slash + 1)) ?? [];
  if (module === undefined) return { invalid: 'it needs the form file.function' };
  const stem = handler.slice(0, slash + 1).replace(/^\.\//, '') + module;
  const files = [`${stem}.js`, `${stem}.mjs`, `${stem}.cjs`, stem];
  return { files, inPackages: [module], name, language: 'nodejs' };
}

function placeRuby(handler: string): HandlerLocation {
  const [stem = '', ...names] = handler.split('.');
  const file = `${stem}.rb`;
  const name = names.length === 1 ? names[0] : undefined;
  return { files: [file], inPackages: [file], name, language: 'ruby' };
}

function placeJava(handler: string): HandlerLocation {
  const file = `${(handler.split('::', 1)[0] ?? '').replaceAll('.', '/')}.class`;
  return { files: [file], inPackages: [], inJars: file, language: undefined };
}

function placeDotnet(handler: string): HandlerLocation {
  const assembly = handler.split('::', 1)[0] ?? '';
  return { files: [`${assembly}.dll`, assembly, 'bootstrap'], inPackages: [], language: undefined };
}

function placeProgram(name: string): HandlerLocation {
  return { files: [name], inPackages: [], language: undefined };
}
