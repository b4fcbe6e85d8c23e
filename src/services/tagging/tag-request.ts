import type { TagResourcesCommandOutput } from '@aws-sdk/client-resource-groups-tagging-api';
import { toAwsError } from '../../aws/service-errors.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import type { SentChange } from '../../cloud/recent-sends.ts';
import { tagSetting } from '../../template/kinds/setting-parts.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';

/** A request that sets or removes tags, and leaves all others. */
export type TagRequest = { changes: readonly SentChange[] } & (
  | { operation: 'TagResources'; input: { ResourceARNList: [string]; Tags: Record<string, string> } }
  | { operation: 'UntagResources'; input: { ResourceARNList: [string]; TagKeys: string[] } }
);

/** The request as a dry run shows it. Pure. */
export function describeTagRequest({ operation, input }: TagRequest): PlannedRequest {
  const tags =
    operation === 'TagResources' ? Object.entries(input.Tags) : input.TagKeys.map((key) => [key, null] as const);
  const values = Object.fromEntries(tags.map(([key, value]) => [tagSetting(key), value]));
  return { service: 'resourcegroupstaggingapi', operation, parameters: input, values };
}

/** Sends the request. The service answers with success although it failed, and names the failure of each resource. */
export async function sendTags(
  { aws, facts }: Pick<ServiceContext, 'aws' | 'facts'>,
  request: TagRequest,
): Promise<void> {
  const { send, TagResourcesCommand, UntagResourcesCommand } = await aws.tagging();
  await sendAndRecord(facts, request.changes, async () => {
    const answer =
      request.operation === 'TagResources'
        ? await send(new TagResourcesCommand(request.input))
        : await send(new UntagResourcesCommand(request.input));
    throwIfFailed(request, answer);
  });
}

function throwIfFailed({ operation }: TagRequest, { FailedResourcesMap = {} }: TagResourcesCommandOutput): void {
  const [failure] = Object.values(FailedResourcesMap);
  if (failure === undefined) return;
  const {
    StatusCode: httpStatusCode = 400,
    ErrorCode = 'InternalServiceException',
    ErrorMessage = ErrorCode,
  } = failure;
  const isDenied = httpStatusCode === 403 || /not authorized|access ?denied/i.test(ErrorMessage);
  const error = Object.assign(new Error(ErrorMessage), {
    name: isDenied ? 'AccessDeniedException' : ErrorCode,
    $metadata: { httpStatusCode },
  });
  throw toAwsError(error, { service: 'Resource Groups Tagging API', operation });
}
