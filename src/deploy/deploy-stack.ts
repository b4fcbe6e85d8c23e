import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.ts';
import { note, step, type Reporter } from '../console/reporter.ts';
import { InterruptedError, UserError } from '../errors.ts';
import { asUserError } from '../system-errors.ts';
import type { Template } from '../template/template.ts';
import { deleteStack } from './delete-stack.ts';
import { describeStack, readDeployedTemplate, type DeployedStack } from './describe-stack.ts';
import { followStack, waitUntilSettled, type FollowResult } from './follow-stack.ts';
import { pause } from '../support/pause.ts';
import { planDeploy, type DeployPlan, type DeployRequest, type RecreatePlan } from './plan-deploy.ts';
import { StackOvertakenError } from './require-latest.ts';
import { readFirstCause } from './failed-events.ts';
import { explainStackFailure } from './stack-failure.ts';
import { isSuccess, stackCondition } from './stack-status.ts';
import { StackMovedError, startOperation } from './start-operation.ts';

/** A deployment and the text of its template. */
export interface DeployInput extends DeployRequest {
  /** The text of `template`. */
  templateText: string;
  /** URL of the template, if it is already in S3. */
  templateUrl?: string | undefined;
}

/** What a deployment needs from its caller. */
export interface DeployTools {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  /** Uploads a template that is too long for a request and returns its URL. */
  uploadTemplate: (text: string) => Promise<string>;
  /** Asks before it deletes a stack whose creation never succeeded. */
  confirm: (question: string, plan: RecreatePlan) => Promise<boolean>;
  /** Interval between two reads of the events (`parsePollDelay`); undefined: adaptive. */
  pollDelayMs?: number | undefined;
}

/** The deployed stack and template. */
export interface DeployedState {
  stack: DeployedStack | undefined;
  template: Template | undefined;
}

/** The result of a successful deployment. */
export interface DeployResult {
  /** The stack after the deployment. */
  stack: DeployedStack;
  /** No later operation on the stack was seen. */
  isLatest: boolean;
  /** Whether the deployment created or updated anything. */
  changed: boolean;
  durationMs: number;
}

/** CloudFormation's limit for a template in a request (bytes). */
export const MAX_INLINE_TEMPLATE = 51_200;
/** The longest wait for an operation that another process started (ms). */
const MAX_WAIT = 60 * 60_000;
/** The most plans that concurrent operations may invalidate. */
const MAX_ROUNDS = 20;

/**
 * Reads stack and template of this name, with two parallel calls. Ignores the template of a deleted stack, which GetTemplate
 * returns for 90 days (API reference).
 */
export async function readDeployedState(aws: Aws, stackName: string): Promise<DeployedState> {
  const [stack, template] = await Promise.all([describeStack(aws, stackName), readDeployedTemplate(aws, stackName)]);
  // a stack whose creation failed has a template but no resources
  const isDeployed = stack !== undefined && !['absent', 'never-created'].includes(stackCondition(stack.status));
  return { stack, template: isDeployed ? template : undefined };
}

/** Deploys the stack: plans, acts, and plans again if a concurrent operation changed the stack. */
export async function deployStack(
  aws: Aws,
  input: DeployInput,
  tools: DeployTools,
  known?: DeployedState,
): Promise<DeployResult> {
  const started = performance.now();
  const warned = new Set<string>();
  let state = known ?? (await readDeployedState(aws, input.stackName));
  for (let round = 1; ; round++) {
    const plan = planDeploy(input, state.stack, state.template);
    warnOnce(plan, warned, tools.reporter);
    try {
      const result = await carryOut(aws, input, { plan, state, tools });
      if (result !== undefined) return { ...result, durationMs: performance.now() - started };
    } catch (error) {
      if (!(error instanceof StackMovedError)) throw error;
      if (round === MAX_ROUNDS) throw stillMoving(error);
      note(tools.reporter, 'info', `${error.message}: checking the stack again`);
      await pause(tools.pollDelayMs ?? 500, tools.signal);
    }
    state = await readDeployedState(aws, input.stackName);
  }
}

/** Creates the error for answers of CloudFormation that keep contradicting each other. */
function stillMoving(error: StackMovedError): UserError {
  const { cause } = error;
  return new UserError(cause instanceof UserError ? `${error.message}: ${cause.message}` : error.message, {
    cause,
    hint: `CloudFormation gave this answer ${MAX_ROUNDS} times. Sync again when no other process changes the stack.`,
  });
}

/** Returns `SAM_CLI_POLL_DELAY` (seconds) in milliseconds; undefined if it is not a positive number. */
export function parsePollDelay(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const seconds = Number(env['SAM_CLI_POLL_DELAY']);
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

type Outcome = Omit<DeployResult, 'durationMs'>;

interface Round {
  plan: DeployPlan;
  state: DeployedState;
  tools: DeployTools;
}

/** Carries out a plan. Returns undefined if it has to be followed by a new plan. */
async function carryOut(aws: Aws, input: DeployInput, { plan, state, tools }: Round): Promise<Outcome | undefined> {
  const { reporter, signal, pollDelayMs } = tools;
  switch (plan.action) {
    case 'stop':
      throw plan.error;
    case 'none':
      return unchanged(state);
    case 'wait':
      note(reporter, 'info', `${plan.reason}: waiting for it to finish (${MAX_WAIT / 60_000} minutes at most)`);
      await waitUntilSettled(aws, state.stack?.id ?? input.stackName, {
        timeoutMs: MAX_WAIT,
        pollDelayMs,
        signal,
        reporter,
      });
      return undefined;
    case 'recreate':
      if (!(await tools.confirm(plan.question, plan))) {
        throw new UserError(plan.reason, {
          hint: 'Nothing was changed. The stack must be deleted before it can be created again.',
        });
      }
      if (state.stack !== undefined) await deleteStack(aws, state.stack, tools);
      return undefined;
    default:
      return await change(aws, input, { plan, state, tools });
  }
}

async function change(
  aws: Aws,
  input: DeployInput,
  { plan, state, tools }: Round & { plan: Extract<DeployPlan, { action: 'create' | 'update' }> },
): Promise<Outcome> {
  const { stackName } = input;
  const kind = plan.action;
  const start = { kind, id: `deploy:${stackName}`, label: `stack ${stackName}` };
  const result = await step<Outcome | StackMovedError>(tools.reporter, start, async () => {
    const template = await placeTemplate(input, tools);
    const token = `sam-sync-${randomUUID()}`;
    const { parameters } = plan;
    const { signal } = tools;
    const operation = await reportContinuing({ stackName, kind, signal, began: false }, () =>
      startOperation(aws, { kind, request: input, parameters, template, token, signal }),
    );
    if (operation instanceof StackMovedError) return { value: operation, outcome: 'unchanged' };
    if (operation === 'unchanged') return { value: await describeUnchanged(aws, stackName), outcome: 'unchanged' };
    const followed = await reportContinuing({ stackName, kind, signal, began: true }, () =>
      followStack(aws, { ...tools, ...operation, stackName, token, previousChange: lastChange(state.stack) }),
    );
    return { value: await checkSuccess(aws, followed, { stackName, kind, stackId: operation.stackId, token }) };
  });
  // not a failure of the step: the next plan starts a new one
  if (result instanceof StackMovedError) throw result;
  return result;
}

async function checkSuccess(
  aws: Aws,
  followed: FollowResult,
  { stackName, kind, ...operation }: { stackName: string; kind: 'create' | 'update'; stackId: string; token: string },
): Promise<Outcome> {
  const { stack, isLatest, status } = followed;
  if (isSuccess(status)) {
    if (stack === undefined) throw new StackOvertakenError(stackName, stack);
    return { stack, isLatest, changed: true };
  }
  const cause = await readFirstCause(aws, operation, followed.events);
  throw explainStackFailure({ stackName, region: await aws.region(), verb: kind }, followed, cause);
}

async function placeTemplate(
  { templateText, templateUrl }: DeployInput,
  tools: DeployTools,
): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  if (templateUrl !== undefined) return { TemplateURL: templateUrl };
  if (Buffer.byteLength(templateText) <= MAX_INLINE_TEMPLATE) return { TemplateBody: templateText };
  return { TemplateURL: await tools.uploadTemplate(templateText) };
}

interface RunningOperation {
  stackName: string;
  kind: 'create' | 'update';
  signal: AbortSignal | undefined;
  /** CloudFormation is known to have accepted the request. */
  began: boolean;
}

/** Adds to an error of `work` that CloudFormation continues the operation. */
async function reportContinuing<T>(
  { stackName, kind, signal, began }: RunningOperation,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const continues = `CloudFormation continues to ${kind} stack ${stackName}`;
    if (signal?.aborted) {
      const cancel = kind === 'create' ? 'delete-stack' : 'cancel-update-stack';
      throw new InterruptedError(`Interrupted; ${continues}${began ? '' : ' if it has received the request'}`, {
        cause: error,
        hint: `Sync again to wait for it and continue, or stop it with \`aws cloudformation ${cancel} --stack-name ${stackName}\`.`,
      });
    }
    const userError = asUserError(error);
    if (!began || userError === undefined) throw error;
    throw new UserError(`${userError.message}; ${continues}`, {
      cause: error,
      hint: `${userError.hint ?? ''} Sync again to wait for it and continue.`.trim(),
    });
  }
}

function lastChange(stack: DeployedStack | undefined): Date | undefined {
  return stack?.updatedAt ?? stack?.createdAt;
}

/** CloudFormation found nothing to update where the plan did: someone else may have deployed the same just now. */
async function describeUnchanged(aws: Aws, stackName: string): Promise<Outcome | StackMovedError> {
  const stack = await describeStack(aws, stackName);
  return stack === undefined ? new StackMovedError(`Someone else deleted stack ${stackName}`) : unchanged({ stack });
}

function unchanged({ stack }: Pick<DeployedState, 'stack'>): Outcome {
  if (stack === undefined) throw new Error('a missing stack cannot be up to date');
  return { stack, isLatest: true, changed: false };
}

function warnOnce(plan: DeployPlan, warned: Set<string>, reporter: Reporter): void {
  if (!('warnings' in plan)) return;
  for (const warning of plan.warnings) {
    if (!warned.has(warning)) note(reporter, 'warning', warning);
    warned.add(warning);
  }
}
