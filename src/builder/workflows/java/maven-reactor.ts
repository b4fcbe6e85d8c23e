import * as path from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { UserError } from '../../../errors.ts';
import { exists, readTextIfExists, statIfExists } from '../../../support/files.ts';
import { isMap, mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';

/** A Maven project with all local projects that its build reads. */
export interface Reactor {
  /** The folder in which Maven runs: the project's, or that of the project that has it as a module. */
  root: string;
  /** The project's folder. */
  dir: string;
  /** Folders of the project and of the modules that it needs, transitively. */
  needed: readonly string[];
  /** All poms that Maven reads: parents and modules. Absolute. */
  poms: readonly string[];
  /** Where Maven looks for more parents and modules, and finds none. Absolute. */
  missing: readonly string[];
}

/** The part of a pom.xml that we read. */
interface Pom {
  file: string;
  dir: string;
  /** `group:artifact` */
  name: string;
  parent: string | undefined;
  modules: readonly string[];
  dependencies: readonly string[];
}

/** Reads the project in `dir`, its parents, and the modules of the project that contains it. */
export async function readReactor(dir: string): Promise<Reactor> {
  const own = await readPom(path.join(dir, 'pom.xml'));
  if (own === undefined) throw new UserError(`pom.xml does not exist in ${dir}`);
  const poms = new Map<string, Pom>([[own.file, own]]);
  let root = own;
  for (let folder = path.dirname(dir); ; folder = path.dirname(folder)) {
    const above = await readPom(path.join(folder, 'pom.xml'));
    if (above === undefined) break;
    const members = await readModules(above);
    if (members.some(({ file }) => file === own.file)) {
      root = above;
      for (const member of members) poms.set(member.file, member);
    }
    if (path.dirname(folder) === folder) break;
  }
  if (root === own) for (const member of await readModules(own)) poms.set(member.file, member);
  for (const pom of Array.from(poms.values())) await readParents(pom, poms);
  const all = [...poms.values()];
  const named = all.flatMap(({ parent, modules }) => [...modules, ...(parent === undefined ? [] : [parent])]);
  const missing: string[] = [];
  for (const place of new Set(named)) if (!(await exists(place))) missing.push(place);
  return { root: root.dir, dir, needed: neededModules(own, all), poms: [...poms.keys()].sort(), missing };
}

async function readModules(pom: Pom, seen = new Set<string>()): Promise<Pom[]> {
  if (seen.has(pom.file)) return [];
  seen.add(pom.file);
  const modules = await Promise.all(pom.modules.map(readPom));
  const below = await Promise.all(modules.map(async (module) => (module ? readModules(module, seen) : [])));
  return [pom, ...below.flat()];
}

async function readParents(pom: Pom, poms: Map<string, Pom>): Promise<void> {
  const seen = new Set<string>();
  // Maven itself reports parents that name each other
  for (let at: Pom | undefined = pom; at?.parent !== undefined && !seen.has(at.file);) {
    seen.add(at.file);
    const parent: Pom | undefined = poms.get(at.parent) ?? (await readPom(at.parent));
    if (parent === undefined) return; // in a repository
    poms.set(parent.file, parent);
    at = parent;
  }
}

function neededModules(own: Pom, poms: readonly Pom[]): string[] {
  const byName = new Map(poms.map((pom) => [pom.name, pom]));
  const needed = new Set<Pom>();
  const visit = (pom: Pom): void => {
    if (needed.has(pom)) return;
    needed.add(pom);
    for (const name of pom.dependencies) {
      const module = byName.get(name);
      if (module) visit(module);
    }
  };
  visit(own);
  return [...needed].map(({ dir }) => dir);
}

const PARSER = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: true,
  isArray: (_name, at) => /\.(?:module|dependency|profile)$/.test(String(at)),
});

/** Reads the pom at a path, or in a folder; undefined if there is none. */
async function readPom(place: string): Promise<Pom | undefined> {
  const file = (await statIfExists(place))?.isDirectory() ? path.join(place, 'pom.xml') : place;
  const text = await readTextIfExists(file);
  if (text === undefined) return undefined;
  const dir = path.dirname(file);
  const project = mapOf(mapOf(parseXml(text, file))['project']);
  const parent = mapOf(project['parent']);
  const group = scalarText(project['groupId']) ?? scalarText(parent['groupId']) ?? '';
  const profiles = mapsOf(mapOf(project['profiles'])['profile']);
  const sections = [project, ...profiles];
  const resolve = (value: TemplateValue | undefined): string =>
    (scalarText(value) ?? '').replace(/\$\{(?:project\.|pom\.)?groupId\}/, group);
  return {
    file,
    dir,
    name: `${group}:${scalarText(project['artifactId']) ?? ''}`,
    parent: parentFile(project['parent'], dir),
    modules: sections
      .flatMap((section) => scalarTexts(mapOf(section['modules'])['module']))
      .map((name) => path.join(dir, name)),
    dependencies: sections
      .flatMap((section) => mapsOf(mapOf(section['dependencies'])['dependency']))
      .map((dependency) => `${resolve(dependency['groupId'])}:${resolve(dependency['artifactId'])}`),
  };
}

/** Returns the parent's pom: `relativePath`, or `../pom.xml`; undefined if the parent comes from a repository. */
function parentFile(parent: TemplateValue | undefined, dir: string): string | undefined {
  if (!isMap(parent)) return undefined;
  const relative = scalarText(parent['relativePath']) ?? '../pom.xml';
  return relative === '' ? undefined : path.resolve(dir, relative);
}

function parseXml(text: string, file: string): TemplateValue {
  try {
    return PARSER.parse(text, true) as TemplateValue;
  } catch (error) {
    throw new UserError(`${file} is not valid XML: ${(error as Error).message}`, { cause: error });
  }
}

function mapsOf(value: TemplateValue | undefined): TemplateMap[] {
  return (Array.isArray(value) ? value : [value]).filter((item): item is TemplateMap => isMap(item));
}

function scalarTexts(value: TemplateValue | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((item) => scalarText(item) ?? []);
}
