import { isAwsError } from '../aws/service-errors.ts';

/*
 * CloudFormation answers nearly every refused request with the one code `ValidationError`; only the message says which
 * refusal it is. The same words appear in messages about other things ("S3 error: The specified key does not exist",
 * "parameter value sg-1 for parameter name Group does not exist"), so a message counts only if the whole of it has the
 * service's shape and names exactly what was asked about. Messages seen in the service, by operation:
 *
 *   DescribeStacks, GetTemplate, ListStackResources   Stack with id NAME does not exist
 *   UpdateStack, DescribeStackEvents                  Stack [NAME] does not exist (earlier: Stack:NAME does not exist)
 *   DescribeStackResource                             Stack 'NAME' does not exist; Resource ID does not exist for stack NAME
 *   UpdateStack                                       Stack:ARN is in STATUS state and can not be updated.
 *                                                     No updates are to be performed.
 */

/** Whether CloudFormation says that there is no such stack. `stack`: the name or ARN that was asked about. */
export function isNoSuchStack(error: unknown, stack: string): boolean {
  const [, named] = /^Stack(?: with id )?([^]+) does not exist\.?$/.exec(validationMessage(error)) ?? [];
  return named !== undefined && isSameStack(named, stack);
}

/** Whether CloudFormation says that the stack (name or ARN) has no resource of that logical id. */
export function isNoSuchResource(error: unknown, { stack, logicalId }: { stack: string; logicalId: string }): boolean {
  const [, resource, named] =
    /^Resource ([^ ]+) does not exist (?:for|in) stack ([^ ]+?)\.?$/.exec(validationMessage(error)) ?? [];
  return resource !== undefined && bare(resource) === logicalId && isSameStack(named ?? '', stack);
}

/** Whether CloudFormation says that the stack already is as the request wants it. */
export function isNothingToUpdate(error: unknown): boolean {
  return /^No updates are to be performed\.?$/.test(validationMessage(error));
}

/** The status (`UPDATE_IN_PROGRESS`) of the stack's operation because of which CloudFormation refused this one. */
export function busyStatus(error: unknown, stack: string): string | undefined {
  const [, named, status] =
    /^Stack(.+) is in (\w+_IN_PROGRESS) state and can ?not be \w+\.?$/.exec(validationMessage(error)) ?? [];
  return named !== undefined && isSameStack(named, stack) ? status : undefined;
}

function validationMessage(error: unknown): string {
  return isAwsError(error, 'ValidationError') ? error.serviceMessage.trim() : '';
}

/** Of a stack that was asked for by its name the service may say the ARN, and the other way round. */
function isSameStack(named: string, asked: string): boolean {
  const name = bare(named);
  return name === asked || (isArn(name) !== isArn(asked) && stackNameOf(name) === stackNameOf(asked));
}

function isArn(stack: string): boolean {
  return stack.startsWith('arn:');
}

/** `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID` → `NAME` */
function stackNameOf(stack: string): string {
  return isArn(stack) ? (stack.split('/')[1] ?? stack) : stack;
}

/** `[x]`, `'x'` or `:x` → `x` */
function bare(text: string): string {
  return text
    .trim()
    .replace(/^:?\s*(?:\[(.*)\]|'(.*)'|"(.*)")$/, '$1$2$3')
    .replace(/^:\s*/, '');
}
