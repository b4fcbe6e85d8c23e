import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { NoSuchStackError } from '../../../cloud/stack-resources.ts';
import { recordAttempt } from '../../../cloud/recent-sends.ts';
import { note } from '../../../console/reporter.ts';
import type { FunctionResource } from '../../../model/stack.ts';
import { restoreCode, sendAhead, stateOf } from '../../../services/lambda/code-ahead.ts';
import type { CodeAhead, Restored, SentAhead } from '../../../services/lambda/code-ahead.ts';
import { shownCode } from '../../../services/lambda/function-code.ts';
import type { PackedCode } from '../../../services/lambda/pack-code.ts';
import type { ServiceContext } from '../../../services/service-context.ts';
import type { CodeSyncPlan } from '../code-sync-plan.ts';
import type { LocatedSync } from '../plan-code-sync.ts';
import { planAhead } from './trusted-function.ts';
import type { Trust } from './trusted-function.ts';

/** Code that may be on its way to a function while CloudFormation is asked for it. */
export interface AheadOfAnswer {
  /** CloudFormation has answered. Returns Lambda's answer if it is the stack's function that has the code. */
  confirm(sync: LocatedSync): Promise<FunctionConfiguration | undefined>;
  /** The sync ends without an update: with the error of CloudFormation, or because the user refused it. */
  withdraw(error?: unknown): Promise<void>;
}

/** A request that was sent, and what became of it. */
interface Attempt {
  ahead: CodeAhead;
  sent: SentAhead;
}

/** Sends the code as soon as it is packed, if the function can be trusted and CloudFormation has not answered yet. */
export function startAhead(
  tools: ServiceContext,
  trust: Trust,
  { resource, packing }: { resource: FunctionResource; packing: Promise<PackedCode> },
): AheadOfAnswer {
  let isAnswered = false;
  let sending: Promise<Attempt> | undefined;
  const send = async (): Promise<void> => {
    const packed = await packing;
    const ahead = isAnswered ? undefined : planAhead(trust, resource, packed);
    if (ahead === undefined) return;
    sending = sendAhead(tools, ahead).then((sent) => ({ ahead, sent }));
    await sending;
  };
  // the build is awaited by the plan, and the request below
  send().catch(() => {});
  return {
    confirm: async ({ planning, located }) => {
      isAnswered = true;
      const attempt = await sending;
      if (attempt === undefined) return undefined;
      const { ahead, sent } = attempt;
      const { name } = ahead.known;
      const there = located.find(({ resource: { id } }) => id === trust.id)?.deployed.physicalId;
      if (there !== name) {
        const now = there === undefined ? '' : `: ${trust.id} is ${there} now`;
        await putBack(tools, attempt, `${name} is no longer in the stack${now}`);
        return undefined;
      }
      const state = stateOf(ahead.known);
      if (sent.kind === 'accepted') {
        planning.tools.lambda.presume(state);
        return sent.answer;
      }
      if (sent.mayBeThere) {
        planning.tools.lambda.forget();
        recordAttempt(planning.tools.facts, { shown: shownCode(state), value: ahead.update.code.artifact.sha256 });
      }
      return undefined;
    },
    withdraw: async (error) => {
      isAnswered = true;
      if (tools.signal.aborted) return;
      const attempt = await sending;
      if (attempt === undefined) return;
      const { name } = attempt.ahead.known;
      if (error === undefined) await putBack(tools, attempt, `${name} is not to be synced`);
      else if (error instanceof NoSuchStackError) await putBack(tools, attempt, `${name} is no longer in the stack`);
      else if (attempt.sent.kind === 'accepted') warnUnconfirmed(tools, trust.id, name);
    },
  };
}

/** Marks the code update of the plan as sent. */
export function withAnswer(plan: CodeSyncPlan, answer: FunctionConfiguration): CodeSyncPlan {
  const functions = plan.work.functions.map((fn) =>
    fn.code === undefined || fn.code.FunctionName !== answer.FunctionName
      ? fn
      : { ...fn, code: { ...fn.code, answer } },
  );
  return { ...plan, work: { ...plan.work, functions } };
}

/** Puts the code of a function back that should not have received any, and reports why. */
async function putBack(tools: ServiceContext, { ahead, sent }: Attempt, why: string): Promise<void> {
  const restored = await restoreCode(tools, ahead, sent);
  if (restored.kind !== 'untouched') note(tools.reporter, 'warning', why, describeRestored(ahead.known.name, restored));
}

function describeRestored(name: string, restored: Exclude<Restored, { kind: 'untouched' }>): string {
  const sent = 'It had received the new code before CloudFormation answered';
  if (restored.kind !== 'kept') return `${sent}, and has its previous code again.`;
  return `${sent}, and its previous code could not be put back: ${restored.reason}. Sync or deploy the stack that ${name} belongs to.`;
}

function warnUnconfirmed({ reporter }: ServiceContext, id: string, name: string): void {
  const text = `${name} has the new code, but CloudFormation did not confirm that it is still ${id} of the stack`;
  note(reporter, 'warning', text, 'Sync again when CloudFormation answers.');
}
