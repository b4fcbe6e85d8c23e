import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownValue } from '../support/own-value.ts';
import { globalsFor } from './globals.ts';
import { findIncludes } from './includes.ts';
import { pathProperties } from './kinds/kinds.ts';
import { S3_URI } from './kinds/resource-kind.ts';
import type { LocalContent, LocationForm, PathProperty } from './kinds/resource-kind.ts';
import { nothingKnown } from './scope.ts';
import { getAt } from './template-path.ts';
import type { TemplatePath } from './template-path.ts';
import { isIntrinsic, isMap, mapOf, resourcesOf, scalarText } from './template.ts';
import type { Template, TemplateMap, TemplateResource, TemplateValue } from './template.ts';

/** A local path in a template. */
export interface LocalPath {
  /** undefined for `AWS::Include` and for the template's metadata. */
  logicalId: string | undefined;
  type: string | undefined;
  /** Where the packaged location must be set in the template, with `setAt`. The property may be missing there. */
  path: TemplatePath;
  /** As written; `resolveLocalPath` makes it absolute. */
  value: string;
  content: LocalContent;
  form: LocationForm;
}

/**
 * The local paths in a template. `resolved` is the same template with its intrinsics resolved: with it, a value such as
 * `!Sub ./${Env}` is found too. Values in S3 or on the web, mappings, and what only CloudFormation knows are left out.
 */
export function findLocalPaths(template: Template, resolved?: Template): LocalPath[] {
  const resolvedResources = mapOf(resolved?.['Resources']);
  const found: LocalPath[] = [];
  for (const [logicalId, resource] of resourcesOf(template)) {
    const properties = pathProperties(resource.Type);
    if (properties.length === 0) continue;
    const resolvedResource = ownValue(resolvedResources, logicalId);
    const view = isMap(resolvedResource)
      ? mapOf(resolvedResource['Properties'])
      : withGlobals(resource, mapOf(template['Globals']));
    for (const property of properties)
      found.push(...pathsOf({ template, logicalId, type: resource.Type, view }, property));
  }
  return [...found, ...metadataPaths(template), ...includePaths(template)];
}

/** Whether the value can only be meant as a path on this machine. */
export function isLocalPath(value: TemplateValue | undefined): value is string {
  return (
    typeof value === 'string' && value !== '' && !/^(?:s3|https?):\/\//i.test(value) && !value.includes('{{resolve:')
  );
}

/** Whether Lambda would keep the code in another way than before: a setting, which a code sync does not change. */
export function changesStorageMode(before: TemplateValue | undefined, after: TemplateValue | undefined): boolean {
  return storageMode(before) !== storageMode(after);
}

function storageMode(location: TemplateValue | undefined): string | undefined {
  return scalarText(mapOf(location)['StorageMode'] ?? mapOf(location)['S3ObjectStorageMode']);
}

/** The absolute path; `base` is the folder of the template, or `--base-dir` for `code`. `file://` is understood. */
export function resolveLocalPath(value: string, base: string): string {
  if (/^file:\/\/\//i.test(value)) return pathOfUrl(value) ?? path.resolve(base, value);
  return path.resolve(base, value.replace(/^file:\/\//i, ''));
}

/** Whether the value is written as a `file:///` URL that names no path: `file:///%zz`. */
export function isBadFileUrl(value: string): boolean {
  return /^file:\/\/\//i.test(value) && pathOfUrl(value) === undefined;
}

function pathOfUrl(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

interface ResourceView {
  template: Template;
  logicalId: string;
  type: string;
  /** Its properties with Globals, resolved as far as that was done. */
  view: TemplateMap;
}

function pathsOf(resource: ResourceView, { property, content, form, byDefault }: PathProperty): LocalPath[] {
  const { template, logicalId, type, view } = resource;
  if (content === 'code' && !hasCodeFolder(view)) return [];
  const found: LocalPath[] = [];
  for (const [keys, given] of expand(view, property)) {
    const value = given ?? byDefault;
    const start = ['Resources', logicalId, 'Properties', ...keys];
    // a mapping on the way that is given by an intrinsic cannot be changed inside
    if (keys.slice(0, -1).some((_key, index) => isIntrinsic(getAt(template, start.slice(0, 4 + index))))) continue;
    for (const [at, text] of branches(template, start, value, content)) {
      found.push({ logicalId, type, path: at, value: text, content, form });
    }
  }
  return found;
}

/** Neither inline code nor a container image. */
function hasCodeFolder(properties: TemplateMap): boolean {
  return (properties['InlineCode'] ?? null) === null && properties['PackageType'] !== 'Image';
}

/** The values at a path with wildcards. A path without wildcards always gives one, which may be undefined. */
function expand(
  value: TemplateValue | undefined,
  keys: readonly string[],
  done: readonly string[] = [],
): [keys: readonly string[], value: TemplateValue | undefined][] {
  const [key, ...rest] = keys;
  if (key === undefined) return [[done, value]];
  const map = mapOf(value);
  if (key !== '*') return expand(map[key], rest, [...done, key]);
  return Object.keys(map).flatMap((name) => expand(map[name], rest, [...done, name]));
}

/** The value itself, or both sides of an `Fn::If` whose condition is not known: each file is uploaded. */
function branches(
  template: Template,
  at: TemplatePath,
  value: TemplateValue | undefined,
  content: LocalContent,
): [TemplatePath, string][] {
  if (isLocalPath(value)) return [[at, value]];
  // code is built and a nested stack read, so it must be known which it is
  const options = isMap(value) && (content === 'file' || content === 'zip') ? value['Fn::If'] : undefined;
  if (!Array.isArray(options) || getAt(template, [...at, 'Fn::If']) === undefined) return [];
  return [1, 2].flatMap((side) => branches(template, [...at, 'Fn::If', String(side)], options[side], content));
}

function withGlobals(resource: TemplateResource, sections: TemplateMap): TemplateMap {
  const shared = globalsFor(resource, sections);
  return { ...shared, ...mapOf(resource['Properties']) };
}

const APPLICATION = 'AWS::ServerlessRepo::Application';

function metadataPaths(template: Template): LocalPath[] {
  const metadata = mapOf(mapOf(template['Metadata'])[APPLICATION]);
  return ['LicenseUrl', 'ReadmeUrl'].flatMap((key) => {
    const value = metadata[key];
    if (!isLocalPath(value)) return [];
    const at = ['Metadata', APPLICATION, key];
    return [{ logicalId: undefined, type: undefined, path: at, value, content: 'file', form: S3_URI }];
  });
}

function includePaths(template: Template): LocalPath[] {
  return findIncludes(template, nothingKnown())
    .filter((include) => isLocalPath(include.location))
    .map(({ path: at, location }) => ({
      logicalId: undefined,
      type: undefined,
      path: at,
      value: location,
      content: 'file',
      form: S3_URI,
    }));
}
