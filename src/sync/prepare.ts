import { isAwsError } from '../aws/service-errors.ts';
import type { Reporter } from '../console/reporter.ts';
import { readDeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { answerUnasked, planByState, type RecreatePlan } from '../deploy/plan-deploy.ts';
import { UserError } from '../errors.ts';
import type { Stack } from '../model/stack.ts';
import {
  ensureManagedBucket,
  findManagedBucket,
  MANAGED_STACK_NAME,
  managedBucketIn,
} from '../deploy/managed-bucket.ts';
import { changesParameters, deployedParameters, readApplication } from './read-application.ts';
import type { SyncRun } from './sync-run.ts';

/** What a sync starts from: the application as it is here and the stack as it is there. */
export interface Prepared {
  root: Stack;
  deployed: DeployedState;
  account: string;
  region: string;
  /** Where artifacts go. */
  bucket: string;
  /** The bucket is where the deployed artifacts are, and was not asked for: to be checked before anything is sent. */
  checkBucket: (() => Promise<void>) | undefined;
  /** A stack that failed to be created is deleted and created again without another question. */
  recreate: boolean;
  /** The question of that kind that the user has answered with yes. */
  agreedTo?: string | undefined;
}

/**
 * Reads template and cloud side by side, so that nothing is built before it is known that the cloud lets us in, and asks
 * whether this is a development stack. A stack that cannot be deployed to is told here. undefined: the user said no.
 */
export async function prepare(run: SyncRun, how: PrepareOptions = {}): Promise<Prepared | undefined> {
  const { options, environment, aws } = run;
  const region = await aws.region();
  const deploying = readDeployedState(aws, options.stackName);
  // a broken template is told first; what the calls say then does not matter
  deploying.catch(() => {});
  const root = await readAsDeployed(run, { region, onRead: how.onRead, stack: async () => (await deploying).stack });
  const deployed = await deploying;
  const forced = planByState(deployed.stack);
  if (forced?.action === 'stop') throw forced.error;
  const account = deployed.stack?.account ?? (await callerAccount(run));
  const recreation = forced?.action === 'recreate' ? forced : undefined;
  if (!options.dryRun) {
    if (!(await environment.confirmDevelopmentStack({ account, region }))) return undefined;
    if (recreation && !(await confirmRecreation(recreation, run))) return undefined;
  }
  return {
    root,
    deployed,
    account,
    region,
    recreate: recreation !== undefined,
    agreedTo: recreation?.question,
    ...(await chooseBucket(run, deployed, how)),
  };
}

/** Whether a stack may be deleted and created again: as `--yes` or the user says. */
export async function confirmRecreation(plan: RecreatePlan, { options, environment }: SyncRun): Promise<boolean> {
  // nothing in the local cloud is anybody's
  if (options.local) return true;
  return options.yes ? answerUnasked(plan) : await environment.confirm({ text: plan.question, default: false });
}

/** The one given, or the managed one: where the stack's artifacts are already, it need not be asked for. */
async function chooseBucket(
  { options, environment, aws }: SyncRun,
  deployed: DeployedState,
  { askForBucket = false }: PrepareOptions,
): Promise<Pick<Prepared, 'bucket' | 'checkBucket'>> {
  const given = options.s3Bucket;
  if (given !== undefined) return { bucket: given, checkBucket: undefined };
  const known = askForBucket ? undefined : managedBucketIn(deployed.template);
  if (known !== undefined) {
    const checkBucket = async (): Promise<void> => {
      if ((await findManagedBucket(aws)) !== known) throw new ManagedBucketMovedError();
    };
    return { bucket: known, checkBucket };
  }
  const { reporter, signal } = environment;
  // a dry run makes none
  const bucket = options.dryRun
    ? ((await findManagedBucket(aws)) ?? MANAGED_STACK_NAME)
    : await ensureManagedBucket(aws, { reporter, signal });
  return { bucket, checkBucket: undefined };
}

/** The managed bucket was made anew since the last deployment: prepare again, with `askForBucket`. */
export class ManagedBucketMovedError extends UserError {
  constructor() {
    super('The managed bucket is not the one that the stack was deployed from any more', { hint: 'Sync again.' });
  }
}

/** How a sync is prepared. */
export interface PrepareOptions {
  /** Told of each file that is read, also if reading fails. */
  onRead?: ((file: string) => void) | undefined;
  /** Ask for the managed bucket even where the deployed template names it. */
  askForBucket?: boolean;
}

/**
 * Reads the templates with the values that parameters have or will have: those that are not given now keep what the stack
 * has. `onRead` is told of each file, also if reading fails.
 */
export async function readAsDeployed(
  { options, environment }: Pick<SyncRun, 'options' | 'environment'>,
  {
    region,
    stack,
    onRead,
  }: { region: string; stack(): Promise<DeployedStack | undefined>; onRead?: ((file: string) => void) | undefined },
): Promise<Stack> {
  const written = await readApplication(options, environment, { region, onRead });
  const deployed = await stack();
  const values = deployed && deployedParameters(written, deployed);
  if (!values || !changesParameters(written, values, options)) return written;
  // what is doubtful has been told
  return readApplication(options, { reporter: SILENT }, { region, deployed: values });
}

const SILENT: Reporter = { report: () => {} };

/** The account that the credentials belong to; asked only while the stack itself cannot tell. */
async function callerAccount({ aws }: SyncRun): Promise<string> {
  try {
    const { send, GetCallerIdentityCommand } = await aws.sts();
    return (await send(new GetCallerIdentityCommand({}))).Account ?? '';
  } catch (error) {
    // every identity may ask this, but an endpoint of CloudFormation alone may be all that is reachable
    if (isAwsError(error)) return '';
    throw error;
  }
}
