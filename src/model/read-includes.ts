import { MAX_INPUT_BYTES, readTextFile } from '../support/regular-file.ts';
import { findIncludes } from '../template/includes.ts';
import type { IncludedFile } from '../template/includes.ts';
import { isLocalPath, resolveLocalPath } from '../template/local-paths.ts';
import type { Scope } from '../template/scope.ts';
import { getAt, setAt } from '../template/template-path.ts';
import type { Template, TemplateValue } from '../template/template.ts';
import { parseYaml } from '../template/yaml.ts';
import type { LocalFiles } from './code-source.ts';

/** What the `AWS::Include` of a template bring in. */
export interface ReadIncludes {
  /** By location as the template has it. */
  contents: ReadonlyMap<string, TemplateValue>;
  /** The template with each local location as a text that is right from its folder. */
  source: Template;
}

/** Where the files are looked for. */
interface IncludeSearch {
  scope: Scope;
  files: LocalFiles;
  /** The folder that the command runs in: the peer looks there. */
  cwd: string;
  /** Told of every file that is included. */
  onRead?: ((file: string) => void) | undefined;
}

/**
 * Reads the local files that the template includes: from the template's folder, else from the current one. `expanded` is
 * the template with all its loops written out. A missing file is reported with the other local paths.
 */
export async function readIncludes(source: Template, expanded: Template, search: IncludeSearch): Promise<ReadIncludes> {
  const inSource = localIncludes(source, search);
  const inAll = expanded === source ? inSource : localIncludes(expanded, search);
  const files = new Map<string, string>();
  const contents = new Map<string, TemplateValue>();
  const locations = new Set([...inSource, ...inAll].map(({ location }) => location));
  await Promise.all(
    [...locations].map(async (location) => {
      const file = await findInclude(location, search);
      search.onRead?.(file);
      const content = await parseInclude(file);
      files.set(location, file);
      if (content !== undefined) contents.set(location, content);
    }),
  );
  let result = source;
  for (const { path: at, location } of inSource) {
    const usual = resolveLocalPath(location, search.files.templateDir);
    const file = files.get(location) ?? usual;
    const text = file === usual ? location : file;
    if (getAt(source, at) !== text) result = setAt(result, at, text);
  }
  return { contents, source: result };
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

/** What we cannot read may still be right for CloudFormation; then it stays an include. */
async function parseInclude(file: string): Promise<TemplateValue | undefined> {
  try {
    return parseYaml(readTextFile(file, MAX_INPUT_BYTES), file);
  } catch {
    return undefined;
  }
}
