import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openCloud } from '../support/open-cloud.ts';

const TEMPLATE = 'Resources: {Queue: {Type: AWS::SQS::Queue}}';

const { cloud, proxy } = await openCloud();

beforeAll(async () => {
  expect(await sync('--yes')).toMatchObject({ code: 0 });
});
afterEach(() => proxy.clear());

async function sync(...args: string[]) {
  const cwd = await tempFolder({ 'template.yaml': TEMPLATE });
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  return await runCli(['--stack-name', 'states', ...args], { cwd, env });
}

/** From now on CloudFormation says that the stack is in this state. */
function pretend(status: string, more = ''): void {
  const said = `<StackStatus>${status}</StackStatus>${more}`;
  const change = (text: string): string => text.replace(/<StackStatus>\w+<\/StackStatus>/, said);
  const isOurs = ({ body }: { body: Buffer }): boolean => body.includes('StackName=states');
  proxy.fault({ operation: 'DescribeStacks', when: isOurs }, { kind: 'change', body: change }, { times: Infinity });
}

describe('a stack that cannot be updated', () => {
  it('UPDATE_FAILED: advises to roll it back', async () => {
    pretend('UPDATE_FAILED');
    const { code, stderr } = await sync('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('aws cloudformation rollback-stack --stack-name states --region us-east-1');
  });

  it('UPDATE_FAILED in express mode, where CloudFormation refuses that: to deploy what worked in the same mode', async () => {
    pretend('UPDATE_FAILED', '<DeploymentConfig><Mode>EXPRESS</Mode></DeploymentConfig>');
    const { code, stderr } = await sync('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('CloudFormation rejects rollback-stack');
    expect(stderr).toContain('aws cloudformation update-stack --stack-name states --region us-east-1 ');
    expect(stderr).toContain('--deployment-config Mode=EXPRESS,DisableRollback=true');
  });

  it.each([['DELETE_FAILED'], ['REVIEW_IN_PROGRESS']])('%s: --yes does not delete it', async (status) => {
    pretend(status);
    for (const args of [[], ['--dry-run']]) {
      const { code, stderr } = await sync('--yes', ...args);
      expect(stderr).toContain(status);
      expect(code).toBe(args.length === 0 ? 1 : 0);
    }
    expect(proxy.count('DeleteStack')).toBe(0);
  });
});
