export { SFNClient as Client, DescribeStateMachineCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
