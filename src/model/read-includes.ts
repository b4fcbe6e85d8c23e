import { errorMessage, TemplateError, UserError } from '../errors.ts';
import type { TemplateProblem } from '../errors.ts';
import { isMissing } from '../support/files.ts';
import { MAX_INPUT_BYTES, readTextFile } from '../support/regular-file.ts';
import { explainSystemError } from '../system-errors.ts';
import { findIncludes } from '../template/includes.ts';
import type { IncludedFile } from '../template/includes.ts';
import { isLocalPath, resolveLocalPath } from '../template/local-paths.ts';
import type { Scope } from '../template/scope.ts';
import { getAt, setAt } from '../template/template-path.ts';
import type { Template, TemplateValue } from '../template/template.ts';
import { parseYaml } from '../template/yaml/yaml.ts';
import type { LocalFiles } from './code-source.ts';
import { labelOf } from './load-template.ts';

/** The contents of a template's `AWS::Include` files. */
export interface ReadIncludes {
  /** By location as written in the template. */
  contents: ReadonlyMap<string, TemplateValue>;
  /** The template with each local location relative to its folder. */
  source: Template;
  /** Problems of unreadable files, which CloudFormation could not read either. */
  problems: readonly TemplateProblem[];
}

/** Where to look for files. */
interface IncludeSearch {
  scope: Scope;
  files: LocalFiles;
  /** The current folder, where SAM CLI looks. */
  cwd: string;
  /** Called with every included file. */
  onRead?: ((file: string) => void) | undefined;
}

/**
 * Reads the local files that the template includes, from the template's folder, else from the current one. `expanded`: the
 * template with all loops expanded. `checkLocalPaths` reports missing files and folders.
 */
export async function readIncludes(source: Template, expanded: Template, search: IncludeSearch): Promise<ReadIncludes> {
  const inSource = localIncludes(source, search);
  const inAll = expanded === source ? inSource : localIncludes(expanded, search);
  const files = new Map<string, string>();
  const contents = new Map<string, TemplateValue>();
  const problems: TemplateProblem[] = [];
  const locations = new Set([...inSource, ...inAll].map(({ location }) => location));
  await Promise.all(
    [...locations].map(async (location) => {
      const file = await findInclude(location, search);
      search.onRead?.(file);
      files.set(location, file);
      const read = await parseInclude(file, labelOf(file, search.cwd));
      problems.push(...read.problems);
      if (read.content !== undefined) contents.set(location, read.content);
    }),
  );
  let result = source;
  for (const { path: at, location } of inSource) {
    const usual = resolveLocalPath(location, search.files.templateDir);
    const file = files.get(location) ?? usual;
    const text = file === usual ? location : file;
    if (getAt(source, at) !== text) result = setAt(result, at, text);
  }
  return { contents, source: result, problems };
}

function localIncludes(template: Template, search: IncludeSearch): IncludedFile[] {
  return findIncludes(template, search.scope).filter(({ location }) => isLocalPath(location));
}

async function findInclude(location: string, { files, cwd }: IncludeSearch): Promise<string> {
  const usual = resolveLocalPath(location, files.templateDir);
  const other = resolveLocalPath(location, cwd);
  const isOther = (await files.kindOf(usual)) === undefined && (await files.kindOf(other)) === 'file';
  return isOther ? other : usual;
}

interface ReadInclude {
  /** undefined: keep the include. */
  content?: TemplateValue;
  problems: readonly TemplateProblem[];
}

async function parseInclude(file: string, label: string): Promise<ReadInclude> {
  try {
    return { content: parseYaml(readTextFile(file, MAX_INPUT_BYTES), label), problems: [] };
  } catch (error) {
    if (error instanceof TemplateError) return { problems: error.problems };
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return { problems: [] };
    const known = error instanceof UserError ? error : explainSystemError(error);
    return { problems: [{ file: label, message: known?.message ?? `Cannot read the file: ${errorMessage(error)}` }] };
  }
}
