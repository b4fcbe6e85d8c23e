export {
  APIGatewayClient as Client,
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  FlushStageAuthorizersCacheCommand,
  FlushStageCacheCommand,
  GetDeploymentsCommand,
  GetStagesCommand,
  PutRestApiCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
