import { deployStack, parsePollDelay } from '../../deploy/deploy-stack.ts';
import type { DeployedState, DeployResult, DeployTools } from '../../deploy/deploy-stack.ts';
import { objectUrls } from '../../package/object-urls.ts';
import { forgetConfirmed } from '../code/ahead/trusted-function.ts';
import { confirmRecreation } from '../open-application.ts';
import { deploymentInputs, forEachMissing } from './missing-uploads.ts';
import type { DeploymentStores, PlannedDeployment } from './packaging.ts';

/** Uploads what is missing, then creates or updates the stack. `known`: the stack that the plan was made for. */
export async function uploadAndDeploy(
  stores: DeploymentStores,
  deployment: PlannedDeployment,
  known: DeployedState,
): Promise<DeployResult> {
  await uploadMissing(stores, deployment);
  await forgetConfirmed(stores.run);
  return deployStack(stores.run.aws, deployment.input, await deployTools(stores), known);
}

async function uploadMissing(
  { run, application, store, images, repositories, early }: DeploymentStores,
  { packaged, plan }: PlannedDeployment,
): Promise<void> {
  const started = performance.now();
  const inputs = deploymentInputs(packaged, application.deployed.template);
  if (plan.action !== 'none') {
    await forEachMissing(
      inputs,
      { store, images },
      {
        artifact: async (located) => {
          early.throwIfFailed();
          await store.upload(located);
        },
        image: async (located) => {
          await repositories.ensure();
          await images.push(located);
        },
      },
    );
  }
  await early.done();
  run.environment.reporter.report({ type: 'phase', name: 'upload', ms: performance.now() - started });
}

async function deployTools({ run, application, store }: DeploymentStores): Promise<DeployTools> {
  const { reporter, signal, env } = run.environment;
  const urlOf = await objectUrls(run.aws);
  return {
    reporter,
    signal,
    confirm: async (question, plan) =>
      question === application.agreedTo ||
      (application.recreate && plan.unattended === undefined) ||
      (await confirmRecreation(plan, run)),
    uploadTemplate: async (text) => {
      const located = await store.locate({ kind: 'template', text, label: 'template' });
      await store.upload(located);
      return urlOf(located.bucket, located.key);
    },
    pollDelayMs: parsePollDelay(env),
  };
}
