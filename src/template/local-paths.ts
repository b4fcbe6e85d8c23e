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
  /** Path in the template to set to the packaged location. The property may be missing there. */
  path: TemplatePath;
  /** As written; `resolveLocalPath` makes it absolute. */
  value: string;
  content: LocalContent;
  form: LocationForm;
}

/**
 * Finds the local paths in a template. `resolved`: the same template with intrinsics resolved, to also find values such as
 * `!Sub ./${Env}`. Omits values in S3 or on the web, mappings, and values known only to CloudFormation.
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

/** Returns whether the value is a path on this machine. */
export function isLocalPath(value: TemplateValue | undefined): value is string {
  return (
    typeof value === 'string' && value !== '' && !/^(?:s3|https?):\/\//i.test(value) && !value.includes('{{resolve:')
  );
}

/** Returns whether the storage mode differs. A code sync cannot change it. */
export function changesStorageMode(before: TemplateValue | undefined, after: TemplateValue | undefined): boolean {
  return storageMode(before) !== storageMode(after);
}

function storageMode(location: TemplateValue | undefined): string | undefined {
  return scalarText(mapOf(location)['StorageMode'] ?? mapOf(location)['S3ObjectStorageMode']);
}

/** Makes a path absolute. `base`: the folder of the template, or `--base-dir` for `code`. Accepts `file://`. */
export function resolveLocalPath(value: string, base: string): string {
  if (/^file:\/\/\//i.test(value)) return pathOfUrl(value) ?? path.resolve(base, value);
  return path.resolve(base, value.replace(/^file:\/\//i, ''));
}

/** Returns whether the value is an invalid `file:///` URL, e.g. `file:///%zz`. */
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
  /** Its properties with Globals, resolved if available. */
  view: TemplateMap;
}

function pathsOf(resource: ResourceView, { property, content, form, byDefault }: PathProperty): LocalPath[] {
  const { template, logicalId, type, view } = resource;
  if (content === 'code' && !hasCodeFolder(view)) return [];
  const found: LocalPath[] = [];
  for (const [keys, given] of expand(view, property)) {
    const value = given ?? byDefault;
    const start = ['Resources', logicalId, 'Properties', ...keys];
    // an intrinsic on the path cannot be changed inside
    if (keys.slice(0, -1).some((_key, index) => isIntrinsic(getAt(template, start.slice(0, 4 + index))))) continue;
    for (const [at, text] of branches(template, start, value, content)) {
      found.push({ logicalId, type, path: at, value: text, content, form });
    }
  }
  return found;
}

/** Returns whether the code is neither inline nor a container image. */
function hasCodeFolder(properties: TemplateMap): boolean {
  return (properties['InlineCode'] ?? null) === null && properties['PackageType'] !== 'Image';
}

/** Returns the values at a path with wildcards. A path without wildcards has exactly one, maybe undefined. */
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

/** Returns the value, or both sides of an `Fn::If` with an unknown condition: both files are uploaded. */
function branches(
  template: Template,
  at: TemplatePath,
  value: TemplateValue | undefined,
  content: LocalContent,
): [TemplatePath, string][] {
  if (isLocalPath(value)) return [[at, value]];
  // code to build and nested stacks to read must be known
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
