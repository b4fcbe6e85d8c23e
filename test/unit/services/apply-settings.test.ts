import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createAws } from '../../../src/aws/aws.ts';
import type { AwsErrorKind } from '../../../src/aws/service-errors.ts';
import { isAwsError } from '../../../src/aws/service-errors.ts';
import { applySettings } from '../../../src/services/cloudcontrol/apply-settings.ts';
import type { SettingsUpdate } from '../../../src/services/cloudcontrol/settings-update.ts';
import { sendSchema } from '../../../src/services/appsync/schema-request.ts';
import { silent } from '../../support/cloud.ts';

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Cloud Control that answers with these events in turn, and the operations that it was sent. */
function cloudControl(...events: object[]) {
  return service(events.map((event) => ({ ProgressEvent: { RequestToken: 't', ...event } })));
}

/** A service that gives these answers in turn. */
async function service(answers: object[]) {
  const operations: string[] = [];
  const server = http.createServer((request, response) => {
    operations.push(String(request.headers['x-amz-target']).split('.').at(-1) ?? '');
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    request.resume().on('end', () => response.end(JSON.stringify(answer)));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const aws = createAws({ env: {}, region: 'us-east-1', endpoint, credentials, reporter: silent });
  return { operations, tools: { aws, facts: { sent: {} }, signal: new AbortController().signal } };
}

const UPDATE: SettingsUpdate = {
  id: 'Queue',
  type: 'AWS::SQS::Queue',
  identifier: 'https://queue',
  settings: [
    {
      name: 'DelaySeconds',
      path: 'DelaySeconds',
      value: 2,
      secrets: [],
      change: { shown: { resource: 'queue DelaySeconds', value: 'old' }, value: 'new' },
    },
  ],
};

it('an update is waited for', async () => {
  const { tools, operations } = await cloudControl(
    { OperationStatus: 'PENDING' },
    { OperationStatus: 'IN_PROGRESS' },
    { OperationStatus: 'SUCCESS' },
  );
  await applySettings(tools, UPDATE);
  expect(operations).toEqual(['UpdateResource', 'GetResourceRequestStatus', 'GetResourceRequestStatus']);
  expect(Object.keys(tools.facts.sent)).toEqual(['queue DelaySeconds']);
});

it('an update that takes too long is reported with the command that follows it', async () => {
  const { tools } = await cloudControl({ OperationStatus: 'IN_PROGRESS' });
  await expect(applySettings(tools, UPDATE, 0)).rejects.toMatchObject({
    message: 'Queue: Cloud Control has not completed the update after 0 s',
    hint: 'Follow it with `aws cloudcontrol get-resource-request-status --request-token t`.',
  });
});

it.each<[code: string, kind: AwsErrorKind]>([
  ['AccessDenied', 'access-denied'],
  ['InvalidRequest', 'other'],
  ['Throttling', 'throttled'],
  ['ServiceInternalError', 'unavailable'],
])('an update that fails with %s is of the kind %s, and may have changed something', async (code, kind) => {
  const { tools } = await cloudControl(
    { OperationStatus: 'IN_PROGRESS' },
    { OperationStatus: 'FAILED', ErrorCode: code },
  );
  const error: unknown = await applySettings(tools, UPDATE).catch((thrown: unknown) => thrown);
  expect(isAwsError(error) && error.kind).toBe(kind);
});

it('an answer without a token is no success', async () => {
  const { tools } = await cloudControl({ RequestToken: undefined, OperationStatus: 'SUCCESS' });
  await expect(applySettings(tools, UPDATE)).rejects.toThrow('RequestToken is missing');
});

const SCHEMA = {
  operation: 'StartSchemaCreation',
  input: { apiId: 'api', definition: 'type Query { a: Int }' },
} as const;

it('a schema is waited for, and its mistakes are reported', async () => {
  const good = await service([{ status: 'PROCESSING' }, { status: 'PROCESSING' }, { status: 'ACTIVE' }]);
  await sendSchema(good.tools, SCHEMA);
  expect(good.operations).toHaveLength(3);
  const bad = await service([{ status: 'PROCESSING' }, { status: 'FAILED', details: 'Unknown type X' }]);
  await expect(sendSchema(bad.tools, SCHEMA)).rejects.toThrow('AppSync cannot use the schema: Unknown type X');
});

it('a schema that takes too long is reported with the command that follows it', async () => {
  const { tools } = await service([{ status: 'PROCESSING' }]);
  await expect(sendSchema(tools, SCHEMA, 0)).rejects.toMatchObject({
    message: 'AppSync is still busy with the schema after 0 s',
    hint: 'Check it with `aws appsync get-schema-creation-status --api-id api`, then save it again.',
  });
});
