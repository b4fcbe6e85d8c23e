import type { BuildResult } from '../../builder/build-result.ts';
import { openBuilder } from '../../builder/build.ts';
import type { BuildOutcome, BuildEnvironment } from '../../builder/build.ts';
import { openBuildLayout } from '../../builder/layout/build-layout.ts';
import type { BuildLayout } from '../../builder/layout/build-layout.ts';
import { planBuiltTemplates } from '../../builder/layout/built-templates.ts';
import { planBuild } from '../../builder/plan-build.ts';
import type { BuildPlan } from '../../builder/plan-build.ts';
import { note } from '../../console/reporter.ts';
import type { DeployInput, DeployResult } from '../../deploy/deploy-stack.ts';
import { resolveRepositories } from '../../deploy/image-repositories.ts';
import { planDeploy } from '../../deploy/plan-deploy.ts';
import { BuildError } from '../../errors.ts';
import { createImageStore } from '../../package/image-store.ts';
import type { ObjectStore } from '../../package/object-store.ts';
import { objectUrls } from '../../package/object-urls.ts';
import { planPackage } from '../../package/package-templates.ts';
import type { PackagedStack, PackageTools } from '../../package/package-templates.ts';
import type { StackUpdate } from '../../services/lambda/versions/allow-versions.ts';
import { makeCode } from '../../services/lambda/code-artifacts.ts';
import { buildOptionsOf } from '../build-options-of.ts';
import type { OpenedApplication } from '../open-application.ts';
import { openArtifactStore } from '../open-stores.ts';
import { placeImages } from '../place-images.ts';
import type { SyncRun } from '../sync-run.ts';
import { describeDeployment } from './describe-deployment.ts';
import type { DescribedDeployment } from './describe-deployment.ts';
import { createEarlyUploads } from './early-uploads.ts';
import type { DeploymentStores, PlannedDeployment } from './packaging.ts';
import { uploadAndDeploy } from './upload-and-deploy.ts';

/** What a watch reuses between deployments. */
export interface BuildReuse {
  /** Builds with a builder that keeps its state; without it each deployment opens one. */
  build?: (plan: BuildPlan, onBuilt: BuildEnvironment['onBuilt']) => Promise<BuildOutcome>;
  /** Lays out what was built for other commands. */
  layout?: BuildLayout;
}

/** The application, built and packaged. Nothing of the stack is changed before `deploy`. */
export interface PreparedDeployment extends PlannedDeployment {
  built: BuildResult;
  /** The stack has the parameters, tags and other settings of the options: only templates can differ. */
  hasSettings: boolean;
  /**
   * Uploads what is missing, then creates or updates the stack. `beforeUpdate`: prepares an update, and gives the layers that
   * it has to publish again.
   */
  deploy(how: { beforeUpdate: (update: StackUpdate) => Promise<PackageTools['renewed']> }): Promise<DeployResult>;
  /** What `deploy` would send, as far as it can be known without sending. */
  describe(): Promise<DescribedDeployment>;
  /** What was uploaded so far. */
  sent: ObjectStore['sent'];
  /** Waits for uploads under way, and removes what is not kept. */
  close(): Promise<void>;
}

/** Builds and packages the whole application. Rejects with `BuildError` if a build fails. */
export async function prepareDeployment(
  run: SyncRun,
  application: OpenedApplication,
  reuse: BuildReuse = {},
): Promise<PreparedDeployment> {
  const { store, webFunctions, sent } = openArtifactStore(run, application);
  const early = createEarlyUploads(store, application);
  const releases: (() => void)[] = [];
  const close = async (): Promise<void> => {
    // failed uploads were reported by the deployment, or there was none
    await early.done().catch(() => {});
    await store.dispose();
    for (const release of releases) release();
  };
  try {
    const { root } = application;
    const images = createImageStore({ aws: run.aws, ...run.environment });
    const repositories = resolveRepositories(run, root, application);
    placeImages(run, repositories);
    const stores = { run, application, store, webFunctions, images, repositories, early };
    const { result: built, release } = await buildAll(stores, reuse);
    releases.push(release);
    return { ...(await planDeployment(stores, built, reuse)), sent, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function planDeployment(
  stores: DeploymentStores,
  built: BuildResult,
  { layout }: BuildReuse,
): Promise<Omit<PreparedDeployment, 'sent' | 'close'>> {
  const { run, application, store, images, repositories } = stores;
  const { options, environment } = run;
  const { root, deployed } = application;
  const started = performance.now();
  const templates = planBuiltTemplates(root, built, buildOptionsOf(run));
  // a dry run leaves the files of the last sync as they are
  if (!options.dryRun) await (layout ?? openBuildLayout(buildOptionsOf(run))).write(root, templates);
  const tools: PackageTools = {
    store,
    urlOf: await objectUrls(run.aws),
    locateImage: (id, image) => images.locate(id, image, repositories.uris.get(id) ?? ''),
  };
  const packaged = await planPackage(templates.stack, tools);
  environment.reporter.report({ type: 'phase', name: 'package', ms: performance.now() - started });
  const input = deployInput(run, packaged);
  const known = { stack: deployed.stack, template: options.skipDeploySync ? deployed.template : undefined };
  const plan = planDeploy(input, known.stack, known.template);
  const update: StackUpdate = {
    packaged,
    deployed: deployed.template,
    hashOf: async (item) => (await makeCode(store, item)).sha256,
  };
  return {
    built,
    packaged,
    input,
    plan,
    hasSettings: planDeploy(input, deployed.stack, input.template).action === 'none',
    describe: () => describeDeployment(stores, { packaged, input, plan }),
    deploy: async ({ beforeUpdate }) => {
      const renewed = plan.action === 'update' ? await beforeUpdate(update) : undefined;
      const final = renewed?.size ? await planPackage(templates.stack, { ...tools, renewed }) : packaged;
      return uploadAndDeploy(stores, { packaged: final, input: deployInput(run, final), plan }, known);
    },
  };
}

function deployInput({ options }: SyncRun, packaged: PackagedStack): DeployInput {
  const { stackName, tags, capabilities, roleArn, notificationArns, express, parameterOverrides } = options;
  const { template, text: templateText } = packaged;
  const settings = {
    stackName,
    tags,
    capabilities,
    roleArn,
    notificationArns,
    express,
    parameters: parameterOverrides,
  };
  return { ...settings, template, templateText };
}

/** Builds everything; what is built is uploaded while other things still build. */
async function buildAll(
  { run, application, early }: DeploymentStores,
  { build }: BuildReuse,
): Promise<Pick<BuildOutcome, 'result' | 'release'>> {
  const { reporter, signal } = run.environment;
  const started = performance.now();
  const options = buildOptionsOf(run);
  const plan = planBuild(application.root, options);
  const onBuilt = run.options.dryRun ? undefined : early.add;
  const { result, failures, release } = await (build === undefined
    ? openBuilder({ reporter, signal, options, onBuilt, sharedBuilds: run.sharedBuilds }).build(plan)
    : build(plan, onBuilt));
  // what was built is not built again, so a failure of another build must not hide these
  for (const { level, ids, text } of result.notes) note(reporter, level, `${ids.join(', ')}: ${text}`);
  if (failures.length > 0) {
    release();
    throw new BuildError(failures);
  }
  reporter.report({ type: 'phase', name: 'build', ms: performance.now() - started });
  return { result, release };
}
