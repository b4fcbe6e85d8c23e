import { isAwsError, mayHaveArrived } from '../aws/service-errors.ts';
import type { AwsError } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';

/** A service refused settings: it has set none of them. */
export class SettingsRefusedError extends UserError {
  /** Not because of their values: a deployment may be able to set them. */
  readonly isForDeployment: boolean;

  constructor(id: string, error: AwsError, isForDeployment = error.kind === 'access-denied') {
    const { hint } = error;
    super(`${id}: ${error.message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
    this.isForDeployment = isForDeployment;
  }
}

/** Sends the one request that sets these settings; a refusal becomes a `SettingsRefusedError`. */
export async function refusingSettings<T>(
  { id, settings }: { id: string; settings: ReadonlyMap<string, unknown> },
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const isRefusal =
      isAwsError(error) && !mayHaveArrived(error) && (error.kind === 'access-denied' || error.kind === 'other');
    throw isRefusal && settings.size > 0 ? new SettingsRefusedError(id, error) : error;
  }
}
