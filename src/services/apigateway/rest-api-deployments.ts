import type { Deployment } from '@aws-sdk/client-api-gateway';
import type { ServiceContext } from '../service-context.ts';

/** Reads all deployments of a REST API. */
export async function readDeployments({ aws }: Pick<ServiceContext, 'aws'>, restApiId: string): Promise<Deployment[]> {
  const { send, GetDeploymentsCommand } = await aws.apiGateway();
  const deployments: Deployment[] = [];
  let position: string | undefined;
  do {
    const page = await send(new GetDeploymentsCommand({ restApiId, limit: 500, position }));
    deployments.push(...(page.items ?? []));
    ({ position } = page);
  } while (position);
  return deployments;
}
