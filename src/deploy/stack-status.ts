/**
 * The meaning of a stack's status for a deployment.
 *
 * ```
 *  absent ──create──▶ busy ──▶ settled ◀──update──▶ busy
 *                      │                             │
 *                      ▼                             ▼
 *                 never-created                    broken (a rollback failed)
 * ```
 */
export type StackCondition =
  /** It does not exist. */
  | 'absent'
  /** It can be updated. */
  | 'settled'
  /** An operation is running; it can be updated afterwards. */
  | 'busy'
  /** Its creation (or deletion) failed, or it only has a change set: it can only be deleted. */
  | 'never-created'
  /** An update or import and its rollback failed: it needs a fix by hand. */
  | 'broken';

const NEVER_CREATED = new Set([
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'CREATE_FAILED',
  'DELETE_FAILED',
  'REVIEW_IN_PROGRESS',
]);

/** Classifies a status of CloudFormation. An unknown one is `settled`, so that CloudFormation decides. */
export function stackCondition(status: string): StackCondition {
  if (status === 'DELETE_COMPLETE') return 'absent';
  if (NEVER_CREATED.has(status)) return 'never-created';
  if (status.endsWith('_IN_PROGRESS')) return 'busy';
  return status.endsWith('_FAILED') ? 'broken' : 'settled';
}

/** Returns whether an operation that ended with this status succeeded. */
export function isSuccess(status: string): boolean {
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE';
}

/** A stack after a failed operation. */
export interface FailedStack {
  stackName: string;
  region: string;
  status: string;
  /** Mode of the failed operation, `EXPRESS` or `STANDARD`. */
  deploymentMode?: string | undefined;
}

/** Describes the state of the stack after a failed operation, and what to do. */
export function describeFailedState(failed: FailedStack): string {
  const { stackName, region, status } = failed;
  switch (status) {
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
    case 'CREATE_FAILED':
      return `Stack ${stackName} was not created (${status}). Fix the cause and sync again; the failed stack is deleted first.`;
    case 'UPDATE_ROLLBACK_COMPLETE':
      return `Stack ${stackName} was rolled back to its previous state (${status}). Fix the cause and sync again.`;
    case 'DELETE_COMPLETE':
    case 'DELETE_IN_PROGRESS':
      return `Someone else deleted stack ${stackName}. Sync again to create it.`;
    case 'DELETE_FAILED':
      return `Stack ${stackName} is in ${status}. Fix the cause, run \`aws cloudformation delete-stack --stack-name ${stackName} --region ${region}\`, then sync again.`;
    default:
      return recoveryAdvice(failed);
  }
}

/** Returns how to make a stack updatable again. */
export function recoveryAdvice({ stackName, region, status, deploymentMode }: FailedStack): string {
  const target = `--stack-name ${stackName} --region ${region}`;
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return `Run \`aws cloudformation continue-update-rollback ${target}\`, then sync again. Add --resources-to-skip to skip resources that cannot be rolled back.`;
  }
  if (status === 'UPDATE_FAILED' && deploymentMode === 'EXPRESS') {
    return `After a failed update in express mode, CloudFormation rejects rollback-stack and every other mode. Deploy the last working template again with its parameters and capabilities: \`aws cloudformation update-stack ${target} --template-body file://TEMPLATE --deployment-config Mode=EXPRESS,DisableRollback=true\`; then sync again.`;
  }
  if (status === 'UPDATE_FAILED') return `Run \`aws cloudformation rollback-stack ${target}\`, then sync again.`;
  return `Find the cause with \`aws cloudformation describe-stack-events ${target}\`, fix it, then sync again.`;
}
