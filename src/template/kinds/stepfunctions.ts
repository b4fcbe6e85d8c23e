import { ID, NAME } from './attribute-patterns.ts';
import { TAG } from './direct-settings.ts';
import type { DirectProperty, Shape } from './direct-settings.ts';
import { GENERATED_EVENTS } from './generated-events.ts';
import { BUCKET_KEY, filePath } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';

/** What UpdateStateMachine takes beside the definition; a state machine without them neither logs nor traces. */
const LOGGING: DirectProperty = {
  member: 'loggingConfiguration',
  shape: {
    members: {
      Destinations: {
        shape: { list: { members: { CloudWatchLogsLogGroup: { members: { LogGroupArn: 'text' } } } } },
        absent: [],
      },
      IncludeExecutionData: { shape: 'boolean', absent: false },
      Level: { shape: 'text', absent: 'OFF' },
    },
  },
  absent: { Destinations: [], IncludeExecutionData: false, Level: 'OFF' },
};
const ENABLED: Shape = { members: { Enabled: { shape: 'boolean', absent: false } } };
const TRACING: DirectProperty = { member: 'tracingConfiguration', shape: ENABLED, absent: { Enabled: false } };
const ROLE: DirectProperty = { member: 'roleArn', shape: 'text' };

/** State machines, and what SAM generates for them. */
export const STEP_FUNCTIONS = {
  'AWS::Serverless::StateMachine': {
    paths: [filePath('DefinitionUri', BUCKET_KEY)],
    body: ['Definition'],
    sync: 'state-machine',
    routes: 'events',
    generates: GENERATED_EVENTS,
    directDefinition: ['Definition', 'DefinitionSubstitutions'],
    directTag: TAG,
    taggedArn: ID,
    direct: { Logging: LOGGING, Role: ROLE, Tracing: TRACING },
    versioned: { attributes: ['Version', 'StateMachineRevisionId'], generatedIds: ['Version'] },
    companions: {
      Alias: { type: 'AWS::StepFunctions::StateMachineAlias', suffix: /^Alias/, ownedBy: 'arn' },
      Version: { type: 'AWS::StepFunctions::StateMachineVersion', suffix: /^Version\w{0,10}$/, ownedBy: 'arn' },
    },
  },
  'AWS::StepFunctions::StateMachine': {
    paths: [filePath('DefinitionS3Location', BUCKET_KEY)],
    body: ['DefinitionString', 'Definition'],
    sync: 'state-machine',
    directDefinition: ['Definition', 'DefinitionString', 'DefinitionSubstitutions'],
    directTag: TAG,
    taggedArn: ID,
    direct: {
      EncryptionConfiguration: {
        member: 'encryptionConfiguration',
        shape: { members: { KmsDataKeyReusePeriodSeconds: 'number', KmsKeyId: 'text', Type: 'text' } },
      },
      LoggingConfiguration: LOGGING,
      RoleArn: ROLE,
      TracingConfiguration: TRACING,
    },
    versioned: { attributes: ['StateMachineRevisionId'] },
    attributes: { Arn: ID, Name: NAME },
  },
  'AWS::StepFunctions::StateMachineAlias': { attributes: { Arn: ID } },
  'AWS::StepFunctions::StateMachineVersion': { attributes: { Arn: ID } },
  'AWS::StepFunctions::Activity': { attributes: { Arn: ID, Name: NAME } },
} as const satisfies Readonly<Record<string, ResourceKind>>;
