import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownValue } from '../support/own-value.ts';
import { globalsFor } from './globals.ts';
import { findIncludes } from './includes.ts';
import { nothingKnown } from './scope.ts';
import { getAt } from './template-path.ts';
import type { TemplatePath } from './template-path.ts';
import { isIntrinsic, isMap, mapOf, resourcesOf, scalarText } from './template.ts';
import type { Template, TemplateMap, TemplateResource, TemplateValue } from './template.ts';

/** How the packaged template names what was uploaded. */
export type LocationForm =
  /** `s3://bucket/key` */
  | { kind: 's3-uri' }
  /** `https://s3.region.amazonaws.com/bucket/key` (templates of nested stacks) */
  | { kind: 'https-url' }
  /** A mapping with these keys. */
  | { kind: 'map'; bucket: string; key: string };

/**
 * What the path is and what becomes of it.
 * `code`: folder or single file that becomes a zip (a `.zip`/`.jar` goes as it is); resolves against `--base-dir`.
 * `file`: one file as it is. `zip`: a folder becomes a zip, a file goes as it is. `template`: a nested stack's template.
 */
export type LocalContent = 'code' | 'file' | 'zip' | 'template';

/** A property of a resource type that may hold a local path (docs/sam-cli-behaviour.md#local-paths). */
export interface LocalPathProperty {
  type: string;
  /** Path below `Properties`, e.g. `['Command', 'ScriptLocation']`. `*` stands for any key. */
  property: readonly string[];
  content: LocalContent;
  form: LocationForm;
}

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

const S3_URI: LocationForm = { kind: 's3-uri' };
const HTTPS_URL: LocationForm = { kind: 'https-url' };
const BUCKET_KEY: LocationForm = { kind: 'map', bucket: 'Bucket', key: 'Key' };
const S3_BUCKET_S3_KEY: LocationForm = { kind: 'map', bucket: 'S3Bucket', key: 'S3Key' };

/** Every property that may hold a local path. */
export const LOCAL_PATHS: readonly LocalPathProperty[] = [
  row('AWS::Serverless::Function', 'CodeUri', 'code', S3_URI),
  row('AWS::Serverless::WebFunction', 'CodeUri', 'code', S3_URI),
  row('AWS::Serverless::LayerVersion', 'ContentUri', 'code', S3_URI),
  row('AWS::Lambda::Function', 'Code', 'code', S3_BUCKET_S3_KEY),
  row('AWS::Lambda::LayerVersion', 'Content', 'code', S3_BUCKET_S3_KEY),
  row('AWS::Serverless::Api', 'DefinitionUri', 'file', S3_URI),
  row('AWS::Serverless::HttpApi', 'DefinitionUri', 'file', S3_URI),
  row('AWS::Serverless::StateMachine', 'DefinitionUri', 'file', BUCKET_KEY),
  row('AWS::ApiGateway::RestApi', 'BodyS3Location', 'file', BUCKET_KEY),
  row('AWS::ApiGatewayV2::Api', 'BodyS3Location', 'file', BUCKET_KEY),
  row('AWS::StepFunctions::StateMachine', 'DefinitionS3Location', 'file', BUCKET_KEY),
  row('AWS::AppSync::GraphQLSchema', 'DefinitionS3Location', 'file', S3_URI),
  row('AWS::AppSync::Resolver', 'RequestMappingTemplateS3Location', 'file', S3_URI),
  row('AWS::AppSync::Resolver', 'ResponseMappingTemplateS3Location', 'file', S3_URI),
  row('AWS::AppSync::Resolver', 'CodeS3Location', 'file', S3_URI),
  row('AWS::AppSync::FunctionConfiguration', 'RequestMappingTemplateS3Location', 'file', S3_URI),
  row('AWS::AppSync::FunctionConfiguration', 'ResponseMappingTemplateS3Location', 'file', S3_URI),
  row('AWS::AppSync::FunctionConfiguration', 'CodeS3Location', 'file', S3_URI),
  row('AWS::Serverless::GraphQLApi', 'SchemaUri', 'file', S3_URI),
  row('AWS::Serverless::GraphQLApi', 'Functions.*.CodeUri', 'file', S3_URI),
  row('AWS::Serverless::GraphQLApi', 'Resolvers.*.*.CodeUri', 'file', S3_URI),
  row('AWS::ElasticBeanstalk::ApplicationVersion', 'SourceBundle', 'zip', S3_BUCKET_S3_KEY),
  row('AWS::Glue::Job', 'Command.ScriptLocation', 'file', S3_URI),
  row('AWS::CloudFormation::ModuleVersion', 'ModulePackage', 'zip', S3_URI),
  row('AWS::CloudFormation::ResourceVersion', 'SchemaHandlerPackage', 'zip', S3_URI),
  row('AWS::CloudFormation::Stack', 'TemplateURL', 'template', HTTPS_URL),
  row('AWS::CloudFormation::StackSet', 'TemplateURL', 'file', HTTPS_URL),
  row('AWS::Serverless::Application', 'Location', 'template', HTTPS_URL),
];

const BY_TYPE = new Map<string, LocalPathProperty[]>();
for (const property of LOCAL_PATHS) BY_TYPE.set(property.type, [...(BY_TYPE.get(property.type) ?? []), property]);

/** Types whose code is the template's own folder if they do not say where it is. */
const CODE_BY_DEFAULT = new Set([
  'AWS::Serverless::Function',
  'AWS::Serverless::WebFunction',
  'AWS::Serverless::LayerVersion',
  'AWS::Lambda::Function',
  'AWS::Lambda::LayerVersion',
]);

/** The rows of `LOCAL_PATHS` for a resource type. */
export function localPathProperties(type: string): readonly LocalPathProperty[] {
  return BY_TYPE.get(type) ?? [];
}

/**
 * The local paths in a template. `resolved` is the same template with its intrinsics resolved: with it, a value such as
 * `!Sub ./${Env}` is found too. Values in S3 or on the web, mappings, and what only CloudFormation knows are left out.
 */
export function findLocalPaths(template: Template, resolved?: Template): LocalPath[] {
  const resolvedResources = mapOf(resolved?.['Resources']);
  const found: LocalPath[] = [];
  for (const [logicalId, resource] of resourcesOf(template)) {
    const properties = BY_TYPE.get(resource.Type);
    if (properties === undefined) continue;
    const resolvedResource = ownValue(resolvedResources, logicalId);
    const view = isMap(resolvedResource)
      ? mapOf(resolvedResource['Properties'])
      : withGlobals(resource, mapOf(template['Globals']));
    for (const property of properties) found.push(...pathsOf({ template, logicalId, view }, property));
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
  /** Its properties with Globals, resolved as far as that was done. */
  view: TemplateMap;
}

function pathsOf(resource: ResourceView, property: LocalPathProperty): LocalPath[] {
  const { template, logicalId, view } = resource;
  if (property.content === 'code' && !hasCodeFolder(view)) return [];
  const found: LocalPath[] = [];
  for (const [keys, given] of expand(view, property.property)) {
    const value = given ?? (CODE_BY_DEFAULT.has(property.type) ? '.' : undefined);
    const start = ['Resources', logicalId, 'Properties', ...keys];
    // a mapping on the way that is given by an intrinsic cannot be changed inside
    if (keys.slice(0, -1).some((_key, index) => isIntrinsic(getAt(template, start.slice(0, 4 + index))))) continue;
    for (const [at, text] of branches(template, start, value, property.content)) {
      const { type, content, form } = property;
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

function row(type: string, property: string, content: LocalContent, form: LocationForm): LocalPathProperty {
  return { type, property: property.split('.'), content, form };
}
