export {
  LambdaClient as Client,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  ListFunctionsCommand,
  ListLayerVersionsCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
