import { isAwsError } from '../aws/service-errors.ts';

/*
 * CloudFormation rejects nearly every request with the code `ValidationError`; only the message says why. The same words
 * appear in other messages ("S3 error: The specified key does not exist", "parameter value sg-1 for parameter name Group
 * does not exist"), so these functions match the whole message and the requested name. Messages of the service, by
 * operation:
 *
 *   DescribeStacks, GetTemplate, ListStackResources   Stack with id NAME does not exist
 *   UpdateStack, DescribeStackEvents                  Stack [NAME] does not exist (earlier: Stack:NAME does not exist)
 *   DescribeStackResource                             Stack 'NAME' does not exist; Resource ID does not exist for stack NAME
 *   UpdateStack                                       Stack:ARN is in STATUS state and can not be updated.
 *                                                     No updates are to be performed.
 */

/** Returns whether CloudFormation answered that the requested stack (name or ARN) does not exist. */
export function isNoSuchStack(error: unknown, stack: string): boolean {
  const [, named] = /^Stack(?: with id )?([^]+) does not exist\.?$/.exec(validationMessage(error)) ?? [];
  return named !== undefined && isSameStack(named, stack);
}

/** Returns whether CloudFormation answered that the stack (name or ARN) has no resource with that logical ID. */
export function isNoSuchResource(error: unknown, { stack, logicalId }: { stack: string; logicalId: string }): boolean {
  const [, resource, named] =
    /^Resource ([^ ]+) does not exist (?:for|in) stack ([^ ]+?)\.?$/.exec(validationMessage(error)) ?? [];
  return resource !== undefined && bare(resource) === logicalId && isSameStack(named ?? '', stack);
}

/** Returns whether CloudFormation answered that there is nothing to update. */
export function isNothingToUpdate(error: unknown): boolean {
  return /^No updates are to be performed\.?$/.test(validationMessage(error));
}

/** Returns the status of a running operation (`UPDATE_IN_PROGRESS`) because of which CloudFormation rejected the request. */
export function busyStatus(error: unknown, stack: string): string | undefined {
  const [, named, status] =
    /^Stack(.+) is in (\w+_IN_PROGRESS) state and can ?not be \w+\.?$/.exec(validationMessage(error)) ?? [];
  return named !== undefined && isSameStack(named, stack) ? status : undefined;
}

function validationMessage(error: unknown): string {
  return isAwsError(error, 'ValidationError') ? error.serviceMessage.trim() : '';
}

/** Compares stacks: the service may answer with the ARN for a name, and with the name for an ARN. */
function isSameStack(named: string, requested: string): boolean {
  const name = bare(named);
  return name === requested || (isArn(name) !== isArn(requested) && stackNameOf(name) === stackNameOf(requested));
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
