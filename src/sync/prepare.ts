import { isAwsError } from '../aws/service-errors.ts';
import { note } from '../console/reporter.ts';
import type { TemplateProblem } from '../errors.ts';
import { readDeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import { planByState } from '../deploy/plan-deploy.ts';
import { readStacks } from '../model/read-stacks.ts';
import type { Stack } from '../model/stack.ts';
import { ensureManagedBucket, findManagedBucket } from '../package/managed-bucket.ts';
import type { SyncRun } from './sync-run.ts';

/** What a sync starts from: the application as it is here and the stack as it is there. */
export interface Prepared {
  root: Stack;
  deployed: DeployedState;
  account: string;
  region: string;
  /** Where artifacts go. */
  bucket: string;
  /** The stack was never created; the user agreed to delete it and create it anew. */
  recreate: boolean;
}

/**
 * Reads template and cloud side by side, so that nothing is built before it is known that the cloud lets us in, and asks
 * whether this is a development stack. A stack that cannot be deployed to is told here. undefined: the user said no.
 */
export async function prepare(run: SyncRun): Promise<Prepared | undefined> {
  const { options, outside, aws } = run;
  const region = await aws.region();
  const deploying = readDeployedState(aws, options.stackName);
  const managed = options.s3Bucket === undefined ? findManagedBucket(aws) : undefined;
  // a broken template is told first; what the calls say then does not matter
  deploying.catch(() => {});
  managed?.catch(() => {});
  const root = await readApplication(run, region);
  const deployed = await deploying;
  const forced = planByState(deployed.stack);
  if (forced?.action === 'stop') throw forced.error;
  const account = deployed.stack?.account ?? (await callerAccount(run));
  if (!(await outside.confirmDevelopmentStack({ account, region }))) return undefined;
  const recreate = forced?.action === 'recreate';
  if (recreate && !(await outside.confirm({ text: forced.question, default: false }))) return undefined;
  const { reporter, signal } = outside;
  const bucket = options.s3Bucket ?? (await managed) ?? (await ensureManagedBucket(aws, { reporter, signal }));
  return { root, deployed, account, region, bucket, recreate };
}

async function readApplication({ options, outside }: SyncRun, region: string): Promise<Stack> {
  const { templateFile, baseDir, parameterOverrides, languageExtensions, projectDir, stackName } = options;
  const started = performance.now();
  const { root, warnings } = await readStacks({
    templateFile,
    baseDir,
    parameterOverrides,
    languageExtensions,
    cwd: projectDir,
    pseudo: { region, stackName },
  });
  for (const warning of warnings) note(outside.reporter, 'warning', describeWarning(warning));
  outside.reporter.report({ type: 'phase', name: 'read templates', ms: performance.now() - started });
  return root;
}

function describeWarning({ file, line, message }: TemplateProblem): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}: ${message}`;
}

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
