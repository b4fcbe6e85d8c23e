import type { DeleteLayerVersionCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer, requireAnswer } from '../../../aws/check-answer.ts';
import { createOnce } from '../../../aws/create-once.ts';
import { isAwsError } from '../../../aws/service-errors.ts';
import { note } from '../../../console/reporter.ts';
import type { ServiceContext } from '../../service-context.ts';
import {
  endPublishing,
  layerArnOf,
  listLayerVersions,
  readMark,
  rememberPublished,
  versionOf,
} from './layer-versions.ts';
import type { LayerPlan } from './plan-layer.ts';

/** Publishes the version with the wanted content, unless there is one; returns its ARN. */
export async function publishLayer(tools: ServiceContext, plan: LayerPlan): Promise<string> {
  const { work, version = '', publish } = plan;
  if (publish === undefined) return version;
  const { lambda, facts, artifacts } = tools;
  const { artifact, layer } = work;
  const { sendOnce, PublishLayerVersionCommand } = await lambda.service();
  // after a kill, the next run lists the versions and removes those that nothing uses
  if (!facts.publishing.includes(layer)) facts.publishing.push(layer);
  await tools.stacks.save();
  const arn = await artifacts.send(artifact, (Content) =>
    createOnce(
      {
        send: async () => {
          const published = await sendOnce(new PublishLayerVersionCommand({ ...publish, Content }));
          checkAnswer('Lambda', 'PublishLayerVersion', ['CodeSha256', published.Content?.CodeSha256, artifact.sha256]);
          return requireAnswer('Lambda', 'PublishLayerVersion', 'LayerVersionArn', published.LayerVersionArn);
        },
        find: () => findPublished(tools, plan),
      },
      tools.signal,
    ),
  );
  facts.layerHashes[arn] = artifact.sha256;
  // while superseded versions remain, the next sync must list the versions
  rememberPublished(facts, layer, plan.superseded[0] ?? arn);
  return arn;
}

/** The version that a request without an answer published: there was none with this content before. */
async function findPublished(
  { lambda, facts }: ServiceContext,
  { work, publish }: LayerPlan,
): Promise<string | undefined> {
  const { stack, content } = readMark(publish?.Description) ?? {};
  const versions = await listLayerVersions(lambda, work.layer);
  const ours = versions.find(({ arn, mark }) => {
    return mark?.stack === stack && mark?.content === content && !facts.removedLayers.includes(arn);
  });
  return ours?.arn;
}

/** Parameters of DeleteLayerVersion. */
export function deletionOf(arn: string): DeleteLayerVersionCommandInput {
  return { LayerName: layerArnOf(arn), VersionNumber: versionOf(arn) };
}

/** The versions of a layer that stay: what functions use, and the version that the sync moved them to, if it did. */
export interface StayingVersions {
  inUse: ReadonlySet<string>;
  current: string | undefined;
}

/** Deletes versions of ours that no function needs any more; a refusal is a warning. */
export async function removeSuperseded(
  tools: ServiceContext,
  { work, superseded, publish }: LayerPlan,
  { inUse, current }: StayingVersions,
): Promise<void> {
  const { lambda, facts, reporter } = tools;
  const { send, DeleteLayerVersionCommand } = await lambda.service();
  // remembering a version that is not used makes the next sync list the versions again
  const stays = (arn: string): boolean => arn === current || inUse.has(arn);
  const staying = superseded.find(stays);
  if (staying !== undefined) rememberPublished(facts, work.layer, staying);
  // CloudFormation's version needs no memory
  const newest = publish === undefined ? undefined : current;
  for (const arn of superseded.filter((candidate) => !stays(candidate))) {
    // also after a refusal: the next change of the layer tries again
    if (facts.publishedLayers[work.layer] === arn) rememberPublished(facts, work.layer, newest);
    try {
      await send(new DeleteLayerVersionCommand(deletionOf(arn)));
      delete facts.layerHashes[arn];
      facts.removedLayers.push(arn);
    } catch (error) {
      if (!isAwsError(error)) throw error;
      note(
        reporter,
        'warning',
        `${work.id}: the superseded layer version ${arn} could not be deleted: ${error.message}`,
      );
    }
  }
  endPublishing(facts, work.layer);
}
