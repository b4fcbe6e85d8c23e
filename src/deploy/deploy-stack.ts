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
import { explainStackFailure } from './stack-failure.ts';
import { isSuccess, stackCondition } from './stack-status.ts';
import { StackMovedError, startOperation } from './start-operation.ts';

/** What is deployed, and how its template travels. */
export interface DeployInput extends DeployRequest {
  /** The text of `template`. */
  templateText: string;
  /** Where it is in S3 already, if it is. */
  templateUrl?: string | undefined;
}

/** What a deployment needs of its surroundings. */
export interface DeployTools {
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  /** Puts a template that is too long for a request where CloudFormation can read it. */
  uploadTemplate: (text: string) => Promise<string>;
  /** Asks before a stack that was never created is deleted. */
  confirm: (question: string, plan: RecreatePlan) => Promise<boolean>;
  /** Between two looks at the events (`parsePollDelay`); undefined: as fits. */
  pollDelayMs?: number | undefined;
}

/** What CloudFormation has: read once, before or beside the build. */
export interface DeployedState {
  stack: DeployedStack | undefined;
  template: Template | undefined;
}

/** How a deployment ended well. */
export interface DeployResult {
  /** As the deployment left it. */
  stack: DeployedStack;
  /** Nobody was seen to begin anything else with the stack since. */
  isLatest: boolean;
  /** Whether there was anything to create or update. */
  changed: boolean;
  durationMs: number;
}

/** CloudFormation's limit for a template within a request (bytes). */
export const MAX_INLINE_TEMPLATE = 51_200;
/** How long we wait for an operation of someone else (ms). */
const MAX_WAIT = 60 * 60_000;
/** Plans that others may thwart before we give up. */
const MAX_ROUNDS = 20;

/**
 * Reads what CloudFormation has under that name: two calls at once. GetTemplate still answers for a stack that was deleted
 * (for 90 days, by its API reference): a template counts only if there is a stack that has it.
 */
export async function readDeployedState(aws: Aws, stackName: string): Promise<DeployedState> {
  const [stack, template] = await Promise.all([describeStack(aws, stackName), readDeployedTemplate(aws, stackName)]);
  // a stack whose creation failed has a template too, but none of its resources
  const isThere = stack !== undefined && !['absent', 'never-created'].includes(stackCondition(stack.status));
  return { stack, template: isThere ? template : undefined };
}

/** Brings the stack to what is wanted: plans, acts, and plans again where someone else was faster. */
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
      note(tools.reporter, 'info', `${error.message}: looking again`);
      await pause(tools.pollDelayMs ?? 500, tools.signal);
    }
    state = await readDeployedState(aws, input.stackName);
  }
}

/** What CloudFormation says about the stack contradicts itself: its own words are all that there is to go by. */
function stillMoving(error: StackMovedError): UserError {
  const { cause } = error;
  return new UserError(cause instanceof UserError ? `${error.message}: ${cause.message}` : error.message, {
    cause,
    hint: `This was the answer ${MAX_ROUNDS} times. Sync again when nobody else changes the stack.`,
  });
}

/** Milliseconds of `SAM_CLI_POLL_DELAY` (seconds); undefined if it is not set or not a positive number. */
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

/** One step towards the goal; undefined: plan again. */
async function carryOut(aws: Aws, input: DeployInput, { plan, state, tools }: Round): Promise<Outcome | undefined> {
  const { reporter, signal, pollDelayMs } = tools;
  switch (plan.action) {
    case 'stop':
      throw plan.error;
    case 'none':
      return unchanged(state);
    case 'wait':
      note(reporter, 'info', `${plan.reason}: waiting for its end, ${MAX_WAIT / 60_000} minutes at most`);
      await waitUntilSettled(aws, state.stack?.id ?? input.stackName, {
        timeoutMs: MAX_WAIT,
        pollDelayMs,
        signal,
        reporter,
      });
      return undefined;
    case 'recreate':
      if (!(await tools.confirm(plan.question, plan))) {
        throw new UserError(plan.reason, { hint: 'It has to be deleted before it can be created. Nothing was done.' });
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
    const operation = await tellWhatGoesOn({ stackName, kind, signal, began: false }, () =>
      startOperation(aws, { kind, request: input, parameters, template, token, signal }),
    );
    if (operation instanceof StackMovedError) return { value: operation, outcome: 'unchanged' };
    if (operation === 'unchanged') return { value: unchanged(state), outcome: 'unchanged' };
    const followed = await tellWhatGoesOn({ stackName, kind, signal, began: true }, () =>
      followStack(aws, { ...tools, ...operation, stackName, token, previousChange: lastChange(state.stack) }),
    );
    return { value: checkSuccess(followed, stackName, { kind, region: await aws.region() }) };
  });
  // not a failure of the step: the next plan has one of its own
  if (result instanceof StackMovedError) throw result;
  return result;
}

function checkSuccess(
  followed: FollowResult,
  stackName: string,
  { kind, region }: { kind: 'create' | 'update'; region: string },
): Outcome {
  const { stack, isLatest, status } = followed;
  if (isSuccess(status)) {
    if (stack === undefined) throw new StackOvertakenError(stackName, stack);
    return { stack, isLatest, changed: true };
  }
  throw explainStackFailure({ stackName, region, verb: kind }, followed);
}

async function placeTemplate(
  { templateText, templateUrl }: DeployInput,
  tools: DeployTools,
): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  if (templateUrl !== undefined) return { TemplateURL: templateUrl };
  if (Buffer.byteLength(templateText) <= MAX_INLINE_TEMPLATE) return { TemplateBody: templateText };
  return { TemplateURL: await tools.uploadTemplate(templateText) };
}

interface Running {
  stackName: string;
  kind: 'create' | 'update';
  signal: AbortSignal | undefined;
  /** Whether CloudFormation has accepted the request, as far as we know. */
  began: boolean;
}

/** CloudFormation goes on without us: whoever or whatever stops us, the user has to know. */
async function tellWhatGoesOn<T>({ stackName, kind, signal, began }: Running, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const goesOn = `CloudFormation goes on to ${kind} stack ${stackName}`;
    if (signal?.aborted) {
      const cancel = kind === 'create' ? 'delete-stack' : 'cancel-update-stack';
      throw new InterruptedError(`Interrupted; ${goesOn}${began ? '' : ' if it has the request already'}`, {
        cause: error,
        hint: `Sync again to wait for its end and go on, or stop it with \`aws cloudformation ${cancel} --stack-name ${stackName}\`.`,
      });
    }
    const known = asUserError(error);
    if (!began || known === undefined) throw error;
    throw new UserError(`${known.message}; ${goesOn} meanwhile`, {
      cause: error,
      hint: `${known.hint ?? ''} Sync again to wait for its end and go on.`.trim(),
    });
  }
}

function lastChange(stack: DeployedStack | undefined): Date | undefined {
  return stack?.updatedAt ?? stack?.createdAt;
}

function unchanged({ stack }: DeployedState): Outcome {
  if (stack === undefined) throw new Error('a stack that is not there was found up to date');
  return { stack, isLatest: true, changed: false };
}

function warnOnce(plan: DeployPlan, warned: Set<string>, reporter: Reporter): void {
  if (!('warnings' in plan)) return;
  for (const warning of plan.warnings) {
    if (!warned.has(warning)) note(reporter, 'warning', warning);
    warned.add(warning);
  }
}
