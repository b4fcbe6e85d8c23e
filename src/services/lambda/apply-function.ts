import type { FunctionConfiguration, PublishVersionCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer, requireAnswer } from '../../aws/check-answer.ts';
import { note, timed } from '../../console/reporter.ts';
import type { Reporter } from '../../console/reporter.ts';
import { UserError } from '../../errors.ts';
import type { ServiceContext } from '../service-context.ts';
import { codeName, hasSent, isDone, readyCode, sendCode, shownCode } from './function-code.ts';
import type { CodeUpdate } from './function-code.ts';
import { changedSettings, checkSettings, hasSetting } from './settings/function-configuration.ts';
import { isLast, sendNeighbour } from './settings/function-neighbours.ts';
import type { NeighbourUpdate } from './settings/neighbour.ts';
import type { ConfigurationUpdate } from './settings/function-configuration.ts';
import { sendSettings } from './settings/settings-refused.ts';
import type { FunctionPlan } from './plan-function.ts';
import type { FunctionWork } from './function-work.ts';
import { NEW_VERSION } from './versions/plan-version.ts';
import type { VersionPublication } from './versions/plan-version.ts';
import { shownLayers } from './plan-function.ts';
import type { FunctionState } from './function-state.ts';
import { describeDeactivated, REACTIVATE } from './function-lifecycle.ts';
import { fillNewVersions, haveSameContent } from './layers/layer-versions.ts';
import { mayBeStale, sendAndRecord } from '../../cloud/recent-sends.ts';

/**
 * Updates settings and layers first, then code, then removes layers, so that new code never runs without what it needs.
 * `versions`: ARN of a layer → ARN of the version to use.
 */
export async function applyFunction(
  tools: ServiceContext,
  plan: FunctionPlan,
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  const { work } = plan;
  const configure = async (
    update: ConfigurationUpdate | undefined,
    settings: FunctionPlan['settings'] = new Map(),
  ): Promise<void> => {
    if (update === undefined) return;
    const { Layers } = update;
    const filled = Layers && { Layers: fillNewVersions(Layers, versions) };
    await updateConfiguration(tools, work, { update: { ...update, ...filled }, settings });
  };
  markUnsettled(tools, work.id);
  await sendSettings(plan, () => configure(plan.configuration, plan.settings));
  const [early, late] = [work.neighbours.filter((one) => !isLast(one)), work.neighbours.filter(isLast)];
  const isOnly = [plan.configuration, plan.code, plan.drop, plan.publish].every((request) => request === undefined);
  const send = (update: NeighbourUpdate): Promise<void> => {
    // a refusal says that nothing was set
    const isFirst = update === early[0] ? plan.configuration === undefined : isOnly && work.neighbours.length === 1;
    return isFirst ? sendSettings(plan, () => sendNeighbour(tools, update)) : sendNeighbour(tools, update);
  };
  for (const update of early) await send(update);
  if (plan.code !== undefined) await updateCode(tools, work, plan.code);
  await configure(plan.drop);
  if (plan.publish !== undefined) await publish(tools, work, plan.publish);
  // event source mappings take a while, each by itself
  const ends = await Promise.allSettled(late.map(send));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  markSettled(tools, work.id);
}

/** Until we have seen the end of the update, lists of functions do not count: they do not have its failure. */
function markUnsettled({ facts }: ServiceContext, id: string): void {
  if (!facts.unsettled.includes(id)) facts.unsettled.push(id);
}

function markSettled({ facts }: ServiceContext, id: string): void {
  facts.unsettled = facts.unsettled.filter((candidate) => candidate !== id);
}

async function updateConfiguration(
  tools: ServiceContext,
  { id, state }: FunctionWork,
  { update, settings }: { update: ConfigurationUpdate; settings: FunctionPlan['settings'] },
): Promise<void> {
  const { lambda, facts } = tools;
  const { send, UpdateFunctionConfigurationCommand } = await lambda.service();
  const layers = update.Layers?.join();
  const hasLayers = (now: FunctionState): boolean => layers === undefined || now.layers.join() === layers;
  const hasSettings = (now: FunctionState): boolean =>
    [...settings.values()].every(({ property, value }) => hasSetting(now, property, value));
  const changes = [
    ...(layers === undefined ? [] : [{ shown: shownLayers(state), value: layers }]),
    ...changedSettings(state, settings.values()),
  ];
  const isShown = (now: FunctionState): boolean =>
    hasLayers(now) && hasSettings(now) && !(layers !== undefined && mayBeStale(facts, shownLayers(now)));
  const answer = await sendAndRecord(facts, changes, () =>
    lambda.change(state.name, () => send(new UpdateFunctionConfigurationCommand(update)), isShown),
  );
  if (answer !== undefined) {
    checkAnswer('Lambda', 'UpdateFunctionConfiguration', ['FunctionName', answer.FunctionName, state.name]);
    if (layers !== undefined) {
      const said = (answer.Layers ?? []).map(({ Arn }) => Arn ?? '').join();
      checkAnswer('Lambda', 'UpdateFunctionConfiguration', ['Layers', said, layers]);
    }
    checkSettings(answer, settings.values());
  }
  const shows = async (now: FunctionState): Promise<boolean> =>
    hasSettings(now) && (hasLayers(now) || haveSameContent(tools, now.layers, update.Layers ?? []));
  await settle(tools, { id, name: state.name, shows }, answer);
}

async function updateCode(tools: ServiceContext, { id, state }: FunctionWork, update: CodeUpdate): Promise<void> {
  const { lambda, facts } = tools;
  const { send, UpdateFunctionCodeCommand } = await lambda.service();
  const ready = await readyCode(tools, update.code);
  const isThere = (now: FunctionState): boolean => isDone(now, ready) && !mayBeStale(facts, shownCode(now));
  // the digest of an image may be known only after the push
  if (isThere(state)) return;
  const value = codeName(ready);
  const answer = await sendAndRecord(facts, { shown: shownCode(state), value }, async () => {
    if (update.answer !== undefined) return update.answer;
    return lambda.change(
      state.name,
      () => sendCode(tools, { ...update, code: ready }, (input) => send(new UpdateFunctionCodeCommand(input))),
      isThere,
    );
  });
  if (answer !== undefined) {
    checkAnswer('Lambda', 'UpdateFunctionCode', ['FunctionName', answer.FunctionName, state.name]);
    if (ready.kind === 'zip') checkAnswer('Lambda', 'UpdateFunctionCode', ['CodeSha256', answer.CodeSha256, value]);
  }
  await settle(tools, { id, name: state.name, shows: (now) => hasSent(now, ready) }, answer);
}

/** Waits for the end of an update that Lambda has accepted. */
async function settle(
  { lambda, reporter }: ServiceContext,
  { id, name, shows }: { id: string; name: string; shows: (state: FunctionState) => boolean | Promise<boolean> },
  answer: FunctionConfiguration | undefined,
): Promise<void> {
  if (answer !== undefined) lambda.noteAnswer(answer);
  if (answer?.LastUpdateStatus === 'Successful' && isActive(answer)) return;
  const span = { kind: 'wait', label: 'until Lambda has applied it', ids: [id] } as const;
  const now = await timed(reporter, span, () => lambda.settled(name, { shows }));
  if (now.lastUpdateStatus === 'Failed' || now.state === 'Failed') {
    throw new UserError(`Lambda could not update ${id}: ${now.reason ?? 'it gives no reason'}`, {
      hint: 'The function keeps running its previous code and configuration. Fix the cause and sync again.',
    });
  }
  if (await shows(now)) return warnIfDeactivated(reporter, id, now);
  throw new UserError(`Lambda accepted the update of ${id}, but ${name} does not have what was sent`, {
    hint: 'Someone else may have changed it at the same time. Sync again.',
  });
}

/** Whether it can be invoked now, so that it need not be read again. */
function isActive({ State = 'Active' }: FunctionConfiguration): boolean {
  return State === 'Active';
}

function warnIfDeactivated(reporter: Reporter, id: string, state: FunctionState): void {
  const text = describeDeactivated(id, state);
  if (text !== undefined) note(reporter, 'warning', text, REACTIVATE);
}

async function publish(
  tools: ServiceContext,
  work: FunctionWork,
  { version, alias }: VersionPublication,
): Promise<void> {
  const to = alias?.FunctionVersion ?? NEW_VERSION;
  const published = await publishVersion(tools, work, {
    version,
    wait: alias === undefined ? 'always' : to === NEW_VERSION ? 'unless active' : 'never',
  });
  if (alias === undefined) return;
  const number = to === NEW_VERSION ? published : to;
  const { send, UpdateAliasCommand } = await tools.lambda.service();
  const moved = await send(new UpdateAliasCommand({ ...alias, FunctionVersion: number }));
  checkAnswer('Lambda', 'UpdateAlias', ['FunctionVersion', moved.FunctionVersion, number]);
}

/** Publishes a version, and gives its number. `wait`: until it can be invoked. */
async function publishVersion(
  { lambda, reporter }: ServiceContext,
  { state, id, code }: FunctionWork,
  { version: request, wait }: { version: PublishVersionCommandInput; wait: 'always' | 'unless active' | 'never' },
): Promise<string> {
  const { send, PublishVersionCommand } = await lambda.service();
  const version = await lambda.change(state.name, () => send(new PublishVersionCommand(request)));
  const number = requireAnswer('Lambda', 'PublishVersion', 'Version', version?.Version);
  if (code?.kind === 'zip')
    checkAnswer('Lambda', 'PublishVersion', ['CodeSha256', version?.CodeSha256, codeName(code)]);
  if (wait === 'always' || (wait === 'unless active' && version !== undefined && !isActive(version))) {
    // with SnapStart or a capacity provider a version cannot be invoked at once
    const ended = await lambda.settled(state.name, { qualifier: number });
    warnIfDeactivated(reporter, `Version ${number} of ${id}`, ended);
    if (ended.state === 'Failed') {
      throw new UserError(
        `Version ${number} of ${id} did not become ready: ${ended.reason ?? 'Lambda gives no reason'}`,
      );
    }
  }
  return number;
}
