import { describeStack } from '../../deploy/describe-stack.ts';
import { noSuchStack } from '../../cloud/cloud-stacks.ts';
import { readAsDeployed } from '../../sync/prepare.ts';
import type { Prepared } from '../../sync/prepare.ts';
import type { SyncRun } from '../../sync/sync-run.ts';

/** What `--code --watch` starts from: the stack has to be there, and nothing is made. undefined: the user said no. */
export async function prepareCode(run: SyncRun, onRead: (file: string) => void): Promise<Prepared | undefined> {
  const { options, environment, aws } = run;
  const region = await aws.region();
  const describing = describeStack(aws, options.stackName);
  // a broken template is told first
  describing.catch(() => {});
  const root = await readAsDeployed(run, { region, onRead, stack: () => describing });
  const stack = await describing;
  if (stack === undefined) throw noSuchStack(options.stackName, region);
  const { account } = stack;
  if (!(await environment.confirmDevelopmentStack({ account, region }))) return undefined;
  // where artifacts go is asked for when something is deployed
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
