import { expect, it } from 'vitest';
import { listDirectValues } from '../../../src/sync/configuration/list-direct-values.ts';

it('settings have their values, other changes their names, and members that address a resource are left out', () => {
  const lambda = (operation: string, parameters: object) => ({ service: 'lambda' as const, operation, parameters });
  const requests = [
    lambda('UpdateFunctionConfiguration', { FunctionName: 'shop-Greet-1A2B', MemorySize: 256 }),
    lambda('TagResource', { Resource: 'arn:aws:lambda:…', Tags: { Team: 'b' } }),
    lambda('UntagResource', { Resource: 'arn:aws:lambda:…', TagKeys: ['Old'] }),
    lambda('UpdateFunctionCode', { FunctionName: 'shop-Greet-1A2B', SourceKMSKeyArn: undefined, ZipFile: { size: 1 } }),
    lambda('UpdateAlias', { Name: 'live', FunctionVersion: '${PublishVersion.Version}' }),
  ];
  const changes = ['MemorySize', 'Tags.Team', 'Tags.Old', 'code', 'version for live'];
  expect(listDirectValues({ changes, requests })).toEqual([
    'MemorySize = 256',
    'Tags.Team = "b"',
    'Tags.Old removed',
    'code',
    'version for live',
  ]);
});

it('values of patches are listed: under the name of the setting, or beside it under their own path', () => {
  const patch = (values: Record<string, unknown>) => ({
    service: 'cloudcontrol' as const,
    operation: 'UpdateResource',
    parameters: { TypeName: 'AWS::SQS::Queue', Identifier: 'queue', PatchDocument: '[]' },
    values,
  });
  expect(listDirectValues({ changes: ['DelaySeconds'], requests: [patch({ DelaySeconds: 2 })] })).toEqual([
    'DelaySeconds = 2',
  ]);
  expect(listDirectValues({ changes: ['Variables'], requests: [patch({ 'variables/A': null })] })).toEqual([
    'Variables',
    'variables/A removed',
  ]);
});
