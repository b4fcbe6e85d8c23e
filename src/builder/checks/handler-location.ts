/** Where Lambda's runtime looks for what a `Handler` names. Paths have `/` and are relative to the function's folder. */
export interface HandlerLocation {
  /** Any of these will do; the first is what is probably meant. */
  files: readonly string[];
  /** Names that will do as well, in the folder of the first. */
  alike?: RegExp | undefined;
  /** What it may be in a folder of packages (`node_modules`, `python`), relative to that. */
  inPackages: readonly string[];
  /** The class whose file may also be in a `.jar`. */
  inJars?: string | undefined;
  /** The function in that file, where the handler names one. */
  name?: string | undefined;
  language: 'python' | 'nodejs' | 'ruby' | undefined;
}

/** The handler cannot be understood: what Lambda would say of it. */
export interface BadHandler {
  bad: string;
}

/** Languages, by the beginning of a runtime's name. */
const PLACES: readonly (readonly [
  runtime: string,
  place: (handler: string) => HandlerLocation | BadHandler | undefined,
])[] = [
  ['python', placePython],
  ['nodejs', placeNode],
  ['ruby', placeRuby],
  ['java', placeJava],
  ['dotnet', placeDotnet],
  ['go1.x', (handler) => placeProgram(handler)],
  ['provided', () => placeProgram('bootstrap')],
];

/** Where a handler is in what is deployed; undefined: not known. */
export function locateHandler(runtime: string, handler: string | undefined): HandlerLocation | BadHandler | undefined {
  const [, place] = PLACES.find(([beginning]) => runtime.startsWith(beginning)) ?? [];
  if (handler === undefined && !runtime.startsWith('provided')) return undefined;
  return place?.(handler ?? '');
}

/** Where the file is that a Web Function starts with; undefined: not known. */
export function locateEntryPoint(runtime: string, entryPoint: string | undefined): HandlerLocation | undefined {
  if (entryPoint === undefined || !runtime.startsWith('nodejs')) return undefined;
  const file = entryPoint.replace(/^\.\//, '');
  const isScript = SOURCES.nodejs.test(file);
  // whether the runtime adds what is missing is not documented
  const files = isScript ? [file] : [file, `${file}.js`, `${file}.mjs`, `${file}.cjs`, `${file}/index.js`];
  return { files, inPackages: [], language: isScript ? 'nodejs' : undefined };
}

/** The handler that names `name` in a file, in the form of the language. */
export function handlerOf(language: HandlerLocation['language'], file: string, name: string): string {
  const stem = file.replace(/\.\w+$/, '');
  return `${language === 'python' ? stem.replaceAll('/', '.').replace(/\.__init__$/, '') : stem}.${name}`;
}

/** Files that could hold a handler. */
export const SOURCES: Readonly<Record<'python' | 'nodejs' | 'ruby', RegExp>> = {
  python: /\.py$/,
  nodejs: /\.[mc]?js$/,
  ruby: /\.rb$/,
};

function placePython(handler: string): HandlerLocation | BadHandler {
  const dot = handler.lastIndexOf('.');
  if (dot <= 0) return { bad: 'it needs the form module.function' };
  const stem = handler.slice(0, dot).replaceAll('.', '/');
  const base = stem.slice(stem.lastIndexOf('/') + 1);
  const files = [`${stem}.py`, `${stem}/__init__.py`, `${stem}.pyc`];
  return {
    files,
    // compiled modules
    alike: new RegExp(`^${base.replaceAll(/\W/g, '\\$&')}\\.(?:[\\w-]+\\.)?so$`),
    inPackages: files,
    name: handler.slice(dot + 1),
    language: 'python',
  };
}

function placeNode(handler: string): HandlerLocation | BadHandler {
  if (handler.includes('..')) return { bad: 'it must not contain ..' };
  const slash = handler.lastIndexOf('/');
  const [, module, name] = /^([^.]+)\.(.+)$/.exec(handler.slice(slash + 1)) ?? [];
  if (module === undefined) return { bad: 'it needs the form file.function' };
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
