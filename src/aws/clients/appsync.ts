export {
  AppSyncClient as Client,
  GetIntrospectionSchemaCommand,
  GetSchemaCreationStatusCommand,
  StartSchemaCreationCommand,
} from '@aws-sdk/client-appsync';
