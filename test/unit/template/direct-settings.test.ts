import { describe, expect, it } from 'vitest';
import {
  isSameSetting,
  leavingItems,
  mayComeOrGo,
  shownSetting,
  toSetting,
} from '../../../src/template/kinds/direct-settings.ts';
import type { DirectProperty, Shape } from '../../../src/template/kinds/direct-settings.ts';
import { CLOUD_CONTROL } from '../../../src/template/kinds/cloud-control.ts';
import { RESOURCE_KINDS } from '../../../src/template/kinds/kinds.ts';
import { SERVERLESS_CONFIGURATION } from '../../../src/template/kinds/lambda-settings.ts';
import type { ResourceKind } from '../../../src/template/kinds/resource-kind.ts';
import type { TemplateValue } from '../../../src/template/template.ts';

const property = (name: string): DirectProperty => SERVERLESS_CONFIGURATION[name] ?? { member: '', shape: 'text' };

describe('a setting of a template', () => {
  it.each<[name: string, value: TemplateValue | undefined, expected: unknown]>([
    ['MemorySize', 256, 256],
    ['MemorySize', '256', 256],
    ['MemorySize', undefined, 128],
    ['MemorySize', 'much', undefined],
    ['MemorySize', { Ref: 'Size' }, undefined],
    ['Description', 7, '7'],
    ['Environment', { Variables: { A: 1, B: true } }, { Variables: { A: '1', B: 'true' } }],
    ['Environment', {}, { Variables: {} }],
    ['Environment', { Variables: { A: ['x'] } }, undefined],
    ['Environment', { Variable: {} }, undefined],
    ['Tracing', 'Active', { Mode: 'Active' }],
    ['Tracing', 'Disabled', { Mode: 'PassThrough' }],
    ['DeadLetterQueue', { Type: 'SQS', TargetArn: 'arn' }, { TargetArn: 'arn' }],
    ['DeadLetterQueue', { Type: 'S3', TargetArn: 'arn' }, undefined],
    [
      'VpcConfig',
      { SubnetIds: ['s'], Ipv6AllowedForDualStack: 'true' },
      { SubnetIds: ['s'], SecurityGroupIds: [], Ipv6AllowedForDualStack: true },
    ],
    ['Role', undefined, undefined],
  ])('%s %j becomes %j', (name, value, expected) => {
    expect(toSetting(property(name), value)).toEqual(expected);
  });

  it.each<[name: string, wanted: TemplateValue, shown: unknown, isSame: boolean]>([
    ['MemorySize', 256, 256, true],
    ['MemorySize', 256, undefined, false],
    ['VpcConfig', { SubnetIds: ['a'] }, { SubnetIds: ['a'], SecurityGroupIds: [], VpcId: 'v' }, true],
    ['VpcConfig', { SubnetIds: ['a'] }, { SubnetIds: ['b'], SecurityGroupIds: [], VpcId: 'v' }, false],
    ['LoggingConfig', { LogFormat: 'JSON' }, { LogFormat: 'JSON', LogGroup: '/aws/lambda/f' }, true],
    ['Environment', { Variables: { A: '1' } }, { Variables: { A: '1', B: '2' } }, false],
    ['Environment', { Variables: {} }, undefined, true],
    ['SnapStart', { ApplyOn: 'None' }, { ApplyOn: 'None', OptimizationStatus: 'Off' }, true],
  ])('%s %j is compared with %j', (name, wanted, shown, isSame) => {
    const value = toSetting(property(name), wanted);
    expect(value !== undefined && isSameSetting(property(name), value, shownSetting(property(name), shown))).toBe(
      isSame,
    );
  });

  it.each<[name: string, path: string[], expected: boolean, value?: TemplateValue]>([
    ['ProvisionedConcurrencyConfig', [], true, { ProvisionedConcurrentExecutions: 1 }],
    ['VpcConfig', [], true, { SubnetIds: ['a'] }],
    ['VpcConfig', [], false, { Unknown: 1 }],
    ['MemorySize', [], true],
    ['Role', [], false],
    ['Environment', ['Variables', 'A'], true],
    ['Environment', ['Variables', 'A', 'Ref'], true],
    ['LoggingConfig', ['LogGroup'], false],
    ['VpcConfig', ['Ipv6AllowedForDualStack'], true],
    ['FileSystemConfigs', ['0', 'Arn'], false],
  ])('%s may come or go at %j: %s', (name, path, expected, value) => {
    expect(mayComeOrGo(property(name), path, value)).toBe(expected);
  });
});

it.each(
  (Object.entries(RESOURCE_KINDS) as [string, ResourceKind][]).flatMap(([type, { direct = {} }]) =>
    Object.entries(direct).map(([name, row]) => [`${type} ${name}`, row] as const),
  ),
)('%s has a default of its own form', (_, { shape, within, absent, request }) => {
  // no number says that nothing is reserved
  if (absent === undefined || absent === null || request === 'PutFunctionConcurrency') return;
  const whole: Shape = within === undefined ? shape : { members: { [within]: shape } };
  expect(toSetting({ member: 'M', shape: whole }, absent as TemplateValue)).toEqual(absent);
});

describe('a setting that Cloud Control replaces', () => {
  const rule: Readonly<Record<string, DirectProperty>> = CLOUD_CONTROL['AWS::Events::Rule'].direct;
  const alarm: Readonly<Record<string, DirectProperty>> = CLOUD_CONTROL['AWS::CloudWatch::Alarm'].direct;
  const schedule: Readonly<Record<string, DirectProperty>> = CLOUD_CONTROL['AWS::Scheduler::Schedule'].direct;
  const of = (name: string): DirectProperty => rule[name] ?? alarm[name] ?? schedule[name] ?? property(name);

  it.each<[name: string, value: TemplateValue | undefined, expected: unknown]>([
    ['Threshold', '-1.5', -1.5],
    ['Threshold', 'high', undefined],
    ['Description', undefined, null],
    [
      'EventPattern',
      { detail: { count: [1, true, null, { Ref: 'x' }] } },
      { detail: { count: [1, true, null, { Ref: 'x' }] } },
    ],
    ['EventPattern', '{"a": 1}', '{"a": 1}'],
    ['Targets', [{ Id: 'a', Arn: 'b', EcsParameters: {} }], undefined],
  ])('%s %j becomes %j', (name, value, expected) => {
    expect(toSetting(of(name), value)).toEqual(expected);
  });

  it.each<[name: string, wanted: TemplateValue | undefined, shown: unknown, isSame: boolean]>([
    ['Description', undefined, undefined, true],
    ['Description', undefined, 'some', false],
    ['EventPattern', '{"a": [1], "b": 2}', { b: 2, a: [1] }, true],
    ['EventPattern', { a: [1] }, { a: [2] }, false],
    [
      'Targets',
      [
        { Id: 'a', Arn: '1' },
        { Id: 'b', Arn: '2' },
      ],
      [
        { Id: 'b', Arn: '2' },
        { Id: 'a', Arn: '1' },
      ],
      true,
    ],
    ['Targets', [{ Id: 'a', Arn: '1' }], [{ Id: 'a', Arn: '1', Input: 'gone' }], false],
    [
      'Target',
      { Arn: 'a', RoleArn: 'r' },
      { Arn: 'a', RoleArn: 'r', RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 } },
      true,
    ],
    ['Target', { Arn: 'a', RoleArn: 'r' }, { Arn: 'a', RoleArn: 'r', Input: 'gone' }, false],
  ])('%s %j is compared with %j', (name, wanted, shown, isSame) => {
    const value = toSetting(of(name), wanted);
    expect(value !== undefined && isSameSetting(of(name), value, shownSetting(of(name), shown))).toBe(isSame);
  });

  it('names targets that only the service has', () => {
    expect(leavingItems(of('Targets'), [{ Id: 'a' }], [{ Id: 'a' }, { Id: 'b' }])).toEqual(['b']);
    expect(leavingItems(of('Description'), 'x', 'y')).toEqual([]);
  });
});
