import { isAwsError, mayHaveArrived } from '../../../aws/service-errors.ts';
import type { AwsError } from '../../../aws/service-errors.ts';
import { SettingsRefusedError } from '../../settings-refused.ts';
import type { FunctionPlan } from '../plan-function.ts';

/** Sends settings; a refusal becomes a `SettingsRefusedError`. */
export async function sendSettings(
  { work, settings }: Pick<FunctionPlan, 'work' | 'settings'>,
  send: () => Promise<void>,
): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (
      (settings.size > 0 || work.neighbours.length > 0) &&
      isAwsError(error) &&
      !mayHaveArrived(error) &&
      isAboutSettings(error)
    )
      throw new SettingsRefusedError(work.id, error, mayBeDeployed(error));
    throw error;
  }
}

function isAboutSettings({ kind, operation }: AwsError): boolean {
  return OPERATIONS.has(operation) && (kind === 'access-denied' || kind === 'other');
}

const OPERATIONS: ReadonlySet<string> = new Set([
  'DeleteFunctionConcurrency',
  'DeleteProvisionedConcurrencyConfig',
  'PutFunctionConcurrency',
  'PutProvisionedConcurrencyConfig',
  'TagResource',
  'UntagResource',
  'UpdateEventSourceMapping',
  'UpdateFunctionConfiguration',
  'UpdateFunctionUrlConfig',
]);

/** Lambda checks the permissions of the function's role, to which the deployment may add some first. */
const ROLE = /execution role does not have permissions|cannot be assumed by Lambda/;

function mayBeDeployed({ kind, serviceMessage }: AwsError): boolean {
  return kind === 'access-denied' || ROLE.test(serviceMessage);
}
