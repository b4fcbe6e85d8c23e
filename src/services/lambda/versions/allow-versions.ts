import { note } from '../../../console/reporter.ts';
import type { Reporter } from '../../../console/reporter.ts';
import type { CloudStacks } from '../../../cloud/cloud-stacks.ts';
import { findCompanion } from '../../../cloud/generated-ids.ts';
import { isAwsError } from '../../../aws/service-errors.ts';
import { flattenStacks } from '../../../model/stack.ts';
import type { FunctionResource, Stack } from '../../../model/stack.ts';
import type { ArtifactItem } from '../../../package/artifact-store.ts';
import type { PackagedStack } from '../../../package/package-templates.ts';
import { mapLimit } from '../../../support/map-limit.ts';
import { ownValue } from '../../../support/own-value.ts';
import { mergeGlobals } from '../../../template/globals.ts';
import { pathProperties } from '../../../template/kinds/kinds.ts';
import { getAt } from '../../../template/template-path.ts';
import { mapOf, resourceOf } from '../../../template/template.ts';
import type { Template, TemplateMap } from '../../../template/template.ts';
import { SERVERLESS_TRANSFORM, transformsOf } from '../../../template/transforms.ts';
import { canonicalJson } from '../../definition-text.ts';
import type { LambdaAccess } from '../lambda-client.ts';
import { hasOtherSettings, readNewestVersion } from './newest-version.ts';
import { makesRoom, publishOtherVersion } from './publish-other-version.ts';
import { compareVersionNames, keepsCode } from './version-names.ts';
import type { VersionName } from './version-names.ts';

interface VersionTools {
  stacks: CloudStacks;
  lambda: LambdaAccess;
  reporter: Reporter;
}

/** An update of the stack that is about to begin. */
export interface StackUpdate {
  packaged: PackagedStack;
  /** The root template that the stack was deployed with. */
  deployed: Template | undefined;
  /** Returns Lambda's `CodeSha256` of an artifact. */
  hashOf(item: Exclude<ArtifactItem, { kind: 'template' }>): Promise<string>;
}

/** The update, and how to read the template that a nested stack was deployed with. */
type ReadableUpdate = StackUpdate & { readNested(path: string): Promise<Template | undefined> };

/** Functions prepared, or templates read, in parallel. */
const AT_ONCE = 8;

/**
 * Makes Lambda publish versions for the deployment that follows. Where SAM gives the version of a function another name,
 * CloudFormation creates a version; Lambda publishes none if its newest one has the same code and configuration, and the
 * deployment fails ("A version for this Lambda function exists"). A code sync, a deployment that was rolled back, an alias that
 * was removed, another bucket: each leaves such a version. So another version is published first that differs by its description.
 */
export async function allowNewVersions(tools: VersionTools, root: Stack, update: ReadableUpdate): Promise<void> {
  const functions = await listNewVersions(root, update);
  await mapLimit(functions, AT_ONCE, (fn) => readable(undefined, () => allowNewVersion(tools, fn, update)));
}

/** What may not be read, or is gone, prepares nothing: the deployment shows whether it matters. */
async function readable<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAwsError(error) && (error.kind === 'access-denied' || error.code === 'ResourceNotFoundException'))
      return otherwise;
    throw error;
  }
}

/** A function for which the deployment publishes a version. */
interface NewVersion {
  stack: Stack;
  resource: FunctionResource;
  packaged: PackagedStack;
  /** Its properties in the packaged template, with Globals merged. */
  properties: TemplateMap;
  name: Exclude<VersionName, 'same'>;
  /** CloudFormation leaves the code as it is. */
  keepsCode: boolean;
}

/** Lists the functions of a stack and of its nested stacks whose templates change. */
async function listNewVersions(
  stack: Stack,
  { packaged, deployed, readNested }: Pick<ReadableUpdate, 'packaged' | 'deployed' | 'readNested'>,
): Promise<NewVersion[]> {
  const own = stack.functions.filter(publishesVersions);
  const [before, after] = own.length === 0 ? [{}, {}] : [mergeGlobals(deployed ?? {}), mergeGlobals(packaged.template)];
  const isPlain = transformsOf(packaged.template).every(({ name }) => name === SERVERLESS_TRANSFORM);
  const renamed = own.flatMap((resource): NewVersion[] => {
    const { logicalId } = resource;
    const both = { deployed: resourceOf(before, logicalId), packaged: resourceOf(after, logicalId) };
    // a new stack, or no permission to read its template
    const name = deployed === undefined ? 'unknown' : compareVersionNames(both, { isPlain });
    if (name === 'same') return [];
    const properties = mapOf(both.packaged['Properties']);
    return [{ stack, resource, packaged, properties, name, keepsCode: keepsCode(both) }];
  });
  const nested = await mapLimit(stack.children, AT_ONCE, async (child) => {
    const its = packaged.children.find(({ path }) => path === child.path);
    const hasVersions = flattenStacks(child).some(({ functions }) => functions.some(publishesVersions));
    if (its === undefined || !hasVersions || isSameTemplate(child, { packaged, deployed })) return [];
    const template = await readable(undefined, () => readNested(child.path));
    return listNewVersions(child, { packaged: its, deployed: template, readNested });
  });
  return [...renamed, ...nested.flat()];
}

function publishesVersions({ properties }: FunctionResource): boolean {
  return (properties['AutoPublishAlias'] ?? null) !== null;
}

/** Whether the parent's templates name the same template of a nested stack. */
function isSameTemplate(
  { logicalId = '' }: Stack,
  { packaged, deployed = {} }: Pick<StackUpdate, 'deployed'> & { packaged: PackagedStack },
): boolean {
  const [property] = pathProperties(resourceOf(packaged.template, logicalId)['Type'], 'template');
  if (property === undefined) return false;
  const at = ['Resources', logicalId, 'Properties', ...property.property];
  return canonicalJson(getAt(packaged.template, at)) === canonicalJson(getAt(deployed, at));
}

async function allowNewVersion(tools: VersionTools, fn: NewVersion, { hashOf }: StackUpdate): Promise<void> {
  const { stacks, lambda } = tools;
  const { stack, resource, properties, name } = fn;
  const { id, logicalId } = resource;
  const listing = (await stacks.listing(stack.path)) ?? {};
  const physicalId = ownValue(listing, logicalId)?.physicalId;
  if (physicalId === undefined) return;
  const versions = await readNewestVersion(lambda, physicalId);
  if (versions === undefined) return;
  const { newest, latest } = versions;
  // a killed run leaves its description
  if (makesRoom(newest) && !makesRoom(latest)) return;
  const stacksOwn = findCompanion(listing, { stack, logicalId }, 'Version')?.physicalId.split(':').at(-1);
  const isStacksOwn = newest.Version === stacksOwn;
  if (isStacksOwn && name === 'unknown') return;
  const code = fn.keepsCode ? latest.CodeSha256 : await codeHash(fn, hashOf);
  if (code === undefined ? isStacksOwn : code !== newest.CodeSha256) return;
  if (hasOtherSettings(newest, properties)) return;
  await publishOrWarn(tools, id, latest);
}

/** Returns Lambda's hash of the packaged code; undefined: it is not in the project, or is an image. */
async function codeHash(
  { packaged, properties }: NewVersion,
  hashOf: StackUpdate['hashOf'],
): Promise<string | undefined> {
  const { CodeUri } = properties;
  const item = packaged.artifacts.find(({ bucket, key }) => CodeUri === `s3://${bucket}/${key}`)?.item;
  return item === undefined || item.kind === 'template' ? undefined : hashOf(item);
}

async function publishOrWarn(
  { stacks, lambda, reporter }: VersionTools,
  id: string,
  latest: Parameters<typeof publishOtherVersion>[2],
): Promise<void> {
  try {
    await publishOtherVersion({ stacks, lambda }, id, latest);
  } catch (error) {
    if (!isAwsError(error) || error.kind !== 'access-denied') throw error;
    const text = `${id}: no version was published before the deployment, so Lambda may refuse CloudFormation's: ${error.message}`;
    note(reporter, 'warning', text, error.hint);
  }
}
