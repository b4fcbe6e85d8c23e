import { createHash } from 'node:crypto';
import { isAwsError } from '../../../aws/service-errors.ts';
import type { LambdaAccess } from '../lambda-client.ts';
import { fromAnswer } from '../../planned-request.ts';
import type { SyncFacts } from '../../../cloud/sync-state.ts';

/** The ARN of the layer: `arn:aws:lambda:eu-west-1:123456789012:layer:name:7` without `:7`. */
export function layerArnOf(versionArn: string): string {
  return versionArn.slice(0, versionArn.lastIndexOf(':'));
}

/** The number of the version: the `7` in that ARN. */
export function versionOf(versionArn: string): number {
  return Number(versionArn.slice(versionArn.lastIndexOf(':') + 1));
}

const NEW_VERSION = fromAnswer('PublishLayerVersion', 'Version');

/** The placeholder for the ARN of the version that the plan publishes. */
export function newVersionOf(layer: string): string {
  return `${layer}:${NEW_VERSION}`;
}

/** Replaces placeholders by published versions. `published`: ARN of a layer → ARN of its version. */
export function fillNewVersions(layers: readonly string[], published: ReadonlyMap<string, string>): string[] {
  return layers.map((arn) => {
    const layer = layerArnOf(arn);
    return arn === newVersionOf(layer) ? (published.get(layer) ?? arn) : arn;
  });
}

/** Layer versions to swap, add and remove. */
export interface LayerMoves {
  /** ARN of a layer → ARN of the version to use. */
  to: ReadonlyMap<string, string>;
  /** ARNs of layers to append if the function does not have them. */
  add: readonly string[];
  /** ARNs of layers to remove. */
  drop: readonly string[];
}

/** Swaps, adds and removes layers and keeps their order: a later layer's files hide those of an earlier one. Pure. */
export function moveLayers(current: readonly string[], { to, add, drop }: LayerMoves): string[] {
  const kept = current.filter((arn) => !drop.includes(layerArnOf(arn)));
  const moved = kept.map((arn) => to.get(layerArnOf(arn)) ?? arn);
  const names = new Set(kept.map(layerArnOf));
  const added = add.filter((layer) => !names.has(layer)).flatMap((layer) => to.get(layer) ?? []);
  return [...moved, ...added];
}

/** Lambda's limit for a description (characters). */
const LONGEST_DESCRIPTION = 256;
const MARK = /\s*\[sam-sync ([0-9a-f]{8}) ([0-9a-f]{16})\]$/;

/** The mark in the description of a layer version that we published. */
export interface LayerMark {
  /** Hash of the stack's ARN. */
  stack: string;
  /** Hash of its content. */
  content: string;
}

/** Makes the mark of a version for the stack. `sha256` in base64. */
export function layerMark(stackId: string, sha256: string): LayerMark {
  const stack = createHash('sha256').update(stackId).digest('hex').slice(0, 8);
  return { stack, content: Buffer.from(sha256, 'base64').toString('hex').slice(0, 16) };
}

/** Appends the mark to a description, shortened if necessary: later syncs recognize our versions by it. */
export function markDescription(description: string | undefined, { stack, content }: LayerMark): string {
  const mark = `[sam-sync ${stack} ${content}]`;
  return `${(description ?? '').slice(0, LONGEST_DESCRIPTION - mark.length - 1)} ${mark}`.trim();
}

/** Reads the mark at the end of a description; undefined: someone else published the version. */
export function readMark(description: string | undefined): LayerMark | undefined {
  const [, stack, content] = MARK.exec(description ?? '') ?? [];
  return stack === undefined || content === undefined ? undefined : { stack, content };
}

/** A version of a layer. */
export interface LayerVersion {
  arn: string;
  mark: LayerMark | undefined;
}

/** Lists all versions of a layer (name or ARN), the newest first. */
export async function listLayerVersions(lambda: LambdaAccess, layer: string): Promise<LayerVersion[]> {
  const { send, ListLayerVersionsCommand } = await lambda.service();
  const versions: LayerVersion[] = [];
  let marker: string | undefined;
  do {
    const page = await send(new ListLayerVersionsCommand({ LayerName: layer, Marker: marker }));
    for (const { LayerVersionArn, Description } of page.LayerVersions ?? []) {
      if (LayerVersionArn !== undefined) versions.push({ arn: LayerVersionArn, mark: readMark(Description) });
    }
    marker = page.NextMarker || undefined;
  } while (marker !== undefined);
  return versions.sort((a, b) => versionOf(b.arn) - versionOf(a.arn));
}

/** Reads the base64 SHA-256 of a version's content, which never changes; undefined: the version no longer exists. */
export async function layerHash(lambda: LambdaAccess, facts: SyncFacts, arn: string): Promise<string | undefined> {
  const known = facts.layerHashes[arn];
  if (known !== undefined) return known;
  try {
    const { send, GetLayerVersionCommand } = await lambda.service();
    const { Content } = await send(
      new GetLayerVersionCommand({ LayerName: layerArnOf(arn), VersionNumber: versionOf(arn) }),
    );
    const hash = Content?.CodeSha256;
    if (hash !== undefined) facts.layerHashes[arn] = hash;
    return hash;
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}

/**
 * Compares two lists of layer versions by content. Two syncs of the same change at once publish a version each, and the function
 * has that of the later one: nothing is wrong then.
 */
export async function haveSameContent(
  { lambda, facts }: { lambda: LambdaAccess; facts: SyncFacts },
  actual: readonly string[],
  wanted: readonly string[],
): Promise<boolean> {
  if (actual.map(layerArnOf).join() !== wanted.map(layerArnOf).join()) return false;
  for (const [index, arn] of actual.entries()) {
    const other = wanted[index];
    if (other === undefined || other === arn) continue;
    const [hash, otherHash] = await Promise.all([layerHash(lambda, facts, arn), layerHash(lambda, facts, other)]);
    if (hash === undefined || hash !== otherHash) return false;
  }
  return true;
}

/** Remembers the version in use, which saves listing the layer's versions; undefined: forgets it. */
export function rememberPublished(facts: SyncFacts, layer: string, version: string | undefined): void {
  if (version === undefined) delete facts.publishedLayers[layer];
  else facts.publishedLayers[layer] = version;
}

/** Forgets that the layer may have a version that no run knows. */
export function endPublishing(facts: SyncFacts, layer: string): void {
  facts.publishing = facts.publishing.filter((other) => other !== layer);
}
