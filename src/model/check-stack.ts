import { quoted } from '../support/places.ts';
import { globalsSection, isServerless, pathProperties } from '../template/kinds/kinds.ts';
import { isBadFileUrl, resolveLocalPath } from '../template/local-paths.ts';
import type { LocalPath } from '../template/local-paths.ts';
import { getAt } from '../template/template-path.ts';
import type { TemplatePath } from '../template/template-path.ts';
import { isMap, mapOf } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';
import { undecidedLocalPath, whyUnusable } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { checkEsbuildProperties } from './esbuild-properties.ts';
import { architectureOf, imageUri } from './functions.ts';
import type { FunctionResource, LayerResource, WebFunctionResource } from './stack.ts';

/** A problem at a path of the template. */
export interface Complaint {
  path: TemplatePath;
  message: string;
}

type BuildableResource = FunctionResource | LayerResource | WebFunctionResource;

/** Returns whether CloudFormation accepts the logical ID, after loop expansion. IDs become names of folders. */
export function isLogicalId(id: string): boolean {
  return /^[A-Za-z0-9]{1,255}$/.test(id);
}

/** Checks logical IDs, except those of unexpanded loops and includes. */
export function checkLogicalIds(expanded: Template): Complaint[] {
  return Object.entries(mapOf(expanded['Resources'])).flatMap(([id, value]) => {
    if (isLogicalId(id) || isUnexpanded(id, value)) return [];
    const message = `The logical ID ${quoted(id)} must have 1 to 255 characters, letters A-Z and digits only`;
    return [{ path: ['Resources', id], message }];
  });
}

function isUnexpanded(id: string, value: TemplateValue): boolean {
  if (id.startsWith('Fn::ForEach::')) return Array.isArray(value);
  return id === 'Fn::Transform';
}

/** Checks the sections that every template must have. */
export function checkSections(template: Template): Complaint[] {
  const resources = template['Resources'];
  if (resources === undefined || resources === null) {
    return [{ path: [], message: 'The template has no Resources section' }];
  }
  if (!isMap(resources)) return [{ path: ['Resources'], message: 'Resources must be a mapping' }];
  const entries = Object.entries(resources);
  if (entries.length === 0)
    return [{ path: ['Resources'], message: 'Resources is empty: a stack needs at least one resource' }];
  return entries.flatMap(([logicalId, resource]) => {
    // loops, includes, and IDs that `checkLogicalIds` reports
    if (!isLogicalId(logicalId)) return [];
    const at = ['Resources', logicalId];
    if (!isMap(resource)) return [{ path: at, message: `${logicalId} must be a mapping with a Type` }];
    const type = resource['Type'];
    if (typeof type === 'string' && type !== '') return checkNested(logicalId, resource, type);
    const fault = type === undefined ? 'has no Type' : 'must have a string as Type';
    return [{ path: type === undefined ? at : [...at, 'Type'], message: `${logicalId} ${fault}` }];
  });
}

function checkNested(logicalId: string, resource: TemplateMap, type: string): Complaint[] {
  const properties = mapOf(resource['Properties']);
  const [property] = pathProperties(type, 'template')[0]?.property ?? [];
  if (property === undefined || (properties[property] ?? null) !== null || 'Fn::Transform' in properties) return [];
  return [{ path: ['Resources', logicalId, 'Properties'], message: `${logicalId} has no ${property}` }];
}

/** Checks that the files and folders of the template exist. */
export async function checkLocalPaths(paths: readonly LocalPath[], files: LocalFiles): Promise<Complaint[]> {
  const checked = await Promise.all(
    paths.map(async (local): Promise<Complaint[]> => {
      const absolute = resolveLocalPath(local.value, local.content === 'code' ? files.codeDir : files.templateDir);
      const kind = await files.kindOf(absolute);
      const isFileOnly = local.content === 'file' || local.content === 'template';
      if (kind === 'file' || (kind === 'folder' && !isFileOnly)) return [];
      const fault = kind === undefined ? await whyUnusable(absolute) : `${FAULTS[kind]} (${absolute})`;
      const why = isBadFileUrl(local.value) ? 'is not a valid file URL' : fault;
      return [{ path: local.path, message: `${nameOf(local)} ${shownValue(local.value)} ${why}` }];
    }),
  );
  return checked.flat();
}

const FAULTS = {
  folder: 'is a folder, but must be a file',
  special: 'is a named pipe, a socket or a device, but must be a file',
};

/** Checks that a function can be built and created. */
export async function checkFunction(fn: FunctionResource, files: LocalFiles): Promise<Complaint[]> {
  const at = ['Resources', fn.logicalId, 'Properties'];
  const complaints: Complaint[] = [];
  const complain = (property: string, message: string): void => {
    complaints.push({ path: [...at, property], message: `${fn.logicalId} ${message}` });
  };
  if (architectureOf(fn.properties['Architectures']) === undefined) {
    complain('Architectures', 'must have one architecture, x86_64 or arm64, for example Architectures: [arm64]');
  }
  if (fn.code.kind === 'folder' || fn.code.kind === 'file') {
    for (const property of ['Handler', 'Runtime']) {
      if ((fn.properties[property] ?? '') === '') complain(property, `has no ${property}`);
    }
  }
  if (fn.code.kind === 'image' && (await files.kindOf(fn.code.context)) !== 'folder') {
    const message = `${fn.logicalId} DockerContext is not a folder (${fn.code.context})`;
    complaints.push({ path: ['Resources', fn.logicalId, 'Metadata', 'DockerContext'], message });
  }
  if (fn.packageType === 'Image' && fn.code.kind === 'remote' && imageUri(fn.type, fn.properties) === undefined) {
    complain('PackageType', 'has neither an ImageUri nor a DockerContext in its Metadata');
  }
  return [...complaints, ...checkCode(fn)];
}

/** Reports local paths that depend on values known only to CloudFormation: neither tool can use them. */
export function checkCode(resource: BuildableResource): Complaint[] {
  if (resource.code.kind !== 'remote') return [];
  return pathProperties(resource.type, 'code').flatMap(({ property: [property = ''] }) => {
    const text = undecidedLocalPath(resource.properties[property]);
    if (text === undefined) return [];
    const message = `${resource.logicalId} ${property} ${text} depends on a value known only to CloudFormation`;
    return [{ path: ['Resources', resource.logicalId, 'Properties', property], message }];
  });
}

/** Checks the build settings in `Metadata`. */
export function checkBuild({ logicalId, metadata, skipBuild }: BuildableResource): Complaint[] {
  if (skipBuild) return [];
  return checkEsbuildProperties(metadata, logicalId).map(({ key, message }) => ({
    path: ['Resources', logicalId, 'Metadata', ...key],
    message,
  }));
}

/** Returns where the user wrote the value: at the path itself, in the loop of the resource, or in `Globals`. */
export function writtenAt(
  at: TemplatePath,
  written: Template,
  origins: ReadonlyMap<string, TemplatePath>,
): TemplatePath {
  const [section, logicalId = '', ...rest] = at;
  const origin = section === 'Resources' ? origins.get(logicalId) : undefined;
  const own = origin === undefined ? at : [...origin, ...rest];
  if (rest[0] !== 'Properties' || getAt(written, own) !== undefined) return own;
  const type = mapOf(getAt(written, own.slice(0, -rest.length)))['Type'];
  if (!isServerless(type)) return own;
  const globals = ['Globals', globalsSection(type), ...rest.slice(1)];
  return getAt(written, globals) === undefined ? own : globals;
}

/** Makes control characters visible. */
function shownValue(value: string): string {
  return /\p{Cc}/u.test(value) ? JSON.stringify(value) : value;
}

function nameOf(local: LocalPath): string {
  if (local.logicalId === undefined)
    return local.path.includes('Metadata') ? String(local.path.at(-1)) : 'AWS::Include';
  return `${local.logicalId} ${local.path
    .slice(3)
    .filter((key) => !/^(?:Fn::If|[12])$/.test(key))
    .join('.')}`;
}
