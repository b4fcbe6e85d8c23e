import type { BuildResult } from '../builder/artifact.ts';
import { openBuilder } from '../builder/build.ts';
import type { BuildOutcome, BuildEnvironment } from '../builder/build.ts';
import { openBuildLayout } from '../builder/layout/build-layout.ts';
import type { BuildLayout } from '../builder/layout/build-layout.ts';
import { planBuiltTemplates } from '../builder/layout/built-templates.ts';
import { planBuild } from '../builder/plan-build.ts';
import type { BuildPlan } from '../builder/plan-build.ts';
import { note } from '../console/reporter.ts';
import { deployStack, parsePollDelay } from '../deploy/deploy-stack.ts';
import type { DeployInput, DeployResult, DeployTools } from '../deploy/deploy-stack.ts';
import { planDeploy } from '../deploy/plan-deploy.ts';
import type { DeployPlan } from '../deploy/plan-deploy.ts';
import { BuildError } from '../errors.ts';
import type { ArtifactStore, LocatedArtifact } from '../package/artifact-store.ts';
import { createImageStore } from '../package/image-store.ts';
import type { ImageStore, LocatedImage } from '../package/image-store.ts';
import { objectUrls } from '../package/object-urls.ts';
import { planPackage } from '../package/package-templates.ts';
import type { PackagedStack, PackageTools } from '../package/package-templates.ts';
import type { WebFunctionStore } from '../package/web-function-store.ts';
import { buildOptionsOf } from './build-options-of.ts';
import { createEarlyUploads } from './early-uploads.ts';
import type { EarlyUploads } from './early-uploads.ts';
import { resolveRepositories } from '../deploy/image-repositories.ts';
import type { ImageRepositories } from '../deploy/image-repositories.ts';
import { deploymentInputs, forEachMissing } from './missing-uploads.ts';
import { openArtifactStore } from './open-stores.ts';
import { confirmRecreation } from './open-application.ts';
import type { OpenedApplication } from './open-application.ts';
import type { SyncRun } from './sync-run.ts';

/** How it is built. */
export interface BuildReuse {
  /** A builder that keeps what it learned (`--watch`); without it there is one for this time. */
  build?: (plan: BuildPlan, onBuilt: BuildEnvironment['onBuilt']) => Promise<BuildOutcome>;
  /** Where it is laid out for other commands, with what is known of that (`--watch`). */
  layout?: BuildLayout;
}

/** The application, built and with its templates ready to be deployed. Nothing of the stack has been changed. */
export interface PreparedDeployment {
  built: BuildResult;
  packaged: PackagedStack;
  /** What a deployment will do. */
  plan: DeployPlan;
  /** Whether the stack has the parameters, tags and other settings that it is to have: only templates can differ. */
  hasSettings: boolean;
  /** Sends what is missing, then creates or updates the stack. `goneLayers`: those that an update has to publish anew. */
  deploy(how: { goneLayers: () => Promise<PackageTools['renewed']> }): Promise<DeployResult>;
  /** What a deployment would have to send, as far as that can be known without sending, and do for it. */
  missing(): Promise<MissingInputs>;
  /** What was sent so far. */
  sent: { objects: number; bytes: number };
  /** Waits for what is being sent, and removes what is not kept. */
  close(): Promise<void>;
}

/** What the cloud does not have of what a deployment reads. */
interface MissingInputs {
  artifacts: readonly LocatedArtifact[];
  images: readonly LocatedImage[];
  /** What would be made before anything is sent, in a sentence each. */
  preparations: readonly string[];
}

/** Builds and packages the whole application. Rejects with `BuildError` if a build fails. */
export async function prepareDeployment(
  run: SyncRun,
  prepared: OpenedApplication,
  how: BuildReuse = {},
): Promise<PreparedDeployment> {
  const { store, webFunctions, sent } = openArtifactStore(run, prepared);
  const early = createEarlyUploads(store, prepared);
  const releases: (() => void)[] = [];
  const close = async (): Promise<void> => {
    // those that failed have been told, or nobody needs them
    await early.done().catch(() => {});
    await store.dispose();
    for (const release of releases) release();
  };
  try {
    return { ...(await packageWith({ run, prepared, store, webFunctions, early, releases }, how)), sent, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Packaging {
  run: SyncRun;
  prepared: OpenedApplication;
  store: ArtifactStore;
  webFunctions: WebFunctionStore;
  early: EarlyUploads;
  /** Called at the end: what was built is not needed any more. */
  releases: (() => void)[];
}

async function packageWith(packaging: Packaging, how: BuildReuse): Promise<Omit<PreparedDeployment, 'sent' | 'close'>> {
  const { run, prepared, store } = packaging;
  const { options, environment, aws } = run;
  const repositories = resolveRepositories(run, prepared.root, prepared);
  const built = await buildApplication(packaging, how);
  const started = performance.now();
  const templates = planBuiltTemplates(prepared.root, built, buildOptionsOf(run));
  // a dry run leaves the files of the last sync as they are
  if (!options.dryRun) {
    const layout = how.layout ?? openBuildLayout(buildOptionsOf(run));
    await layout.write(prepared.root, templates);
  }
  const images = createImageStore({ aws, ...environment });
  const tools: PackageTools = {
    store,
    urlOf: await objectUrls(aws),
    locateImage: (id, image) => images.locate(id, image, repositories.uris.get(id) ?? ''),
  };
  const packaged = await planPackage(templates.stack, tools);
  environment.reporter.report({ type: 'phase', name: 'package', ms: performance.now() - started });
  const input: DeployInput = { ...deployRequest(run), template: packaged.template, templateText: packaged.text };
  const { stack, template } = prepared.deployed;
  const known = { stack, template: options.skipDeploySync ? template : undefined };
  const plan = planDeploy(input, known.stack, known.template);
  return {
    built,
    packaged,
    plan,
    hasSettings: planDeploy(input, stack, input.template).action === 'none',
    missing: () => findMissing(packaging, packaged, images),
    deploy: async ({ goneLayers }) => {
      const renewed = plan.action === 'update' ? await goneLayers() : undefined;
      const ready = renewed?.size ? await planPackage(templates.stack, { ...tools, renewed }) : packaged;
      // the uploads that began during the build are part of this one
      await upload(packaging, { packaged: ready, images, repositories, plan });
      const wanted = { ...input, template: ready.template, templateText: ready.text };
      return deployStack(aws, wanted, await deployTools(packaging), known);
    },
  };
}

async function findMissing(
  { prepared, store, webFunctions }: Packaging,
  packaged: PackagedStack,
  images: ImageStore,
): Promise<MissingInputs> {
  const found = { artifacts: [] as LocatedArtifact[], images: [] as LocatedImage[] };
  await forEachMissing(
    deploymentInputs(packaged, prepared.deployed.template),
    { store, images },
    {
      artifact: async (located) => void found.artifacts.push(located),
      image: async (located) => void found.images.push(located),
    },
  );
  const isForWeb = found.artifacts.some(({ item }) => item.kind !== 'template' && item.use === 'web-function');
  const preparation = isForWeb ? await webFunctions.lookAhead() : undefined;
  return { ...found, preparations: preparation === undefined ? [] : [preparation] };
}

async function upload(
  { run, prepared, store, early }: Packaging,
  {
    packaged,
    images,
    repositories,
    plan,
  }: { packaged: PackagedStack; images: ImageStore; repositories: ImageRepositories; plan: DeployPlan },
): Promise<void> {
  const started = performance.now();
  const { template } = prepared.deployed;
  if (plan.action !== 'none') {
    await forEachMissing(
      deploymentInputs(packaged, template),
      { store, images },
      {
        artifact: (located) => store.upload(located),
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

async function deployTools({ run, prepared, store }: Packaging): Promise<DeployTools> {
  const { reporter, signal, env } = run.environment;
  const urlOf = await objectUrls(run.aws);
  return {
    reporter,
    signal,
    confirm: async (question, plan) =>
      question === prepared.agreedTo ||
      (prepared.recreate && plan.unattended === undefined) ||
      (await confirmRecreation(plan, run)),
    uploadTemplate: async (text) => {
      const located = await store.locate({ kind: 'template', text, label: 'template' });
      await store.upload(located);
      return urlOf(located.bucket, located.key);
    },
    pollDelayMs: parsePollDelay(env),
  };
}

function deployRequest({ options }: SyncRun): Omit<DeployInput, 'template' | 'templateText'> {
  const { stackName, tags, capabilities, roleArn, notificationArns, express, parameterOverrides } = options;
  return { stackName, tags, capabilities, roleArn, notificationArns, express, parameters: parameterOverrides };
}

async function buildApplication(
  { run, prepared, early, releases }: Packaging,
  { build }: BuildReuse,
): Promise<BuildResult> {
  const { reporter, signal } = run.environment;
  const started = performance.now();
  const options = buildOptionsOf(run);
  const plan = planBuild(prepared.root, options);
  const onBuilt = run.options.dryRun ? undefined : early.add;
  const { result, failures, release } = await (build === undefined
    ? openBuilder({ reporter, signal, options, onBuilt }).build(plan)
    : build(plan, onBuilt));
  releases.push(release);
  if (failures.length > 0) throw new BuildError(failures);
  for (const { level, ids, text } of result.notes) note(reporter, level, `${ids.join(', ')}: ${text}`);
  reporter.report({ type: 'phase', name: 'build', ms: performance.now() - started });
  return result;
}
