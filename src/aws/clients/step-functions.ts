export {
  SFNClient as Client,
  DescribeStateMachineAliasCommand,
  DescribeStateMachineCommand,
  UpdateStateMachineAliasCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
