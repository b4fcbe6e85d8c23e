export {
  ResourceGroupsTaggingAPIClient as Client,
  GetResourcesCommand,
  TagResourcesCommand,
  UntagResourcesCommand,
} from '@aws-sdk/client-resource-groups-tagging-api';
