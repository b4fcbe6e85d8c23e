import { CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import type { Runtime } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { beforeAll, expect, it } from 'vitest';
import { atEnd } from '../support/at-end.ts';
import { takeViolations } from '../support/aws-contract.ts';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';

let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud();
  return () => cloud.stop();
});

/** What is wrong with what these calls send; how they are answered does not count. */
async function violations(...calls: Promise<unknown>[]): Promise<string[]> {
  await Promise.allSettled(calls);
  return takeViolations().map((text) => text.replace(/ \(aws-sdk-js[^)]*\)$/, ''));
}

const LAYER = 'arn:aws:lambda:us-east-1:000000000000:layer:l:1';
const STATE_MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:s';

it('requests as AWS takes them are no violation', async () => {
  const { cloudformation, lambda, s3 } = clients(cloud.endpoint);
  const found = await violations(
    cloudformation.send(new CreateStackCommand({ StackName: 'fine', TemplateBody: '{"Resources":{}}' })),
    lambda.send(new GetFunctionCommand({ FunctionName: 'fn' })),
    s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'a b/ü', Body: 'text', ContentType: 'text/plain' })),
  );
  expect(found).toEqual([]);
});

it('a value beyond the model is a violation', async () => {
  const { lambda } = clients(cloud.endpoint);
  const input = { FunctionName: 'fn', Runtime: 'nodejs1.x' as Runtime, MemorySize: 1, Timeout: 0 };
  const [found] = await violations(lambda.send(new UpdateFunctionConfigurationCommand(input)));
  expect(found).toContain("Runtime: 'nodejs1.x' is not one of ");
  expect(found).toContain('MemorySize: value 1 is less than 128');
  expect(found).toContain('Timeout: value 0 is less than 1');
});

it('a limit that the model does not know is a violation', async () => {
  const { cloudformation, lambda, s3, sfn } = clients(cloud.endpoint);
  const found = await violations(
    cloudformation.send(new CreateStackCommand({ StackName: 'large', TemplateBody: ' '.repeat(51_201) })),
    lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'fn', Layers: Array(6).fill(LAYER) })),
    s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body: 'text', Metadata: { text: 'x'.repeat(2_048) } })),
    sfn.send(new UpdateStateMachineCommand({ stateMachineArn: STATE_MACHINE })),
  );
  expect(found.sort()).toEqual([
    'cloudformation:CreateStack: TemplateBody: is longer than 51200 bytes',
    'lambda:UpdateFunctionConfiguration: Layers: are more than 5',
    's3:PutObject: Metadata: is larger than 2 KB',
    'stepfunctions:UpdateStateMachine: definition: there is nothing to update (MissingRequiredParameter)',
  ]);
});

it('a signature with another secret is a violation', async () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'other' };
  const lambda = new LambdaClient({ endpoint: cloud.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  expect(await violations(lambda.send(new GetFunctionCommand({ FunctionName: 'fn' })))).toEqual([
    'lambda:GetFunction: Signature: does not match',
  ]);
});

it('a body that changed on its way is a violation', async () => {
  const { s3 } = clients(cloud.endpoint);
  const command = new PutObjectCommand({
    Bucket: 'bucket',
    Key: 'k',
    Body: 'text',
    ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
  });
  expect(await violations(s3.send(command))).toEqual(['s3:PutObject: content-md5: is not the checksum of the body']);
});

it('an operation that no model has, and an unknown parameter, are violations', async () => {
  const { lambda } = clients(cloud.endpoint);
  lambda.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { path: string; query: Record<string, string> };
      if (request.path.endsWith('/fn')) request.path = '/2015-03-31/functions/fn/nothing';
      else request.query['Depth'] = '1';
      return next(args);
    },
    { step: 'build', name: 'change' },
  );
  atEnd(() => lambda.middlewareStack.remove('change'));
  const found = await violations(
    lambda.send(new GetFunctionCommand({ FunctionName: 'fn' })).catch(() => {}),
    lambda.send(new GetFunctionCommand({ FunctionName: 'other' })).catch(() => {}),
  );
  expect(found.sort()).toEqual([
    'lambda:GetFunction: ?Depth: is no parameter of this operation',
    'lambda:None: operation: GET /2015-03-31/functions/fn/nothing is none of lambda',
  ]);
});
