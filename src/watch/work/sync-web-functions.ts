import type { BuildOutcome } from '../../builder/build.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack, WebFunctionResource } from '../../model/stack.ts';
import type { CodeSync } from '../../sync/code/open-code-sync.ts';
import { isLeftToDeployment } from '../../sync/code/web-function-revisions.ts';
import { openWebFunctionUploads } from '../../sync/web-function-uploads.ts';
import { TEMPLATES_ONLY, withUndeployed } from '../application-snapshot.ts';
import type { SyncedResource } from '../loop/results.ts';
import type { SyncContext } from '../loop/watch-tasks.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { failAll } from './apply-plan.ts';
import { artifactOf } from './build-resources.ts';
import { failedBuilds } from './watch-failures.ts';

/** Web Functions to sync, and what Lambda has of them. */
export interface WebFunctionSync {
  ids: readonly ResourceIdentifier[];
  /** Makes live what differs from these builds. Rejects only if it is aborted. */
  apply(built: BuildOutcome, context: SyncContext): Promise<SyncedResource[]>;
  close(): Promise<void>;
}

/** Begins to sync those of the resources that are Web Functions: Lambda is asked what it has while they are built. */
export function startWebFunctions(
  application: WatchedApplication,
  wanted: readonly ResourceIdentifier[],
): WebFunctionSync {
  const { tools, prepared, resources, deployedRoot, run } = application.snapshot;
  const webFunctions = listWebFunctions(resources?.root).filter(({ id }) => wanted.includes(id));
  if (webFunctions.length === 0) return NOTHING;
  const opening = tools.codeSync(prepared?.deployed.stack);
  const uploads = openWebFunctionUploads(run);
  const works = webFunctions.map((web): Work => {
    const reading = isAsDeployed(deployedRoot, web)
      ? opening.then((codeSync) => codeSync.revisions.read(web))
      : Promise.resolve(UNDEPLOYED);
    // reported if the build succeeds
    reading.catch(() => {});
    return { web, reading };
  });
  return {
    ids: webFunctions.map(({ id }) => id),
    apply: async (built, context) => {
      const { revisions } = await opening;
      return Promise.all(
        works.map((work) => syncOne({ application, revisions, uploads, context }, { ...work, built })),
      );
    },
    close: () => uploads.close(),
  };
}

const UNDEPLOYED = 'its template has changes that are not deployed';

/** Whether the stack has the settings that belong to the code: its entry point may be another one. */
function isAsDeployed(deployedRoot: Stack | undefined, web: WebFunctionResource): boolean {
  const deployed = listWebFunctions(deployedRoot).find(({ id }) => id === web.id);
  return deployed !== undefined && settingsOf(deployed) === settingsOf(web);
}

function settingsOf({ properties, metadata }: WebFunctionResource): string {
  return JSON.stringify([properties, metadata]);
}

function listWebFunctions(root: Stack | undefined): WebFunctionResource[] {
  return root === undefined ? [] : flattenStacks(root).flatMap(({ webFunctions }) => webFunctions);
}

const NOTHING: WebFunctionSync = { ids: [], apply: async () => [], close: async () => {} };

interface Work {
  web: WebFunctionResource;
  reading: ReturnType<CodeSync['revisions']['read']>;
}

interface Syncing {
  application: WatchedApplication;
  revisions: CodeSync['revisions'];
  uploads: ReturnType<typeof openWebFunctionUploads>;
  context: SyncContext;
}

async function syncOne(syncing: Syncing, work: Work & { built: BuildOutcome }): Promise<SyncedResource> {
  const { application, context } = syncing;
  const { web, built } = work;
  const { id } = web;
  const failed = failedBuilds(built.failures).find((one) => one.id === id);
  if (failed !== undefined) return failed;
  const artifact = artifactOf(built.result, id);
  if (artifact !== undefined && artifact === application.snapshot.webFunctions.get(id))
    return { id, outcome: 'unchanged', isAhead: application.snapshot.revised.has(id) };
  try {
    return await makeLive(syncing, work);
  } catch (error) {
    context.signal.throwIfAborted();
    // it may have moved all the same
    application.replace((now) => ({
      ...now,
      webFunctions: new Map([...now.webFunctions].filter(([other]) => other !== id)),
    }));
    if (error instanceof Error && isLeftToDeployment(error)) return leave(application, id, error.message);
    const [failure = { id, outcome: 'failed' }] = failAll([id], error);
    return failure;
  }
}

async function makeLive(
  { application, revisions, uploads, context }: Syncing,
  { web, reading, built }: Work & { built: BuildOutcome },
): Promise<SyncedResource> {
  const { id } = web;
  const folder = built.result.folders.get(id);
  if (folder === undefined) return leave(application, id, 'its code is not built');
  const state = await reading;
  if (state === undefined) return { id, outcome: 'unchanged' };
  if (typeof state === 'string') return leave(application, id, state);
  const code = await uploads.locate(id, folder.path);
  if (code === undefined) return leave(application, id, 'the bucket for its code does not exist yet');
  const plan = revisions.plan(id, state, code);
  if (plan.action === 'wait') return leave(application, id, plan.why);
  if (plan.action !== 'none') {
    context.signal.throwIfAborted();
    context.committed();
    if (plan.action === 'create') await code.upload();
    await revisions.apply(id, plan);
  }
  const artifact = artifactOf(built.result, id) ?? '';
  const isAhead = plan.action === 'create' || (plan.action === 'none' && application.snapshot.revised.has(id));
  application.replace((now) => ({
    ...(isAhead ? withUndeployed(now, { ...TEMPLATES_ONLY, values: true }) : now),
    webFunctions: new Map([...now.webFunctions, [id, artifact]]),
    revised: withMember(now.revised, id, isAhead),
  }));
  return plan.action === 'none'
    ? { id, outcome: 'unchanged', isAhead }
    : { id, outcome: 'synced', detail: 'code', isAhead };
}

/** Only the deployment may make the change, which begins at once. */
function leave({ notes }: WatchedApplication, id: ResourceIdentifier, why: string): SyncedResource {
  notes.report('info', `${id} waits for the deployment: ${why}`);
  return { id, outcome: 'blocked' };
}

function withMember<T>(set: ReadonlySet<T>, member: T, isIn: boolean): Set<T> {
  const others = [...set].filter((other) => other !== member);
  return new Set(isIn ? [...others, member] : others);
}
