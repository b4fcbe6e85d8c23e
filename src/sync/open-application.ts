import { isAwsError } from '../aws/service-errors.ts';
import { noSuchStack } from '../cloud/stack-resources.ts';
import { readDeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import { describeStack } from '../deploy/describe-stack.ts';
import { answerUnasked, planByState, type RecreatePlan } from '../deploy/plan-deploy.ts';
import type { Stack } from '../model/stack.ts';
import { chooseBucket } from './deployment-bucket.ts';
import type { ArtifactBucket } from './open-stores.ts';
import { readTemplatesAsDeployed } from './read-templates.ts';
import type { SyncRun } from './sync-run.ts';

/** What a sync starts from: the application's templates and its deployed stack. */
export interface OpenedApplication extends ArtifactBucket {
  root: Stack;
  deployed: DeployedState;
  account: string;
  region: string;
  /** Delete a stack whose creation failed and create it again without another question. */
  recreate: boolean;
  /** The question about the deletion, if the user answered it with yes. */
  agreedTo?: string | undefined;
}

/** How an application is opened. */
export interface OpenOptions {
  /** Receives each file that is read, also if reading fails. */
  onRead?: ((file: string) => void) | undefined;
  /** Ask for the managed bucket even where the deployed template names it. */
  askForBucket?: boolean | undefined;
}

/**
 * Opens the application for a sync that may deploy: reads templates and cloud side by side, so that missing access fails
 * before anything is built, and asks whether this is a development stack. Rejects if the stack's state allows no deployment.
 * undefined: the user said no.
 */
export async function openApplication(run: SyncRun, how: OpenOptions = {}): Promise<OpenedApplication | undefined> {
  const { options, environment, aws } = run;
  const region = await aws.region();
  const reading = readDeployedState(aws, options.stackName);
  // a broken template is reported first, whatever these calls answer
  reading.catch(() => {});
  const stack = async (): Promise<DeployedState['stack']> => (await reading).stack;
  const root = await readTemplatesAsDeployed(run, { region, onRead: how.onRead, stack, deployTo: stack });
  const deployed = await reading;
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

/**
 * Opens the application for a watch that only syncs code: the stack must exist, nothing is created, and a bucket is chosen
 * once something is deployed. undefined: the user said no.
 */
export async function openDeployedApplication(
  run: SyncRun,
  { onRead }: Pick<OpenOptions, 'onRead'>,
): Promise<OpenedApplication | undefined> {
  const { options, environment, aws } = run;
  const region = await aws.region();
  const describing = describeStack(aws, options.stackName);
  // a broken template is reported first
  describing.catch(() => {});
  const root = await readTemplatesAsDeployed(run, { region, onRead, stack: () => describing });
  const stack = await describing;
  if (stack === undefined) throw noSuchStack(options.stackName, region);
  const { account } = stack;
  if (!(await environment.confirmDevelopmentStack({ account, region }))) return undefined;
  return { root, deployed: { stack, template: undefined }, account, region, bucket: '', recreate: false };
}

/** Asks whether a stack may be deleted and created again, unless `--yes` or the local cloud answers. */
export async function confirmRecreation(plan: RecreatePlan, { options, environment }: SyncRun): Promise<boolean> {
  if (options.local) return true;
  if (options.yes) return answerUnasked(plan);
  if (plan.unattended === undefined) return await environment.confirm({ text: plan.question, default: false });
  // not `y`: an IDE may write it into the pipe again and again, to answer another question
  if ((await environment.askText(plan.question)).trim() !== options.stackName) throw plan.unattended;
  return true;
}

/** The account of the credentials, for a stack that does not exist yet; empty if STS cannot be reached. */
async function callerAccount({ aws }: SyncRun): Promise<string> {
  try {
    const { send, GetCallerIdentityCommand } = await aws.sts();
    return (await send(new GetCallerIdentityCommand({}))).Account ?? '';
  } catch (error) {
    // every identity may call this, but a custom endpoint may serve CloudFormation alone
    if (isAwsError(error)) return '';
    throw error;
  }
}
