import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { Aws } from '../../aws/aws.ts';
import type { Execution, ExecutionStep } from '../../ui/commands.ts';
import { requireJson } from './invoke-function.ts';

/** Pages of history to read: 5,000 events. */
const MOST_PAGES = 50;
const PAGE_SIZE = 100;

/** Starts an execution. That of an Express workflow has ended when this returns. */
export async function runStateMachine(aws: Aws, arn: string, input: string): Promise<Execution> {
  requireJson(input, 'The input');
  const service = await aws.stepFunctions();
  const { type } = await service.send(new service.DescribeStateMachineCommand({ stateMachineArn: arn }));
  if (type === 'EXPRESS') return runExpress(aws, arn, input);
  const started = await service.sendOnce(new service.StartExecutionCommand({ stateMachineArn: arn, input }));
  return describeExecution(aws, started.executionArn ?? '');
}

async function runExpress(aws: Aws, arn: string, input: string): Promise<Execution> {
  const { sendOnce, StartSyncExecutionCommand } = await aws.stepFunctions();
  const started = performance.now();
  const {
    status = '',
    output,
    error,
    cause,
  } = await sendOnce(new StartSyncExecutionCommand({ stateMachineArn: arn, input }));
  const ms = performance.now() - started;
  const note =
    'Step Functions keeps no history of Express workflows: their path is in CloudWatch Logs, if logging is on.';
  return { status, input, output, error: failureText(error, cause), ms, steps: [], note };
}

/** Reads an execution with its path. */
export async function describeExecution(aws: Aws, arn: string): Promise<Execution> {
  const { send, DescribeExecutionCommand, GetExecutionHistoryCommand } = await aws.stepFunctions();
  const now = await send(new DescribeExecutionCommand({ executionArn: arn }));
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const how = { executionArn: arn, maxResults: PAGE_SIZE, includeExecutionData: true, nextToken };
    const answer = await send(new GetExecutionHistoryCommand(how));
    events.push(...(answer.events ?? []));
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  const { status = '', input = '', output, error, cause, startDate, stopDate } = now;
  return {
    arn,
    status,
    input,
    output,
    error: failureText(error, cause),
    ms: (stopDate?.getTime() ?? Date.now()) - (startDate?.getTime() ?? Date.now()),
    steps: pathOf(events),
    note: nextToken === undefined ? undefined : `Only the first ${MOST_PAGES * PAGE_SIZE} events are shown.`,
  };
}

/** The states that an execution entered, in this order. Events of a state refer to earlier ones by their ids. Pure. */
function pathOf(events: readonly HistoryEvent[]): ExecutionStep[] {
  const steps: ExecutionStep[] = [];
  /** Event → the state that it belongs to. */
  const stepOf = new Map<number, ExecutionStep>();
  for (const event of events) {
    const { id = 0, previousEventId = 0, type = '', timestamp } = event;
    const at = timestamp?.getTime() ?? 0;
    const entered = event.stateEnteredEventDetails;
    if (entered !== undefined) {
      const name = entered.name ?? '';
      const step: ExecutionStep = { name, type: type.replace(/StateEntered$/, ''), status: 'running', start: at };
      if (entered.input !== undefined) step.input = entered.input;
      steps.push(step);
      stepOf.set(id, step);
      continue;
    }
    const exited = event.stateExitedEventDetails;
    // emulators may leave out the links between events
    const open = steps.findLast(({ name, status }) => name === exited?.name && status !== 'succeeded');
    const step = stepOf.get(previousEventId) ?? open ?? steps.findLast(({ status }) => status === 'running');
    if (step === undefined) continue;
    stepOf.set(id, step);
    if (exited !== undefined) Object.assign(step, { status: 'succeeded', end: at, output: exited.output });
    else if (/(?:Failed|TimedOut|Aborted)$/.test(type)) {
      const error = failureOf(event);
      if (step.status === 'running') Object.assign(step, { status: 'failed', end: at });
      if (error !== undefined) step.error ??= error;
    }
  }
  return steps;
}

function failureOf(event: HistoryEvent): string | undefined {
  const details =
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.executionFailedEventDetails ??
    event.executionTimedOutEventDetails ??
    event.executionAbortedEventDetails;
  return failureText(details?.error, details?.cause);
}

function failureText(error: string | undefined, cause: string | undefined): string | undefined {
  return [error, cause].filter(Boolean).join(': ') || undefined;
}
