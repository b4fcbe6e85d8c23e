import type {
  PublishStateMachineVersionCommandInput,
  UpdateStateMachineAliasCommandInput,
  UpdateStateMachineCommandInput,
} from '@aws-sdk/client-sfn';
import { requireAnswer } from '../../aws/check-answer.ts';
import { createOnce } from '../../aws/create-once.ts';
import { sendAndRecord } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { fromAnswer, summarize } from '../planned-request.ts';
import type { PlannedRequest } from '../planned-request.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import { withoutSecrets } from '../secret-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import { refusingSettings } from '../settings-refused.ts';
import { definitionName, sameDefinition } from './state-machine-definition.ts';
import { hasSetting, settingsInput } from './state-machine-settings.ts';

/** The requests that update a state machine. */
export interface StateMachineUpdate {
  kind: 'state-machine';
  /** The identifier of the state machine in the templates. */
  id: string;
  /** The settings in the update, by property of the template. */
  settings: ReadonlyMap<string, WantedSetting>;
  /** What Step Functions returned before the update. */
  shown: ShownValue;
  change:
    | { operation: 'UpdateStateMachine'; input: UpdateStateMachineCommandInput & { definition: string } }
    /** It has the definition, but the alias leads to a version of another one. */
    | { operation: 'PublishStateMachineVersion'; input: PublishStateMachineVersionCommandInput };
  /** Moves the alias to the version that the change publishes; undefined: there is no alias. */
  alias: UpdateStateMachineAliasCommandInput | undefined;
}

const SERVICE = 'Step Functions';

/** The parts of an update. */
interface StateMachineChange {
  id: string;
  /** undefined: the state machine has it, and the settings. */
  definition: string | undefined;
  settings: ReadonlyMap<string, WantedSetting>;
  /** Points to the version that the update publishes. */
  aliasArn: string | undefined;
}

/** Plans the update: definition and settings in one call, published as one version. Pure. */
export function stateMachineUpdate(
  shown: ShownValue,
  { id, definition, settings, aliasArn }: StateMachineChange,
): StateMachineUpdate {
  const stateMachineArn = shown.resource;
  const change: StateMachineUpdate['change'] =
    definition === undefined
      ? { operation: 'PublishStateMachineVersion', input: { stateMachineArn } }
      : {
          operation: 'UpdateStateMachine',
          input: {
            stateMachineArn,
            definition,
            ...settingsInput(settings.values()),
            publish: aliasArn !== undefined,
          },
        };
  const version = fromAnswer(change.operation, 'stateMachineVersionArn');
  return {
    kind: 'state-machine',
    id,
    settings,
    shown,
    change,
    alias: aliasArn === undefined ? undefined : moveAlias(aliasArn, version),
  };
}

function moveAlias(aliasArn: string | undefined, versionArn: string): UpdateStateMachineAliasCommandInput {
  return {
    stateMachineAliasArn: aliasArn,
    routingConfiguration: [{ stateMachineVersionArn: versionArn, weight: 100 }],
  };
}

/** Lists the requests of the update. Pure. */
export function stateMachineRequests({ change, alias, settings }: StateMachineUpdate): PlannedRequest[] {
  const service = 'stepfunctions';
  const { operation, input } = change;
  const secrets = [...settings.values()].flatMap((setting) => setting.secrets);
  const parameters = 'definition' in input ? { ...input, definition: summarize(input.definition) } : input;
  return [
    { service, operation, parameters: withoutSecrets(parameters, secrets) },
    ...(alias === undefined ? [] : [{ service, operation: 'UpdateStateMachineAlias', parameters: alias } as const]),
  ];
}

/** Sends the requests of the update. */
export async function updateStateMachine(
  tools: ServiceContext,
  { id, shown, change, alias, settings }: StateMachineUpdate,
): Promise<void> {
  const version =
    change.operation === 'UpdateStateMachine'
      ? await sendAndRecord(tools.facts, { shown, value: definitionName(change.input.definition) }, () =>
          refusingSettings({ id, settings }, () => updateDefinition(tools, change.input, settings)),
        )
      : await publishVersion(tools, change.input);
  if (alias === undefined) return;
  const { send, UpdateStateMachineAliasCommand } = await tools.aws.stepFunctions();
  const published = requireAnswer(SERVICE, change.operation, 'stateMachineVersionArn', version);
  const moved = await send(new UpdateStateMachineAliasCommand(moveAlias(alias.stateMachineAliasArn, published)));
  requireAnswer(SERVICE, 'UpdateStateMachineAlias', 'updateDate', moved.updateDate);
}

/** Returns the ARN of the version that the update published, if it was to publish one. */
async function updateDefinition(
  tools: ServiceContext,
  input: UpdateStateMachineCommandInput & { definition: string },
  settings: StateMachineUpdate['settings'],
): Promise<string | undefined> {
  const { send, sendOnce, ...commands } = await tools.aws.stepFunctions();
  const { stateMachineArn } = input;
  const update = async (sendUpdate: typeof send): Promise<{ version: string | undefined }> => {
    const updated = await sendUpdate(new commands.UpdateStateMachineCommand(input));
    requireAnswer(SERVICE, 'UpdateStateMachine', 'updateDate', updated.updateDate);
    return { version: updated.stateMachineVersionArn };
  };
  if (input.publish !== true) return (await update(send)).version;
  // a second update would publish a second version
  const find = async (): Promise<{ version: string | undefined } | undefined> => {
    const current = await send(new commands.DescribeStateMachineCommand({ stateMachineArn }));
    const hasAll = [...settings.values()].every((setting) => hasSetting(current, setting));
    if (!hasAll || !sameDefinition(current.definition ?? '', input.definition)) return undefined;
    return { version: await publishVersion(tools, { stateMachineArn }) };
  };
  return (await createOnce({ send: () => update(sendOnce), find }, tools.signal)).version;
}

/** Returns the ARN of the version of the current revision, which the service creates only if there is none. */
async function publishVersion(
  { aws }: ServiceContext,
  input: PublishStateMachineVersionCommandInput,
): Promise<string | undefined> {
  const { send, PublishStateMachineVersionCommand } = await aws.stepFunctions();
  return (await send(new PublishStateMachineVersionCommand(input))).stateMachineVersionArn;
}
