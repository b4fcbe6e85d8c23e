import { describeStack } from '../../deploy/describe-stack.ts';
import { noSuchStack } from '../../cloud/cloud-stacks.ts';
import { readAsDeployed } from '../../sync/prepare.ts';
import type { Prepared } from '../../sync/prepare.ts';
import type { SyncRun } from '../../sync/sync-run.ts';

/** Prepares `--code --watch`: the stack must exist, and nothing is created. undefined: the user answered no. */
export async function prepareCode(run: SyncRun, onRead: (file: string) => void): Promise<Prepared | undefined> {
  const { options, environment, aws } = run;
  const region = await aws.region();
  const describing = describeStack(aws, options.stackName);
  // an error of the template is reported first
  describing.catch(() => {});
  const root = await readAsDeployed(run, { region, onRead, stack: () => describing });
  const stack = await describing;
  if (stack === undefined) throw noSuchStack(options.stackName, region);
  const { account } = stack;
  if (!(await environment.confirmDevelopmentStack({ account, region }))) return undefined;
  // a deployment finds the bucket when it needs it
  return {
    root,
    deployed: { stack, template: undefined },
    account,
    region,
    bucket: '',
    checkBucket: undefined,
    recreate: false,
  };
}
