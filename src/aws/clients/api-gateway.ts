export {
  APIGatewayClient as Client,
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  FlushStageAuthorizersCacheCommand,
  FlushStageCacheCommand,
  GetDeploymentsCommand,
  GetRestApiCommand,
  GetStageCommand,
  GetStagesCommand,
  PutRestApiCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
