export {
  LambdaClient as Client,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListLayerVersionsCommand,
  GetLayerVersionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
