import { statIfExists } from '../support/files.ts';
import { explainSystemError } from '../system-errors.ts';
import { isLocalPath, resolveLocalPath } from '../template/local-paths.ts';
import { isMap, mapOf, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { isInRegistry } from './image-reference.ts';
import type { CodeSource } from './stack.ts';

/** The kind of a path on this machine. `special`: a named pipe, a socket or a device. */
type PathKind = 'file' | 'folder' | 'special' | undefined;

/** Base folders of a stack's paths, and what is there. */
export interface LocalFiles {
  /** Base of code paths: `--base-dir`, else the template's folder. Absolute. */
  codeDir: string;
  /** Base of all other paths: the template's folder. Absolute. */
  templateDir: string;
  kindOf(path: string): Promise<PathKind>;
}

/** Creates a function that checks each path at most once in a run. */
export function createKindOf(): LocalFiles['kindOf'] {
  const kinds = new Map<string, Promise<PathKind>>();
  return (path) => {
    const kind = kinds.get(path) ?? lookAt(path);
    kinds.set(path, kind);
    return kind;
  };
}

/** Returns undefined for an inaccessible path; `whyUnusable` explains it. */
async function lookAt(path: string): Promise<PathKind> {
  try {
    const stats = await statIfExists(path);
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'special';
  } catch (error) {
    if (explainSystemError(error) === undefined) throw error;
    return undefined;
  }
}

/** Explains why the path is neither a file nor a folder. */
export async function whyUnusable(path: string): Promise<string> {
  try {
    await statIfExists(path);
  } catch (error) {
    const explained = explainSystemError(error);
    if (explained !== undefined) return `cannot be used. ${explained.message}`;
  }
  return `does not exist (${path})`;
}

/** Returns the code of a zip function or layer from its property, e.g. `CodeUri`. Default: the template's folder. */
export async function zipSource(value: TemplateValue | undefined, files: LocalFiles): Promise<CodeSource> {
  const location = value ?? '.';
  if (isMap(location) && (location['ZipFile'] ?? null) !== null) return { kind: 'inline' };
  if (!isLocalPath(location)) return { kind: 'remote' };
  const path = resolveLocalPath(location, files.codeDir);
  const isFile = (await files.kindOf(path)) === 'file';
  return { kind: isFile ? 'file' : 'folder', path };
}

/** Returns a function's image: built if its metadata has a Docker context, else in a registry, a file, or the engine. */
export async function imageSource(
  imageUri: TemplateValue | undefined,
  metadata: TemplateMap,
  files: LocalFiles,
): Promise<CodeSource> {
  const context = scalarText(metadata['DockerContext']);
  if (context !== undefined) return { kind: 'image', context: resolveLocalPath(context, files.codeDir) };
  if (!isLocalPath(imageUri) || isInRegistry(imageUri)) return { kind: 'remote' };
  const path = resolveLocalPath(imageUri, files.templateDir);
  return (await files.kindOf(path)) === 'file'
    ? { kind: 'image-archive', path }
    : { kind: 'local-image', name: imageUri };
}

/** Returns a local path that only CloudFormation can resolve: `!Sub ./${Queue.Name}`, `!If [Unknown, ./a, ./b]`. */
export function undecidedLocalPath(value: TemplateValue | undefined): string | undefined {
  const map = mapOf(value);
  const sides = Array.isArray(map['Fn::If']) ? map['Fn::If'].slice(1) : [];
  const sub = Array.isArray(map['Fn::Sub']) ? map['Fn::Sub'][0] : map['Fn::Sub'];
  const text = scalarText(sub);
  if (text !== undefined && /^(?:\.{0,2}\/|file:)/.test(text)) return text;
  return sides.map((side) => (isLocalPath(side) ? side : undecidedLocalPath(side))).find((side) => side !== undefined);
}

/** Returns whether a metadata setting is on, as a boolean or a string. */
export function isOn(value: TemplateValue | undefined): boolean {
  return scalarText(value)?.toLowerCase() === 'true';
}
