import type { PublishLayerVersionCommandInput } from '@aws-sdk/client-lambda';
import type { ResourceIdentifier } from '../../../model/stack.ts';
import type { CodeArtifact } from '../code-artifacts.ts';
import type { ServiceContext } from '../../service-context.ts';
import {
  endPublishing,
  layerHash,
  layerMark,
  listLayerVersions,
  markDescription,
  rememberPublished,
} from './layer-versions.ts';

/** A layer with the content that it should have. */
export interface LayerWork {
  /** Of the layer, or of the function whose dependencies it contains. */
  id: ResourceIdentifier;
  /** Its ARN without a version. */
  layer: string;
  artifact: CodeArtifact;
  /** The ARN of CloudFormation's version, if it is known. */
  deployed: string | undefined;
  /** The settings of a new version. */
  settings: Pick<
    PublishLayerVersionCommandInput,
    'CompatibleRuntimes' | 'CompatibleArchitectures' | 'Description' | 'LicenseInfo'
  >;
}

/** How the layer gets a version with that content: `publish` is set unless it has one. */
export interface LayerPlan {
  work: LayerWork;
  /** The ARN of the version that has the content already. */
  version: string | undefined;
  /** Publishes one; its content is `work.artifact`. */
  publish: Omit<PublishLayerVersionCommandInput, 'Content'> | undefined;
  /** ARNs of versions that we published for this stack and that nothing uses once all functions have moved. */
  superseded: readonly string[];
}

/**
 * Finds the version with the wanted content: CloudFormation's, one that functions use (`inUse`), or one that we published
 * earlier. A version's content never changes, so its hash is read only once.
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
  const isKnown = version === published && !facts.publishing.includes(work.layer);
  if (version !== undefined && isKnown) return { work, version, publish: undefined, superseded: [] };
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
  if (superseded.length === 0) {
    rememberPublished(facts, work.layer, version !== undefined && ours.length > 0 ? version : undefined);
    endPublishing(facts, work.layer);
  }
  return { work, version, publish: version === undefined ? publication(tools, work) : undefined, superseded };
}

/** The new version, with the mark by which later syncs recognize it. */
function publication({ stackId }: ServiceContext, { layer, settings, artifact }: LayerWork): LayerPlan['publish'] {
  const description = markDescription(settings.Description, layerMark(stackId, artifact.sha256));
  return { ...settings, LayerName: layer, Description: description };
}
