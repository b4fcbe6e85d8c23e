import { describe, expect, it } from 'vitest';
import { resolveCloudPlace } from '../../../src/cli/local-cloud/cloud-place.ts';
import { withCloudEnvironment, describeCloud } from '../../../src/local/local-cloud.ts';
import { userCacheDir } from '../../../src/support/user-cache.ts';

describe('userCacheDir', () => {
  it.each([
    ['linux', {}, '/home/me/.cache/sam-sync'],
    ['linux', { XDG_CACHE_HOME: '/caches' }, '/caches/sam-sync'],
    ['linux', { XDG_CACHE_HOME: '' }, '/home/me/.cache/sam-sync'],
    ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/me/.cache/sam-sync'],
    ['darwin', {}, '/home/me/Library/Caches/sam-sync'],
    ['win32', { LOCALAPPDATA: '/home/me/Local' }, '/home/me/Local/sam-sync'],
    ['win32', {}, '/home/me/AppData/Local/sam-sync'],
  ] as const)('%s %o', (platform, env, expected) => {
    expect(userCacheDir(env, '/home/me', platform)).toBe(expected);
  });
});

describe('resolveCloudPlace', () => {
  it.each([
    [undefined, 4566],
    ['', 4566],
    ['4999', 4999],
  ])('port %o', (SAM_SYNC_CLOUD_PORT, port) => {
    expect(resolveCloudPlace({ SAM_SYNC_CLOUD_PORT }).port).toBe(port);
  });

  it.each(['0', '65536', '-1', '45x', '4566.5'])('refuses port %o', (SAM_SYNC_CLOUD_PORT) => {
    expect(() => resolveCloudPlace({ SAM_SYNC_CLOUD_PORT })).toThrow(`"${SAM_SYNC_CLOUD_PORT}" is not a port`);
  });
});

describe('withCloudEnvironment', () => {
  const files = { log: '/log', state: '/state', temporary: '/tmp' };
  const cloud = describeCloud(files, 4566, { pid: 1, started: true });

  it.each([
    ['AWS_PROFILE', 'prod', undefined],
    ['AWS_DEFAULT_PROFILE', 'prod', undefined],
    ['AWS_ENDPOINT_URL_S3', 'https://s3.example.com', undefined],
    ['AWS_SESSION_TOKEN', 'real', undefined],
    ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'http://x', undefined],
    ['AWS_ACCESS_KEY_ID', 'AKIAREAL', 'test'],
    ['AWS_REGION', 'eu-west-1', 'us-east-1'],
    ['AWS_PAGER', '', ''],
    ['PATH', '/bin', '/bin'],
  ])('%s=%s', (name, value, expected) => {
    expect(withCloudEnvironment({ [name]: value }, cloud)[name]).toBe(expected);
  });
});
