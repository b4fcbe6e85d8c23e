import { describeStack } from '../deploy/describe-stack.ts';
import type { ServiceContext } from './service-context.ts';

/** The tags that CloudFormation gives each resource of a stack. */
export async function stackTags(
  { aws, stacks }: Pick<ServiceContext, 'aws' | 'stacks'>,
  path: string,
): Promise<Readonly<Record<string, string>>> {
  if (path === '') return (await stacks.describe()).tags;
  const name = await stacks.nameOf(path);
  return (name === undefined ? undefined : await describeStack(aws, name))?.tags ?? {};
}
