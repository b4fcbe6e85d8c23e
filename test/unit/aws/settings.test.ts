import { describe, expect, it } from 'vitest';
import { resolveAwsSettings, resolveGivenSettings } from '../../../src/aws/settings.ts';
import type { AwsConfig, Env } from '../../../src/aws/config-files.ts';

const CONFIG: AwsConfig = {
  default: { region: 'eu-west-1' },
  dev: {
    region: 'eu-central-1',
    endpoint_url: 'http://dev:1',
    services: 'dev-services',
    max_attempts: '4',
    retry_mode: 'adaptive',
    ca_bundle: '/dev.pem',
    's3.addressing_style': 'virtual',
  },
  'services.dev-services': { 's3.endpoint_url': 'http://s3:2', 'api_gateway.endpoint_url': 'http://api:3' },
  ignoring: { endpoint_url: 'http://dev:1', ignore_configured_endpoint_urls: 'true' },
};

function resolve(env: Env, options: { profile?: string; region?: string; endpoint?: string } = {}) {
  return resolveAwsSettings({ env, config: CONFIG, ...options });
}

describe('region, as the AWS CLI', () => {
  it.each<[string, Env, { profile?: string; region?: string }, string | undefined]>([
    ['--region first', { AWS_REGION: 'us-east-1' }, { region: 'us-west-2' }, 'us-west-2'],
    ['AWS_REGION', { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-2' }, {}, 'us-east-1'],
    ['AWS_DEFAULT_REGION', { AWS_DEFAULT_REGION: 'us-east-2' }, { profile: 'dev' }, 'us-east-2'],
    ['an empty variable is none', { AWS_REGION: '', AWS_DEFAULT_REGION: '' }, {}, 'eu-west-1'],
    ['the profile', {}, { profile: 'dev' }, 'eu-central-1'],
    ['AWS_PROFILE', { AWS_PROFILE: 'dev' }, {}, 'eu-central-1'],
    ['AWS_DEFAULT_PROFILE', { AWS_DEFAULT_PROFILE: 'dev' }, {}, 'eu-central-1'],
    ['AWS_PROFILE over AWS_DEFAULT_PROFILE', { AWS_PROFILE: 'default', AWS_DEFAULT_PROFILE: 'dev' }, {}, 'eu-west-1'],
    ['a profile without one', { AWS_PROFILE: 'ignoring' }, {}, undefined],
  ])('%s', (_name, env, options, region) => expect(resolve(env, options).region).toBe(region));

  it('must be a name', () =>
    expect(() => resolve({ AWS_REGION: 'eu west' })).toThrow('eu west is not a valid Region name'));
});

describe('profile', () => {
  it.each<[string, Env, string | undefined, boolean]>([
    ['none', {}, undefined, false],
    ['named by the environment', { AWS_PROFILE: 'dev' }, 'dev', false],
  ])('%s', (_name, env, profile, explicit) => {
    expect(resolve(env)).toMatchObject({ profile, profileIsExplicit: explicit });
  });

  it('--profile is explicit', () => {
    expect(resolve({ AWS_PROFILE: 'default' }, { profile: 'dev' })).toMatchObject({
      profile: 'dev',
      profileIsExplicit: true,
    });
  });

  it('an unknown one suggests the nearest', () => {
    expect(() => resolve({}, { profile: 'dv' })).toThrow(
      expect.objectContaining({ message: 'AWS profile dv does not exist', hint: 'Did you mean dev?' }),
    );
  });

  it('an unknown one in AWS_PROFILE says so, and lists what there is', () => {
    expect(() => resolve({ AWS_PROFILE: 'production' })).toThrow(
      expect.objectContaining({
        message: 'AWS profile production (from AWS_PROFILE) does not exist',
        hint: expect.stringContaining('Existing profiles: default, dev, ignoring.'),
      }),
    );
  });
});

describe('endpoint', () => {
  it.each<[string, Env, { profile?: string; endpoint?: string }, string, string | undefined]>([
    ['none', {}, {}, 'S3', undefined],
    ['AWS_ENDPOINT_URL', { AWS_ENDPOINT_URL: 'http://all:9' }, {}, 'S3', 'http://all:9'],
    ['of a service', { AWS_ENDPOINT_URL: 'http://all:9', AWS_ENDPOINT_URL_S3: 'http://s3:8' }, {}, 'S3', 'http://s3:8'],
    ['of a service with a space', { AWS_ENDPOINT_URL_API_GATEWAY: 'http://a:8' }, {}, 'API Gateway', 'http://a:8'],
    ['of another service', { AWS_ENDPOINT_URL_S3: 'http://s3:8' }, {}, 'Lambda', undefined],
    ['of the profile', {}, { profile: 'dev' }, 'Lambda', 'http://dev:1'],
    ['of the services section', {}, { profile: 'dev' }, 'S3', 'http://s3:2'],
    ['of the services section, with a space', {}, { profile: 'dev' }, 'API Gateway', 'http://api:3'],
    ['environment over profile', { AWS_ENDPOINT_URL: 'http://all:9' }, { profile: 'dev' }, 'S3', 'http://all:9'],
    [
      'ignored by the environment',
      { AWS_ENDPOINT_URL: 'http://all:9', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      { profile: 'dev' },
      'S3',
      undefined,
    ],
    ['ignored by the profile', {}, { profile: 'ignoring' }, 'S3', undefined],
    ['given by us', { AWS_ENDPOINT_URL: 'http://all:9' }, { endpoint: 'http://local:1' }, 'S3', 'http://local:1'],
  ])('%s', (_name, env, options, service, endpoint) => {
    expect(resolve(env, options).endpointOf(service)).toBe(endpoint);
  });

  it('must be a URL', () => {
    expect(() => resolve({ AWS_ENDPOINT_URL: 'localhost:4566' }).endpointOf('S3')).toThrow(
      'The endpoint localhost:4566 is not a URL',
    );
  });
});

describe('the rest', () => {
  it.each<[string, Env, { profile?: string }, object]>([
    ['ten attempts', {}, {}, { maxAttempts: 10, retryMode: 'standard' }],
    ['AWS_MAX_ATTEMPTS', { AWS_MAX_ATTEMPTS: '2' }, { profile: 'dev' }, { maxAttempts: 2 }],
    ['of the profile', {}, { profile: 'dev' }, { maxAttempts: 4, retryMode: 'adaptive' }],
    ['legacy retries are standard ones', { AWS_RETRY_MODE: 'legacy' }, {}, { retryMode: 'standard' }],
    ['AWS_CA_BUNDLE', { AWS_CA_BUNDLE: '/a.pem', REQUESTS_CA_BUNDLE: '/r.pem' }, {}, { caBundle: '/a.pem' }],
    ['REQUESTS_CA_BUNDLE', { REQUESTS_CA_BUNDLE: '/r.pem' }, {}, { caBundle: '/r.pem' }],
    ['ca_bundle', {}, { profile: 'dev' }, { caBundle: '/dev.pem' }],
    ['addressing style', {}, { profile: 'dev' }, { s3AddressingStyle: 'virtual' }],
  ])('%s', (_name, env, options, expected) => expect(resolve(env, options)).toMatchObject(expected));

  it.each(['0', '2.5', 'many'])('AWS_MAX_ATTEMPTS=%s is an error', (text) => {
    expect(() => resolve({ AWS_MAX_ATTEMPTS: text })).toThrow(
      `AWS_MAX_ATTEMPTS (or max_attempts of the profile) must be a positive integer, not ${text}`,
    );
  });
});

it('given credentials: neither profile nor endpoints of the environment count', () => {
  const env = {
    AWS_PROFILE: 'nowhere',
    AWS_REGION: 'eu-west-3',
    AWS_ENDPOINT_URL: 'https://real',
    AWS_MAX_ATTEMPTS: '2',
  };
  const settings = resolveGivenSettings(env, undefined, 'http://127.0.0.1:4566');
  expect(settings).toMatchObject({ profile: undefined, region: 'us-east-1', maxAttempts: 2 });
  expect(settings.endpointOf('S3')).toBe('http://127.0.0.1:4566');
});
