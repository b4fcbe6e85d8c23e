import { UsageError } from '../errors.ts';
import { nearestName } from '../support/nearest-name.ts';
import { ownValue } from '../support/own-value.ts';
import { profileNames, type AwsConfig, type Env } from './config-files.ts';

/**
 * Settings of the AWS clients, resolved as the AWS CLI does. Where the JavaScript SDK differs, and what closes the gap:
 *
 * | the AWS CLI                                                    | the SDK by itself            | closed in          |
 * | -------------------------------------------------------------- | ---------------------------- | ------------------ |
 * | `AWS_DEFAULT_REGION` after `AWS_REGION`                          | reads `AWS_REGION` only      | here               |
 * | `AWS_DEFAULT_PROFILE` after `AWS_PROFILE`                        | reads `AWS_PROFILE` only     | here               |
 * | a missing profile is an error                                  | falls back to EC2 metadata   | here               |
 * | access keys of the environment override `AWS_PROFILE`, not      | `AWS_PROFILE` overrides      | credentials.ts     |
 * | `--profile`                                                    |                              |                    |
 * | `AWS_ACCESS_KEY_ID` without its secret is an error             | falls back to the profile    | credentials.ts     |
 * | roles: asks for the MFA code, caches the session in            | fails; calls STS on each run | assume-role.ts     |
 * | `~/.aws/cli/cache`                                             |                              |                    |
 * | `endpoint_url`, `services` and `ignore_configured_endpoint_urls` | of `AWS_PROFILE` only        | here               |
 * | of the current profile                                         |                              |                    |
 * | `s3.addressing_style`                                          | not read                     | here               |
 * | `AWS_CA_BUNDLE`, `ca_bundle`, `REQUESTS_CA_BUNDLE`                 | `NODE_EXTRA_CA_CERTS` only   | here, request-handler.ts |
 * | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`                            | not read                     | request-handler.ts |
 * | region of EC2 metadata as the last resort                      | the same                     | aws.ts             |
 * | FIPS, dual-stack, defaults mode, EC2 metadata, container, web  | the same                     | –                  |
 * | identity, SSO, process and login credentials                   |                              |                    |
 *
 * Deliberate differences: ten attempts where the CLI makes three to five (three if the service stays silent), and no proxy for a
 * loopback address.
 */
export interface AwsSettings {
  /** The named profile; undefined: the default one, which need not exist. */
  profile: string | undefined;
  /** An option names the profile, not the environment: access keys of the environment are ignored. */
  profileIsExplicit: boolean;
  /** undefined: only EC2 metadata may have it. */
  region: string | undefined;
  maxAttempts: number;
  retryMode: 'standard' | 'adaptive';
  /** A file with certificates to trust instead of the built-in ones. */
  caBundle: string | undefined;
  /** `path`, `virtual`, or `auto`. */
  s3AddressingStyle: string;
  /** Whether the user configured S3 checksums, so that we do not. */
  checksumsConfigured: boolean;
  /** Returns the custom endpoint of a service by its SDK service ID (`S3`, `API Gateway`), if any. */
  endpointOf(serviceId: string): string | undefined;
}

/** The sources of the settings. */
export interface AwsSettingsSources {
  env: Env;
  config: AwsConfig;
  profile?: string | undefined;
  region?: string | undefined;
  /** Overrides every configured endpoint. */
  endpoint?: string | undefined;
}

/** Attempts per request: deployments in throttled accounts need more than the SDK's three. */
const DEFAULT_ATTEMPTS = 10;

/** Resolves options, environment and config files to settings. Pure. */
export function resolveAwsSettings({ env, config, ...options }: AwsSettingsSources): AwsSettings {
  const profile = options.profile || env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'] || undefined;
  if (profile !== undefined && !Object.hasOwn(config, profile)) throw unknownProfile(profile, options.profile, config);
  const section = ownValue(config, profile ?? 'default') ?? {};
  return {
    profile,
    profileIsExplicit: Boolean(options.profile),
    region: checkRegion(
      options.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || section['region'] || undefined,
    ),
    maxAttempts: parseAttempts(env['AWS_MAX_ATTEMPTS'] || section['max_attempts']),
    retryMode: (env['AWS_RETRY_MODE'] || section['retry_mode']) === 'adaptive' ? 'adaptive' : 'standard',
    caBundle: env['AWS_CA_BUNDLE'] || section['ca_bundle'] || env['REQUESTS_CA_BUNDLE'] || undefined,
    s3AddressingStyle: section['s3.addressing_style'] ?? 'auto',
    checksumsConfigured: Boolean(env['AWS_REQUEST_CHECKSUM_CALCULATION'] || section['request_checksum_calculation']),
    endpointOf: (serviceId) => options.endpoint ?? configuredEndpoint(serviceId, { env, config, section }),
  };
}

/** Resolves settings for a given endpoint and credentials, ignoring the user's profile. */
export function resolveGivenSettings(env: Env, region: string | undefined, endpoint: string | undefined): AwsSettings {
  const { AWS_MAX_ATTEMPTS, AWS_RETRY_MODE, AWS_CA_BUNDLE } = env;
  return resolveAwsSettings({
    env: { AWS_MAX_ATTEMPTS, AWS_RETRY_MODE, AWS_CA_BUNDLE, AWS_REGION: region ?? 'us-east-1' },
    config: {},
    endpoint,
  });
}

interface EndpointSources {
  env: Env;
  config: AwsConfig;
  section: AwsConfig[string];
}

function configuredEndpoint(serviceId: string, { env, config, section }: EndpointSources): string | undefined {
  const ignored = env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] || section['ignore_configured_endpoint_urls'];
  if (ignored?.toLowerCase() === 'true') return undefined;
  const key = serviceId.replaceAll(' ', '_');
  const byEnvironment = env[`AWS_ENDPOINT_URL_${key.toUpperCase()}`] || env['AWS_ENDPOINT_URL'];
  if (byEnvironment) return checkEndpoint(byEnvironment);
  const services = section['services'] === undefined ? undefined : config[`services.${section['services']}`];
  const byProfile = services?.[`${key.toLowerCase()}.endpoint_url`] || section['endpoint_url'];
  return byProfile ? checkEndpoint(byProfile) : undefined;
}

function checkEndpoint(url: string): string {
  if (/^https?:\/\/[^/]/.test(url) && URL.canParse(url)) return url;
  throw new UsageError(`The endpoint ${url} is not a URL`, {
    hint: 'Use the form http://localhost:4566. Check AWS_ENDPOINT_URL, and endpoint_url in ~/.aws/config.',
  });
}

function checkRegion(region: string | undefined): string | undefined {
  if (region === undefined || /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(region)) return region;
  throw new UsageError(`${region} is not a valid Region name`, { hint: 'For example: eu-central-1.' });
}

function parseAttempts(text: string | undefined): number {
  if (!text) return DEFAULT_ATTEMPTS;
  const attempts = Number(text);
  if (Number.isInteger(attempts) && attempts >= 1) return attempts;
  throw new UsageError(`AWS_MAX_ATTEMPTS (or max_attempts of the profile) must be a positive integer, not ${text}`);
}

function unknownProfile(profile: string, option: string | undefined, config: AwsConfig): UsageError {
  const names = profileNames(config);
  const nearest = nearestName(profile, names);
  const existing = names.length === 0 ? 'There are no profiles' : `Existing profiles: ${names.join(', ')}`;
  const origin = option === profile ? '' : ' (from AWS_PROFILE)';
  return new UsageError(`AWS profile ${profile}${origin} does not exist`, {
    hint:
      nearest === undefined
        ? `${existing}. Create it with \`aws configure --profile ${profile}\`.`
        : `Did you mean ${nearest}?`,
  });
}
