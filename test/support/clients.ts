import type { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import type { ApiGatewayV2Client } from '@aws-sdk/client-apigatewayv2';
import type { CloudControlClient } from '@aws-sdk/client-cloudcontrol';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { STSClient } from '@aws-sdk/client-sts';
import { createRequire } from 'node:module';

/** A client of each service that tests look into. */
export interface Clients {
  cloudformation: CloudFormationClient;
  ecr: ECRClient;
  cloudcontrol: CloudControlClient;
  tagging: ResourceGroupsTaggingAPIClient;
  s3: S3Client;
  lambda: LambdaClient;
  apigateway: APIGatewayClient;
  apigatewayv2: ApiGatewayV2Client;
  sfn: SFNClient;
  sts: STSClient;
}

/** The package below `@aws-sdk`, the name of its client, and what the client needs besides the endpoint. */
const CLIENTS: Record<keyof Clients, [packageName: string, client: string, more?: object]> = {
  cloudformation: ['client-cloudformation', 'CloudFormationClient'],
  ecr: ['client-ecr', 'ECRClient'],
  cloudcontrol: ['client-cloudcontrol', 'CloudControlClient'],
  tagging: ['client-resource-groups-tagging-api', 'ResourceGroupsTaggingAPIClient'],
  s3: ['client-s3', 'S3Client', { forcePathStyle: true }],
  lambda: ['client-lambda', 'LambdaClient'],
  apigateway: ['client-api-gateway', 'APIGatewayClient'],
  apigatewayv2: ['client-apigatewayv2', 'ApiGatewayV2Client'],
  // StartSyncExecution prefixes the host otherwise, and 127.0.0.1 takes no prefix
  sfn: ['client-sfn', 'SFNClient', { disableHostPrefix: true }],
  sts: ['client-sts', 'STSClient'],
};

const require = createRequire(import.meta.url);
const clientsOf = new Map<string, Clients>();

/**
 * Clients of an endpoint with the test credentials. Close none: they end with the process. Each is loaded when it is used (all
 * of them take 0.6 s of processor time) and created once (a test that waits asks again every few milliseconds).
 */
export function clients(endpoint: string): Clients {
  const made = clientsOf.get(endpoint) ?? createClients(endpoint);
  clientsOf.set(endpoint, made);
  return made;
}

function createClients(endpoint: string): Clients {
  const config = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  const clients = {} as Clients;
  for (const [name, [packageName, client, more]] of Object.entries(CLIENTS)) {
    let made: object | undefined;
    const get = (): object => {
      const load = require(`@aws-sdk/${packageName}`) as Record<string, new (config: object) => object>;
      return (made ??= new (load[client] as new (config: object) => object)({ ...config, ...more }));
    };
    Object.defineProperty(clients, name, { get, enumerable: true });
  }
  return clients;
}
