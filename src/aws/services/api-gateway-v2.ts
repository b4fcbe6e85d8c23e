export {
  ApiGatewayV2Client as Client,
  CreateDeploymentCommand,
  GetApiCommand,
  GetStagesCommand,
  ReimportApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-apigatewayv2';
