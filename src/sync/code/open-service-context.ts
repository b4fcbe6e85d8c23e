import { createCloudValues } from '../../cloud/cloud-values.ts';
import { emptyFacts } from '../../cloud/sync-state.ts';
import type { Stack } from '../../model/stack.ts';
import { openCodeArtifacts } from '../../services/lambda/code-artifacts.ts';
import { openCodeImages } from '../../services/lambda/code-images.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { readParameters } from '../../template/parameters.ts';
import { findBucket, requireBucket } from '../deployment-bucket.ts';
import { openArtifactStore } from '../open-stores.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import type { LambdaAccess } from '../../services/lambda/lambda-client.ts';
import type { SyncRun } from '../sync-run.ts';

/** An automatic deployment starts within a second or two (ms). */
const AUTO_DEPLOY_WAIT = 2_000;

/** Opens the context of the services for one plan of these templates. */
export function openServiceContext(
  { run, stacks, lambda }: { run: SyncRun; stacks: CloudStacks; lambda: LambdaAccess },
  root: Stack,
): ServiceContext {
  const { options, environment, aws } = run;
  const { reporter, signal } = environment;
  return {
    root,
    aws,
    lambda,
    stacks,
    values: createCloudValues(root, stacks, givenSecrets(root, options.parameterOverrides)),
    artifacts: openCodeArtifacts({
      local: openArtifactStore(run, { bucket: '' }).store,
      findBucket: () => findBucket(run),
      openUploads: async () => openArtifactStore(run, { bucket: await requireBucket(run) }).store,
    }),
    images: openCodeImages(run, root),
    // both are known once the stack is located
    facts: emptyFacts(),
    stackId: '',
    reporter,
    signal,
    autoDeployWaitMs: AUTO_DEPLOY_WAIT,
  };
}

/** Selects the given values of secret parameters, which the resolved view of a template does not have. */
function givenSecrets(root: Stack, given: Readonly<Record<string, string>>): Record<string, string> {
  const { secret } = readParameters(root.source, { values: given });
  return Object.fromEntries(Object.entries(given).filter(([name]) => secret.has(name)));
}
