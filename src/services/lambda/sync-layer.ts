import type { DeleteLayerVersionCommandInput, PublishLayerVersionCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { CodeArtifact } from './code-artifacts.ts';
import type { ServiceContext } from '../service-context.ts';
import { layerArnOf, layerHash, layerMark, listLayerVersions, markDescription, versionOf } from './layer-versions.ts';

/** A layer that is to have a certain content. */
export interface LayerWork {
  /** Of the layer; of the function whose dependencies it holds. */
  id: ResourceIdentifier;
  /** Its ARN without a version. */
  layer: string;
  artifact: CodeArtifact;
  /** The version that CloudFormation made, if it is known. */
  deployed: string | undefined;
  /** How a new version is described. */
  settings: Pick<
    PublishLayerVersionCommandInput,
    'CompatibleRuntimes' | 'CompatibleArchitectures' | 'Description' | 'LicenseInfo'
  >;
}

/** What gives the layer a version with that content: `publish` is set unless there is one. */
export interface LayerPlan {
  work: LayerWork;
  /** The version that has the content already. */
  version: string | undefined;
  /** Publishes one; its content is `work.artifact`. */
  publish: Omit<PublishLayerVersionCommandInput, 'Content'> | undefined;
  /** ARNs of versions that we published for this stack and that nobody needs once all functions have moved. */
  superseded: readonly string[];
}

/**
 * Finds the version with the wanted content: that of CloudFormation, one that functions have now (`inUse`), or one that we
 * published earlier. A version's content never changes, so each is asked for once in a lifetime.
 */
export async function planLayer(tools: ServiceContext, work: LayerWork, inUse: readonly string[]): Promise<LayerPlan> {
  const { lambda, facts } = tools;
  const wanted = work.artifact.sha256;
  let version: string | undefined;
  for (const arn of new Set([...(work.deployed === undefined ? [] : [work.deployed]), ...inUse])) {
    if ((await layerHash(lambda, facts, arn)) === wanted) {
      version = arn;
      break;
    }
  }
  const published = facts.publishedLayers[work.layer] ?? version;
  if (version !== undefined && version === published) return { work, version, publish: undefined, superseded: [] };
  const listed = await listLayerVersions(lambda, work.layer);
  const versions = listed.filter(({ arn }) => !facts.removedLayers.includes(arn));
  const mark = layerMark(tools.stackId, wanted);
  const ours = versions.filter((candidate) => candidate.mark?.stack === mark.stack);
  version ??= ours.find((candidate) => candidate.mark?.content === mark.content)?.arn;
  const newest = versions.find((candidate) => candidate.mark === undefined)?.arn;
  if (version === undefined && newest !== undefined && (await layerHash(lambda, facts, newest)) === wanted) {
    version = newest;
  }
  const superseded = ours.map(({ arn }) => arn).filter((arn) => arn !== version);
  if (superseded.length === 0)
    rememberPublished(tools, work.layer, version !== undefined && ours.length > 0 ? version : undefined);
  return { work, version, publish: version === undefined ? publication(tools, work) : undefined, superseded };
}

/** The new version, with the mark by which later syncs recognize it. */
function publication({ stackId }: ServiceContext, { layer, settings, artifact }: LayerWork): LayerPlan['publish'] {
  const description = markDescription(settings.Description, layerMark(stackId, artifact.sha256));
  return { ...settings, LayerName: layer, Description: description };
}

/** With what is remembered here, the layer's versions need not be listed again before something changes. */
function rememberPublished({ facts }: ServiceContext, layer: string, version: string | undefined): void {
  if (version === undefined) delete facts.publishedLayers[layer];
  else facts.publishedLayers[layer] = version;
}

/** The version with the wanted content, published if there is none. */
export async function publishLayer(tools: ServiceContext, { work, version = '', publish }: LayerPlan): Promise<string> {
  if (publish === undefined) return version;
  const { lambda, facts, artifacts } = tools;
  const { artifact, layer } = work;
  const { send, PublishLayerVersionCommand } = await lambda.service();
  const published = await artifacts.send(artifact, (Content) =>
    send(new PublishLayerVersionCommand({ ...publish, Content })),
  );
  const arn = requireAnswer('Lambda', 'PublishLayerVersion', 'LayerVersionArn', published.LayerVersionArn);
  checkAnswer('Lambda', 'PublishLayerVersion', ['CodeSha256', published.Content?.CodeSha256, artifact.sha256]);
  facts.layerHashes[arn] = artifact.sha256;
  rememberPublished(tools, layer, arn);
  return arn;
}

/** Parameters of DeleteLayerVersion. */
export function deletionOf(arn: string): DeleteLayerVersionCommandInput {
  return { LayerName: layerArnOf(arn), VersionNumber: versionOf(arn) };
}

/** Removes versions of ours that no function needs any more. What cannot be removed is told and left. */
export async function removeSuperseded(
  tools: ServiceContext,
  { work, superseded }: LayerPlan,
  keep: ReadonlySet<string>,
): Promise<void> {
  const { lambda, facts, reporter } = tools;
  const { send, DeleteLayerVersionCommand } = await lambda.service();
  // what stays is not the version that is used: the next sync looks for it again
  const staying = superseded.find((arn) => keep.has(arn));
  if (staying !== undefined) rememberPublished(tools, work.layer, staying);
  for (const arn of superseded.filter((candidate) => !keep.has(candidate))) {
    try {
      await send(new DeleteLayerVersionCommand(deletionOf(arn)));
      delete facts.layerHashes[arn];
      facts.removedLayers.push(arn);
      if (facts.publishedLayers[work.layer] === arn) delete facts.publishedLayers[work.layer];
    } catch (error) {
      if (!isAwsError(error)) throw error;
      note(reporter, 'warning', `${work.id}: the superseded layer version ${arn} was not removed: ${error.message}`);
    }
  }
}
