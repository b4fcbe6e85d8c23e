import type { UpdateStateMachineAliasCommandInput, UpdateStateMachineCommandInput } from '@aws-sdk/client-sfn';
import { requireAnswer } from '../../aws/check-answer.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { fromAnswer, summarize } from '../planned-request.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';
import { definitionName } from './state-machine-definition.ts';

/** The requests that update a state machine. */
export interface StateMachineUpdate {
  kind: 'state-machine';
  /** What Step Functions returned before the update. */
  shown: ShownValue;
  update: UpdateStateMachineCommandInput & { definition: string };
  /** Moves the alias to the version that the update publishes; undefined: there is no alias. */
  alias: UpdateStateMachineAliasCommandInput | undefined;
}

const SERVICE = 'Step Functions';

/** Plans the update; with `aliasArn` it publishes a version and moves the alias to it. Pure. */
export function stateMachineUpdate(
  shown: ShownValue,
  { definition, aliasArn }: { definition: string; aliasArn: string | undefined },
): StateMachineUpdate {
  return {
    kind: 'state-machine',
    shown,
    update: { stateMachineArn: shown.resource, definition, publish: aliasArn !== undefined },
    alias: aliasArn === undefined ? undefined : moveAlias(aliasArn, NEW_VERSION),
  };
}

const NEW_VERSION = fromAnswer('UpdateStateMachine', 'stateMachineVersionArn');

function moveAlias(aliasArn: string | undefined, versionArn: string): UpdateStateMachineAliasCommandInput {
  return {
    stateMachineAliasArn: aliasArn,
    routingConfiguration: [{ stateMachineVersionArn: versionArn, weight: 100 }],
  };
}

/** Lists the requests of the update. Pure. */
export function stateMachineRequests({ update, alias }: StateMachineUpdate): PlannedRequest[] {
  const service = 'stepfunctions';
  const parameters = { ...update, definition: summarize(update.definition) };
  return [
    { service, operation: 'UpdateStateMachine', parameters },
    ...(alias === undefined ? [] : [{ service, operation: 'UpdateStateMachineAlias', parameters: alias } as const]),
  ];
}

/** Sends the requests of the update. */
export async function updateStateMachine(
  { aws, facts }: ServiceContext,
  { shown, update, alias }: StateMachineUpdate,
): Promise<void> {
  const { send, UpdateStateMachineCommand, UpdateStateMachineAliasCommand } = await aws.stepFunctions();
  const updated = await sendAndRecord(facts, { shown, value: definitionName(update.definition) }, () =>
    send(new UpdateStateMachineCommand(update)),
  );
  requireAnswer(SERVICE, 'UpdateStateMachine', 'updateDate', updated.updateDate);
  if (alias === undefined) return;
  const version = updated.stateMachineVersionArn;
  const published = requireAnswer(SERVICE, 'UpdateStateMachine', 'stateMachineVersionArn', version);
  const moved = await send(new UpdateStateMachineAliasCommand(moveAlias(alias.stateMachineAliasArn, published)));
  requireAnswer(SERVICE, 'UpdateStateMachineAlias', 'updateDate', moved.updateDate);
}
