import { expect, it } from 'vitest';
import { isLoopback, proxyFor } from '../../../src/aws/proxy.ts';

const S3 = 'https://s3.eu-west-1.amazonaws.com';

it.each<[string, string, Record<string, string>, string | undefined]>([
  ['none', S3, {}, undefined],
  ['by scheme', S3, { HTTP_PROXY: 'http://p:1' }, undefined],
  ['upper case', S3, { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['lower case first', S3, { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' }, 'http://q:2'],
  ['empty lower case: none', S3, { HTTPS_PROXY: 'http://p:1', https_proxy: '' }, undefined],
  ['without scheme', S3, { HTTPS_PROXY: 'p:1' }, 'http://p:1'],
  ['no_proxy: all', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: '*' }, undefined],
  ['no_proxy: suffix', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: 'example.com, amazonaws.com' }, undefined],
  ['no_proxy: suffix with dot', S3, { HTTPS_PROXY: 'p:1', no_proxy: '.amazonaws.com' }, undefined],
  ['no_proxy: star', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: '*.amazonaws.com' }, undefined],
  ['no_proxy: not within a name', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: 'aws.com' }, 'http://p:1'],
  ['no_proxy: the port', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: 'amazonaws.com:443' }, undefined],
  ['no_proxy: another port', S3, { HTTPS_PROXY: 'p:1', NO_PROXY: 'amazonaws.com:8443' }, 'http://p:1'],
  ['loopback', 'http://localhost:4566', { HTTP_PROXY: 'p:1' }, undefined],
  ['another host over http', 'http://emulator:4566', { HTTP_PROXY: 'p:1' }, 'http://p:1'],
])('%s', (_name, url, env, proxy) => expect(proxyFor(new URL(url), env)?.url.origin).toBe(proxy));

it.each(['localhost', '127.0.0.1', '127.8.8.8', '[::1]', '::1', 's3.localhost'])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(['localhost.com', '128.0.0.1', '10.127.0.0', 'amazonaws.com'])('%s is not', (host) => {
  expect(isLoopback(host)).toBe(false);
});
