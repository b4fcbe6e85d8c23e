import * as fs from 'node:fs/promises';
import { basename } from 'node:path';
import type { BuiltStack, LocalImage } from '../model/built-stack.ts';
import { imagePath } from '../model/image-path.ts';
import { identifierOf } from '../model/stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { statIfExists } from '../support/files.ts';
import { mapLimit } from '../support/map-limit.ts';
import { findLocalPaths, resolveLocalPath } from '../template/local-paths.ts';
import { isBuiltAs } from '../template/kinds/kinds.ts';
import type { LocalContent, LocationForm } from '../template/kinds/resource-kind.ts';
import type { LocalPath } from '../template/local-paths.ts';
import { openDraft } from '../template/draft.ts';
import { getAt } from '../template/template-path.ts';
import type { TemplatePath } from '../template/template-path.ts';
import type { Template, TemplateValue } from '../template/template.ts';
import { dumpYaml } from '../template/yaml/yaml.ts';
import type { LocatedImage } from './image-store.ts';
import type { ArtifactItem, ArtifactStore, LocatedArtifact } from './artifact-store.ts';

/** A stack's template with every local path replaced by its place in S3, before the upload. */
export interface PackagedStack {
  /** '' for the root, else `Child/Grand`. */
  path: string;
  template: Template;
  text: string;
  /** Artifacts that this template refers to, including nested templates. */
  artifacts: readonly LocatedArtifact[];
  /** Images that this template refers to. */
  images?: readonly LocatedImage[];
  children: readonly PackagedStack[];
}

/** What `planPackage` needs from its caller. */
export interface PackageTools {
  store: ArtifactStore;
  /** Returns the URL from which CloudFormation reads an object. */
  urlOf: (bucket: string, key: string) => string;
  /** Returns the place of a function's image in a registry. */
  locateImage?: (id: ResourceIdentifier, image: LocalImage) => LocatedImage;
  /** Layers that get a new key although their content did not change, so that CloudFormation publishes a new version; the version they replace. */
  renewed?: ReadonlyMap<ResourceIdentifier, number> | undefined;
}

/** Files to hash at a time; more does not help on a disk. */
const LOCATED_AT_ONCE = 16;

/** Packages the templates of a stack and its nested stacks, children first because the parent contains their URLs. */
export async function planPackage(stack: BuiltStack, tools: PackageTools): Promise<PackagedStack> {
  const children = await Promise.all(stack.children.map((child) => planPackage(child, tools)));
  const nested = new Map(stack.children.map((child, index) => [child.logicalId, children[index]?.text ?? ''] as const));
  const paths = findLocalPaths(stack.template);
  const artifacts = await mapLimit(paths, LOCATED_AT_ONCE, async (at) =>
    renew(await tools.store.locate(await itemOf(stack, at, nested)), versionToRenew(stack, at, tools)),
  );
  const draft = openDraft(stack.template);
  paths.forEach((at, index) => {
    const located = artifacts[index];
    if (located) draft.set(at.path, locationValue(at.form, located, tools));
  });
  const images = [...(stack.images ?? [])].flatMap(([logicalId, image]) => {
    const located = tools.locateImage?.(identifierOf(stack.path, logicalId), image);
    if (located === undefined) return [];
    draft.set(imagePathIn(stack.template, logicalId), located.uri);
    return located;
  });
  const template = draft.finish();
  return { path: stack.path, template, text: dumpYaml(template), artifacts, images, children };
}

/**
 * Returns the paths of artifacts whose key is of no other path. A key says nothing of files' modes and of links: of several zips under
 * one key, S3 has only one.
 */
export function pathsWithOwnKey(packaged: PackagedStack): ReadonlySet<string> {
  const pathByKey = new Map<string, string | undefined>();
  const add = ({ artifacts, children }: PackagedStack): void => {
    for (const { item, key } of artifacts) {
      if (item.kind === 'template') continue;
      const isOther = pathByKey.has(key) && pathByKey.get(key) !== item.path;
      pathByKey.set(key, isOther ? undefined : item.path);
    }
    children.forEach(add);
  };
  add(packaged);
  return new Set([...pathByKey.values()].filter((path) => path !== undefined));
}

function versionToRenew(stack: BuiltStack, at: LocalPath, { renewed }: PackageTools): number | undefined {
  return at.logicalId === undefined ? undefined : renewed?.get(identifierOf(stack.path, at.logicalId));
}

function renew(located: LocatedArtifact, version: number | undefined): LocatedArtifact {
  return version === undefined ? located : { ...located, key: `${located.key}-after-${version}` };
}

function imagePathIn(template: Template, logicalId: string): TemplatePath {
  const at = ['Resources', logicalId];
  return [...at, ...imagePath(getAt(template, [...at, 'Type']))];
}

async function itemOf(
  stack: BuiltStack,
  at: LocalPath,
  nested: ReadonlyMap<string | undefined, string>,
): Promise<ArtifactItem> {
  const name = at.logicalId ?? basename(at.value);
  const label = stack.path === '' ? name : `${stack.path}/${name}`;
  const text = at.content === 'template' ? nested.get(at.logicalId) : undefined;
  if (text !== undefined) return { kind: 'template', text, label: `${label} (template)` };
  // read build output from the cache: another sync may have replaced the layout in `dir`
  const built = at.content === 'code' && at.value === at.logicalId ? stack.folders.get(at.logicalId) : undefined;
  const path = built ?? resolveLocalPath(at.value, stack.dir);
  // CloudFormation reads only templates by URL, also for stack sets
  const extension = at.form.kind === 'https-url' ? '.template' : '';
  const use = isBuiltAs(at.type, 'web-function') ? 'web-function' : undefined;
  if (!(await travelsAsZip(at.content, path))) return { kind: 'file', path, label, extension, use };
  const counted = at.logicalId === undefined ? undefined : stack.countedFiles?.get(at.logicalId);
  return { kind: 'zip', path, label, counted, use };
}

/** Returns whether to zip a path: a folder, or a single file of code that is no archive. */
async function travelsAsZip(content: LocalContent, path: string): Promise<boolean> {
  if (content !== 'code' && content !== 'zip') return false;
  const stat = await statIfExists(path);
  if (stat === undefined || stat.isDirectory()) return true;
  return content === 'code' && !(await isArchive(path));
}

/** Returns whether the file is a zip, by its content. */
export async function isArchive(path: string): Promise<boolean> {
  const file = await fs.open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.readUInt32LE(0) === 0x04034b50;
  } finally {
    await file.close();
  }
}

function locationValue(
  form: LocationForm,
  { bucket, isExport, key }: LocatedArtifact,
  tools: PackageTools,
): TemplateValue {
  // CloudFormation keeps an imported bucket as long as the stack needs it
  if (isExport) return { Bucket: { 'Fn::ImportValue': bucket }, Key: key };
  switch (form.kind) {
    case 's3-uri':
      return `s3://${bucket}/${key}`;
    case 'https-url':
      return tools.urlOf(bucket, key);
    case 'map':
      return { [form.bucket]: bucket, [form.key]: key };
  }
}
