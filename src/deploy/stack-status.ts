/**
 * What a stack's status means for a deployment.
 *
 * ```
 *  absent ──create──▶ busy ──▶ settled ◀──update──▶ busy
 *                      │                             │
 *                      ▼                             ▼
 *                 never-created                    broken (a rollback failed)
 * ```
 */
export type StackCondition =
  /** There is none. */
  | 'absent'
  /** It can be updated. */
  | 'settled'
  /** Something goes on; it can be updated afterwards. */
  | 'busy'
  /** Its creation (or deletion) failed, or it only has a change set: it can only be deleted. */
  | 'never-created'
  /** An update or import and its rollback failed: someone has to mend it first. */
  | 'broken';

const NEVER_CREATED = new Set([
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'CREATE_FAILED',
  'DELETE_FAILED',
  'REVIEW_IN_PROGRESS',
]);

/** Classifies a status of CloudFormation; an unknown one is `settled`, so that CloudFormation decides. */
export function stackCondition(status: string): StackCondition {
  if (status === 'DELETE_COMPLETE') return 'absent';
  if (NEVER_CREATED.has(status)) return 'never-created';
  if (status.endsWith('_IN_PROGRESS')) return 'busy';
  return status.endsWith('_FAILED') ? 'broken' : 'settled';
}

/** Whether an operation that ended with this status did what was wanted. */
export function isSuccess(status: string): boolean {
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE';
}

/** A stack that something is wrong with. */
export interface FailedStack {
  stackName: string;
  region: string;
  status: string;
  /** `EXPRESS` or `STANDARD`: of the operation that failed. */
  deploymentMode?: string | undefined;
}

/** What the stack is now and what to do, after an operation that failed with this status. */
export function describeFailedState(failed: FailedStack): string {
  const { stackName, region, status } = failed;
  switch (status) {
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
    case 'CREATE_FAILED':
      return `Stack ${stackName} was not created (${status}). Mend the cause and sync again: what is left of it is removed first.`;
    case 'UPDATE_ROLLBACK_COMPLETE':
      return `Stack ${stackName} is as it was before (${status}). Mend the cause and sync again.`;
    case 'DELETE_COMPLETE':
    case 'DELETE_IN_PROGRESS':
      return `Stack ${stackName} was deleted by someone else meanwhile. Sync again to create it.`;
    case 'DELETE_FAILED':
      return `Stack ${stackName} could not be deleted (${status}). Fix the cause, run \`aws cloudformation delete-stack --stack-name ${stackName} --region ${region}\`, then sync again.`;
    default:
      return recoveryAdvice(failed);
  }
}

/** How a stack gets back to where it can be updated. */
export function recoveryAdvice({ stackName, region, status, deploymentMode }: FailedStack): string {
  const about = `--stack-name ${stackName} --region ${region}`;
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return `Mend it with \`aws cloudformation continue-update-rollback ${about}\`, then sync again; --resources-to-skip of that command leaves out what cannot be rolled back.`;
  }
  if (status === 'UPDATE_FAILED' && deploymentMode === 'EXPRESS') {
    return `After a failed update in express mode CloudFormation refuses rollback-stack and every other mode. Deploy the last template that worked again: \`aws cloudformation update-stack ${about} --template-body file://TEMPLATE --deployment-config Mode=EXPRESS,DisableRollback=true\`, with the parameters and capabilities that it had; then sync again.`;
  }
  if (status === 'UPDATE_FAILED')
    return `Bring it back with \`aws cloudformation rollback-stack ${about}\`, then sync again.`;
  return `See what failed with \`aws cloudformation describe-stack-events ${about}\`, mend it, then sync again.`;
}
