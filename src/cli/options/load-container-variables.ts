import { readContainerEnvFile } from '../../builder/containers/container-env-file.ts';
import { ownValue } from '../../support/own-value.ts';
import type { ContainerVariables } from '../../sync/sync-options.ts';

/** Merges the variables of a file (`--container-env-var-file`) and those given as options, which take precedence. */
export async function loadContainerVariables(
  file: string | undefined,
  given: ContainerVariables | undefined,
): Promise<ContainerVariables> {
  const { env, envById } = await readContainerEnvFile(file);
  const ids = new Set([...Object.keys(envById), ...Object.keys(given?.byId ?? {})]);
  return {
    all: { ...env, ...given?.all },
    byId: Object.fromEntries(
      [...ids].map((id) => [id, { ...ownValue(envById, id), ...ownValue(given?.byId ?? {}, id) }]),
    ),
  };
}
