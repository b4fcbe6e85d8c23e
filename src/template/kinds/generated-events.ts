import type { GeneratedSettings } from './resource-kind.ts';

const STATE = { property: 'State', values: { true: 'ENABLED', false: 'DISABLED' } };
const RULE = { Enabled: STATE, Input: 'Targets.0.Input', RetryPolicy: 'Targets.0.RetryPolicy', State: 'State' };
const PATTERN = {
  ...RULE,
  InputPath: 'Targets.0.InputPath',
  InputTransformer: 'Targets.0.InputTransformer',
  Pattern: 'EventPattern',
};

/** The rules and schedules that SAM generates for events of functions and state machines. */
export const GENERATED_EVENTS: readonly GeneratedSettings[] = [
  {
    at: ['Events', '*'],
    eventType: 'Schedule',
    type: 'AWS::Events::Rule',
    settings: { ...RULE, Description: 'Description', Schedule: 'ScheduleExpression' },
  },
  { at: ['Events', '*'], eventType: 'CloudWatchEvent', type: 'AWS::Events::Rule', settings: PATTERN },
  { at: ['Events', '*'], eventType: 'EventBridgeRule', type: 'AWS::Events::Rule', settings: PATTERN },
  {
    at: ['Events', '*'],
    eventType: 'ScheduleV2',
    type: 'AWS::Scheduler::Schedule',
    settings: {
      Description: 'Description',
      EndDate: 'EndDate',
      FlexibleTimeWindow: 'FlexibleTimeWindow',
      GroupName: 'GroupName',
      Input: 'Target.Input',
      KmsKeyArn: 'KmsKeyArn',
      RetryPolicy: 'Target.RetryPolicy',
      ScheduleExpression: 'ScheduleExpression',
      ScheduleExpressionTimezone: 'ScheduleExpressionTimezone',
      StartDate: 'StartDate',
      State: 'State',
    },
  },
];
