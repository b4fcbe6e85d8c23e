export {
  ApiGatewayV2Client as Client,
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  GetApiCommand,
  GetDeploymentsCommand,
  GetStagesCommand,
  ReimportApiCommand,
  UpdateDeploymentCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-apigatewayv2';
