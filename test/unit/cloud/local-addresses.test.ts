import { expect, it } from 'vitest';
import { localAddresses } from '../../../src/cloud/local-addresses.ts';

it.each([
  [
    'https://abc123.execute-api.us-east-1.amazonaws.com/Prod/hello',
    'http://127.0.0.1:4566/_aws/execute-api/abc123/Prod/hello',
  ],
  ['https://abc123.execute-api.cn-north-1.amazonaws.com.cn', 'http://127.0.0.1:4566/_aws/execute-api/abc123/'],
  ['wss://abc123.execute-api.us-east-1.amazonaws.com/dev', 'ws://127.0.0.1:4566/_aws/execute-api/abc123/dev'],
  ['https://xyz.lambda-url.eu-west-1.on.aws/', 'http://127.0.0.1:4566/_aws/lambda-url/xyz/'],
  ['https://my.bucket.s3.us-east-1.amazonaws.com/a.txt', 'http://127.0.0.1:4566/my.bucket/a.txt'],
  ['https://bucket.s3.amazonaws.com/', 'http://127.0.0.1:4566/bucket/'],
  [
    'curl https://a.execute-api.us-east-1.amazonaws.com/x and https://b.execute-api.us-east-1.amazonaws.com/y',
    'curl http://127.0.0.1:4566/_aws/execute-api/a/x and http://127.0.0.1:4566/_aws/execute-api/b/y',
  ],
  // no address of something that the local cloud has
  ['https://abc.execute-api.us-east-1.amazonaws.com.example.org/', undefined],
  ['https://sqs.us-east-1.amazonaws.com/1/q', undefined],
  ['arn:aws:execute-api:us-east-1:1:abc/*', undefined],
])('%s', (address, local) => {
  expect(localAddresses(address, 'http://127.0.0.1:4566')).toBe(local ?? address);
});
