import type { Aws } from '../../aws/aws.ts';
import { listStackResources } from '../../cloud/stack-resources.ts';
import { UserError } from '../../errors.ts';
import { identifierOf } from '../../model/stack.ts';
import { nearestName } from '../../support/nearest-name.ts';
import { STACK_TYPE } from '../../template/kinds/cloudformation.ts';
import { isBuiltAs } from '../../template/kinds/kinds.ts';

/** A function that is deployed to the local cloud. */
export interface LocalFunction {
  /** `Hello`, or `Child/Hello` in a nested stack. */
  id: string;
  /** Its root stack. */
  stackName: string;
  functionName: string;
}

/** Lists the functions of all stacks of the local cloud. */
export async function listLocalFunctions(aws: Aws): Promise<LocalFunction[]> {
  const { send, DescribeStacksCommand } = await aws.cloudFormation();
  const functions: LocalFunction[] = [];
  let token: string | undefined;
  do {
    const page = await send(new DescribeStacksCommand({ NextToken: token }));
    for (const { StackName = '', ParentId } of page.Stacks ?? []) {
      if (!ParentId)
        functions.push(...(await listFunctions(aws, { stackName: StackName, path: '', stack: StackName })));
    }
    token = page.NextToken;
  } while (token !== undefined);
  return functions;
}

async function listFunctions(
  aws: Aws,
  { stackName, path, stack }: { stackName: string; path: string; stack: string },
): Promise<LocalFunction[]> {
  const functions: LocalFunction[] = [];
  for (const [logicalId, { type, physicalId }] of Object.entries(await listStackResources({ aws, stackName }, stack))) {
    const id = identifierOf(path, logicalId);
    if (isBuiltAs(type, 'function')) functions.push({ id, stackName, functionName: physicalId });
    if (type === STACK_TYPE) {
      functions.push(...(await listFunctions(aws, { stackName, path: id, stack: physicalId })));
    }
  }
  return functions;
}

/** Finds a function by its logical ID (`Child/Id` in a nested stack) or by its name in Lambda. */
export function pickFunction(
  functions: readonly LocalFunction[],
  name: string,
  stackName: string | undefined,
): LocalFunction {
  const candidates = functions.filter((fn) => stackName === undefined || fn.stackName === stackName);
  const found = candidates.filter(({ id, functionName }) => id === name || functionName === name);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  if (another !== undefined) {
    const stacks = found.map((fn) => fn.stackName).join(', ');
    throw new UserError(`${name} is in several stacks of the local cloud: ${stacks}`, {
      hint: `Name one of them with --stack-name.`,
    });
  }
  const where = stackName === undefined ? 'The local cloud' : `Stack ${stackName} of the local cloud`;
  const ids = [...new Set(candidates.map(({ id }) => id))];
  const nearest = ids.find((id) => id.endsWith(`/${name}`)) ?? nearestName(name, ids);
  const list = ids.length === 0 ? 'It has none: deploy with `sam-sync --local`.' : `It has ${ids.join(', ')}.`;
  throw new UserError(`${where} has no function ${name}`, {
    hint: nearest === undefined ? list : `Did you mean ${nearest}?`,
  });
}
