import { readContainerEnvFile } from '../../builder/containers/container-env-file.ts';
import { UsageError, UserError } from '../../errors.ts';
import { ownValue } from '../../support/own-value.ts';
import type { ContainerVariables } from '../../sync/sync-options.ts';

/** Merges the variables of a file (`--container-env-var-file`) and those given as options, which take precedence. */
export async function loadContainerVariables(
  { file, place }: { file: string | undefined; place: string },
  given: ContainerVariables | undefined,
): Promise<ContainerVariables> {
  const { env, envById } = await readContainerEnvFile(file).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    const { message, hint } = error;
    throw new UsageError(`${place}: ${message}`, { cause: error, hint });
  });
  const ids = new Set([...Object.keys(envById), ...Object.keys(given?.byId ?? {})]);
  return {
    all: { ...env, ...given?.all },
    byId: Object.fromEntries(
      [...ids].map((id) => [id, { ...ownValue(envById, id), ...ownValue(given?.byId ?? {}, id) }]),
    ),
  };
}
