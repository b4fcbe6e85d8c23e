import { ID, NAME } from './attribute-patterns.ts';
import { BUCKET_KEY, filePath } from './resource-kind.ts';
import type { ResourceKind } from './resource-kind.ts';

/** State machines, and what SAM generates for them. */
export const STEP_FUNCTIONS = {
  'AWS::Serverless::StateMachine': {
    paths: [filePath('DefinitionUri', BUCKET_KEY)],
    body: ['Definition'],
    sync: 'state-machine',
    routes: 'events',
    directDefinition: ['Definition', 'DefinitionSubstitutions'],
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
    versioned: { attributes: ['StateMachineRevisionId'] },
    attributes: { Arn: ID, Name: NAME },
  },
  'AWS::StepFunctions::StateMachineAlias': { attributes: { Arn: ID } },
  'AWS::StepFunctions::StateMachineVersion': { attributes: { Arn: ID } },
  'AWS::StepFunctions::Activity': { attributes: { Arn: ID, Name: NAME } },
} as const satisfies Readonly<Record<string, ResourceKind>>;
