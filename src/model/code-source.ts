import type { Dirent } from 'node:fs';
import * as path from 'node:path';
import { itemsIn, statIfExists } from '../support/files.ts';
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

/** Of a folder with more paths than these, all items are listed at once. */
const LISTED_ABOVE = 20;

/** Creates a function that checks each path at most once in a run. */
export function createKindOf(): LocalFiles['kindOf'] {
  const kinds = new Map<string, Promise<PathKind>>();
  const listed = createListings();
  return (place) => {
    const kind = kinds.get(place) ?? lookAt(place, listed(place));
    kinds.set(place, kind);
    return kind;
  };
}

/** Finds a path's item in the listing of its folder; undefined if too few paths in the folder were looked for so far. */
function createListings(): (place: string) => Dirent | undefined {
  const folders = new Map<string, { asked: number; items?: ReadonlyMap<string, Dirent> }>();
  return (place) => {
    const name = path.dirname(place);
    const folder = folders.get(name) ?? { asked: 0 };
    folders.set(name, folder);
    if (++folder.asked > LISTED_ABOVE) folder.items ??= list(name);
    return folder.items?.get(path.basename(place));
  };
}

function list(folder: string): Map<string, Dirent> {
  try {
    return new Map(itemsIn(folder).map((item) => [item.name, item]));
  } catch {
    // each of its paths is looked at, and explained
    return new Map();
  }
}

/** Returns undefined for an inaccessible path; `whyUnusable` explains it. */
async function lookAt(place: string, listed: Dirent | undefined): Promise<PathKind> {
  // links are followed, and a file system may find a name in another case
  if (listed?.isDirectory()) return 'folder';
  if (listed?.isFile()) return 'file';
  try {
    const stats = await statIfExists(place);
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'special';
  } catch (error) {
    if (explainSystemError(error) === undefined) throw error;
    return undefined;
  }
}

/** Explains why the path is neither a file nor a folder. */
export async function whyUnusable(place: string): Promise<string> {
  try {
    await statIfExists(place);
  } catch (error) {
    const explained = explainSystemError(error);
    if (explained !== undefined) return `cannot be used. ${explained.message}`;
  }
  return `does not exist (${place})`;
}

/** Returns the code of a zip function or layer from its property, e.g. `CodeUri`. Default: the template's folder. */
export async function zipSource(value: TemplateValue | undefined, files: LocalFiles): Promise<CodeSource> {
  const location = value ?? '.';
  if (isMap(location) && (location['ZipFile'] ?? null) !== null) return { kind: 'inline' };
  if (!isLocalPath(location)) return { kind: 'remote' };
  const place = resolveLocalPath(location, files.codeDir);
  const isFile = (await files.kindOf(place)) === 'file';
  return { kind: isFile ? 'file' : 'folder', path: place };
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
  const place = resolveLocalPath(imageUri, files.templateDir);
  return (await files.kindOf(place)) === 'file'
    ? { kind: 'image-archive', path: place }
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
