import { build } from '../build/build.ts';
import { buildStoreDir } from '../build/build-options.ts';
import type { BuildOptions } from '../build/build-options.ts';
import { writeBuiltTemplates } from '../build/built-templates.ts';
import { planBuild } from '../build/plan-build.ts';
import { formatBytes, formatDuration } from '../console/format.ts';
import { note } from '../console/reporter.ts';
import { deployStack, parsePollDelay } from '../deploy/deploy-stack.ts';
import type { DeployInput, DeployResult } from '../deploy/deploy-stack.ts';
import { planDeploy } from '../deploy/plan-deploy.ts';
import { UserError } from '../errors.ts';
import type { BuiltStack } from '../model/built-stack.ts';
import { flattenStacks } from '../model/stack.ts';
import type { Stack } from '../model/stack.ts';
import { createArtifactStore } from '../package/artifact-store.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import { objectUrls } from '../package/object-urls.ts';
import { createObjectStore } from '../package/object-store.ts';
import type { ObjectStore } from '../package/object-store.ts';
import { planPackage } from '../package/package-templates.ts';
import { createEarlyUploads } from './early-uploads.ts';
import type { EarlyUploads } from './early-uploads.ts';
import { missingUploads } from './missing-uploads.ts';
import { prepare } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import type { SyncRun } from './sync-run.ts';

/** Builds, packages and deploys the whole application through CloudFormation; does only what is needed. */
export async function syncInfrastructure(run: SyncRun): Promise<object> {
  const started = performance.now();
  const prepared = await prepare(run);
  if (prepared === undefined) {
    note(run.outside.reporter, 'info', 'Nothing was done.');
    return { status: 'cancelled' };
  }
  refuseImages(prepared.root);
  const objects = createObjectStore({
    aws: run.aws,
    bucket: prepared.bucket,
    kmsKeyId: run.options.kmsKeyId,
    metadata: run.options.metadata,
    reporter: run.outside.reporter,
    signal: run.outside.signal,
  });
  const store = openStore(run, prepared, objects);
  try {
    const result = await buildAndDeploy(run, prepared, { store, objects });
    return report(run, prepared, { result, objects, ms: performance.now() - started });
  } finally {
    await store.dispose();
  }
}

interface Stores {
  store: ArtifactStore;
  objects: ObjectStore;
}

function openStore(run: SyncRun, { bucket }: Prepared, objects: ObjectStore): ArtifactStore {
  return createArtifactStore({
    objects,
    bucket,
    prefix: run.options.s3Prefix,
    storeDir: buildStoreDir(run.options.projectDir),
    signal: run.outside.signal,
  });
}

async function buildAndDeploy(run: SyncRun, prepared: Prepared, { store }: Stores): Promise<DeployResult> {
  const { options, outside, aws } = run;
  const known = options.skipDeploySync ? prepared.deployed : { ...prepared.deployed, template: undefined };
  const early = createEarlyUploads(store, prepared.deployed);
  const built = await buildApplication(run, prepared.root, early.add);
  const packaging = performance.now();
  const packaged = await planPackage(built, { store, urlOf: await objectUrls(aws) });
  outside.reporter.report({ type: 'phase', name: 'package', ms: performance.now() - packaging });
  const input: DeployInput = { ...deployRequest(run), template: packaged.template, templateText: packaged.text };
  const uploading = performance.now();
  // the uploads that began during the build are part of this one
  if (planDeploy(input, known.stack, known.template).action !== 'none') {
    await Promise.all(missingUploads(packaged, prepared.deployed.template).map((artifact) => store.upload(artifact)));
  }
  await early.done();
  outside.reporter.report({ type: 'phase', name: 'upload', ms: performance.now() - uploading });
  const urlOf = await objectUrls(aws);
  return deployStack(
    aws,
    input,
    {
      reporter: outside.reporter,
      signal: outside.signal,
      confirm: async (text) => prepared.recreate || outside.confirm({ text, default: false }),
      uploadTemplate: async (text) => {
        const located = await store.locate({ kind: 'template', text, label: 'template' });
        await store.upload(located);
        return urlOf(located.bucket, located.key);
      },
      pollDelayMs: parsePollDelay(outside.env),
    },
    known,
  );
}

function deployRequest({ options }: SyncRun): Omit<DeployInput, 'template' | 'templateText'> {
  const { stackName, tags, capabilities, roleArn, notificationArns, express, parameterOverrides } = options;
  return { stackName, tags, capabilities, roleArn, notificationArns, express, parameters: parameterOverrides };
}

async function buildApplication(
  { options, outside }: SyncRun,
  root: Stack,
  onBuilt: EarlyUploads['add'],
): Promise<BuiltStack> {
  const { reporter, signal, env } = outside;
  const started = performance.now();
  const buildOptions: BuildOptions = {
    projectDir: options.projectDir,
    stackName: options.stackName,
    dependencyLayer: options.dependencyLayer,
    buildInSource: options.buildInSource,
    env,
  };
  const result = await build(planBuild(root, buildOptions), { reporter, signal, options: buildOptions, onBuilt });
  for (const { level, ids, text } of result.notes) note(reporter, level, `${ids.join(', ')}: ${text}`);
  const built = await writeBuiltTemplates(root, result, buildOptions);
  reporter.report({ type: 'phase', name: 'build', ms: performance.now() - started });
  return built;
}

function refuseImages(root: Stack): void {
  const images = flattenStacks(root).flatMap((stack) =>
    stack.functions.filter(({ code }) => code.kind === 'image' || code.kind === 'image-archive'),
  );
  if (images.length === 0) return;
  throw new UserError(`${images.map(({ id }) => id).join(', ')}: container images are not built by this version yet`, {
    hint: 'Push the image yourself and give its URI as ImageUri, or use `sam sync` of AWS SAM CLI for this application.',
  });
}

interface Outcome {
  result: DeployResult;
  objects: ObjectStore;
  ms: number;
}

function report(run: SyncRun, { account, region }: Prepared, { result, objects, ms }: Outcome): object {
  const { stackName } = run.options;
  const { reporter } = run.outside;
  const { outputs, changed, status, stackId } = result;
  reporter.report({ type: 'outputs', stackName, outputs: [...outputs] });
  const sent = objects.sent.objects === 0 ? '' : `, ${formatBytes(objects.sent.bytes)} uploaded`;
  const what = changed ? `Stack ${stackName} is in sync` : `Stack ${stackName} is up to date, nothing was deployed`;
  note(reporter, 'success', `${what} (${formatDuration(ms)}${sent}).`);
  return {
    status: changed ? 'deployed' : 'unchanged',
    stackId,
    stackStatus: status,
    account,
    region,
    outputs: Object.fromEntries(outputs.map(({ key, value }) => [key, value])),
    uploaded: objects.sent,
    durationMs: Math.round(ms),
  };
}
