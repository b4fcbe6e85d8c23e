import { isAwsError } from '../../aws/service-errors.ts';
import { note } from '../../console/reporter.ts';
import type { ServiceContext } from '../service-context.ts';

/** Deletes deployments that no stage uses any more, one after the other; a refusal is a warning. */
export async function removeSuperseded<
  D extends { deploymentId?: string | undefined } | { DeploymentId?: string | undefined },
>(
  { reporter }: Pick<ServiceContext, 'reporter'>,
  { id, superseded }: { id: string; superseded: readonly D[] },
  remove: (old: D) => Promise<unknown>,
): Promise<void> {
  for (const old of superseded) {
    try {
      await remove(old);
    } catch (error) {
      if (!isAwsError(error)) throw error;
      // deleted by somebody else, or by a request whose answer was lost
      if (error.code === 'NotFoundException') continue;
      const name = 'deploymentId' in old ? old.deploymentId : 'DeploymentId' in old ? old.DeploymentId : '';
      note(reporter, 'warning', `${id}: the superseded deployment ${name} could not be deleted: ${error.message}`);
    }
  }
}
