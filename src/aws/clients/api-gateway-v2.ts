export {
  ApiGatewayV2Client as Client,
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  ExportApiCommand,
  GetDeploymentsCommand,
  GetStagesCommand,
  ReimportApiCommand,
  UpdateDeploymentCommand,
} from '@aws-sdk/client-apigatewayv2';
