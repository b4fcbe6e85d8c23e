import type { DeleteLayerVersionCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import type { ServiceContext } from '../service-context.ts';
import { layerArnOf, rememberPublished, versionOf } from './layer-versions.ts';
import type { LayerPlan } from './plan-layer.ts';

/** Publishes the version with the wanted content, unless there is one; returns its ARN. */
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
  rememberPublished(facts, layer, arn);
  return arn;
}

/** Parameters of DeleteLayerVersion. */
export function deletionOf(arn: string): DeleteLayerVersionCommandInput {
  return { LayerName: layerArnOf(arn), VersionNumber: versionOf(arn) };
}

/** Deletes versions of ours that no function needs any more, except `keep`; a refusal is a warning. */
export async function removeSuperseded(
  tools: ServiceContext,
  { work, superseded }: LayerPlan,
  keep: ReadonlySet<string>,
): Promise<void> {
  const { lambda, facts, reporter } = tools;
  const { send, DeleteLayerVersionCommand } = await lambda.service();
  // remembering a version that is not used makes the next sync list the versions again
  const staying = superseded.find((arn) => keep.has(arn));
  if (staying !== undefined) rememberPublished(facts, work.layer, staying);
  for (const arn of superseded.filter((candidate) => !keep.has(candidate))) {
    try {
      await send(new DeleteLayerVersionCommand(deletionOf(arn)));
      delete facts.layerHashes[arn];
      facts.removedLayers.push(arn);
      if (facts.publishedLayers[work.layer] === arn) delete facts.publishedLayers[work.layer];
    } catch (error) {
      if (!isAwsError(error)) throw error;
      note(
        reporter,
        'warning',
        `${work.id}: the superseded layer version ${arn} could not be deleted: ${error.message}`,
      );
    }
  }
}
