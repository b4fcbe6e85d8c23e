export {
  ApiGatewayV2Client as Client,
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  GetDeploymentsCommand,
  GetStagesCommand,
  ReimportApiCommand,
  UpdateDeploymentCommand,
} from '@aws-sdk/client-apigatewayv2';
