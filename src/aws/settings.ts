import { UserError } from '../errors.ts';
import { nearestName } from '../support/nearest-name.ts';
import { ownValue } from '../support/own-value.ts';
import { profileNames, type AwsConfig, type Env } from './config-files.ts';

/**
 * How we talk to AWS, resolved as the AWS CLI resolves it. What the JavaScript SDK does otherwise, and what closes it:
 *
 * | the AWS CLI                                                    | the SDK by itself            | closed in          |
 * | -------------------------------------------------------------- | ---------------------------- | ------------------ |
 * | `AWS_DEFAULT_REGION` after `AWS_REGION`                          | reads `AWS_REGION` only      | here               |
 * | `AWS_DEFAULT_PROFILE` after `AWS_PROFILE`                        | reads `AWS_PROFILE` only     | here               |
 * | a profile that is nowhere is an error                          | goes on to EC2 metadata      | here               |
 * | access keys of the environment win over `AWS_PROFILE`, not over | `AWS_PROFILE` wins           | credentials.ts     |
 * | `--profile`                                                    |                              |                    |
 * | `AWS_ACCESS_KEY_ID` without its secret is an error             | goes on to the profile       | credentials.ts     |
 * | roles: asks for the MFA code, keeps the session in             | fails; asks STS on each run  | assume-role.ts     |
 * | `~/.aws/cli/cache`                                             |                              |                    |
 * | `endpoint_url`, `services` and `ignore_configured_endpoint_urls` | of `AWS_PROFILE` only        | here               |
 * | of the profile in force                                        |                              |                    |
 * | `s3.addressing_style`                                          | not read                     | here               |
 * | `AWS_CA_BUNDLE`, `ca_bundle`, `REQUESTS_CA_BUNDLE`                 | `NODE_EXTRA_CA_CERTS` only   | here, request-handler.ts |
 * | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`                            | not read                     | request-handler.ts |
 * | region of EC2 metadata as the last resort                      | the same                     | aws.ts             |
 * | FIPS, dual-stack, defaults mode, EC2 metadata, container, web  | the same                     | –                  |
 * | identity, SSO, process and login credentials                   |                              |                    |
 *
 * On purpose otherwise: ten attempts where the CLI makes three to five, and no proxy for a loopback address.
 */
export interface AwsSettings {
  /** The profile that is named somewhere; undefined: the default one, which need not exist. */
  profile: string | undefined;
  /** By an option rather than by the environment: then access keys of the environment do not count. */
  profileIsExplicit: boolean;
  /** undefined: nothing but EC2 metadata can tell. */
  region: string | undefined;
  maxAttempts: number;
  retryMode: 'standard' | 'adaptive';
  /** A file with the certificates to trust instead of the built-in ones. */
  caBundle: string | undefined;
  /** `path`, `virtual`, or `auto`. */
  s3AddressingStyle: string;
  /** Whether the user chose how S3 checksums are made, so that we do not. */
  checksumsConfigured: boolean;
  /** The custom endpoint of a service by its SDK service id (`S3`, `API Gateway`), if there is one. */
  endpointOf(serviceId: string): string | undefined;
}

/** Where the settings come from. */
export interface AwsSettingsSources {
  env: Env;
  config: AwsConfig;
  profile?: string | undefined;
  region?: string | undefined;
  /** Overrides every configured endpoint. */
  endpoint?: string | undefined;
}

/** Tries per request: throttled deployments of large accounts need more than the SDK's three. */
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

/** The settings of a cloud whose endpoint and credentials are given: the user's profile plays no part in it. */
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
  throw new UserError(`The endpoint ${url} is not a URL`, {
    hint: 'Endpoints look like http://localhost:4566: see AWS_ENDPOINT_URL and endpoint_url in ~/.aws/config.',
  });
}

function checkRegion(region: string | undefined): string | undefined {
  if (region === undefined || /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(region)) return region;
  throw new UserError(`${region} is not the name of a region`, { hint: 'Regions look like eu-central-1.' });
}

function parseAttempts(text: string | undefined): number {
  if (!text) return DEFAULT_ATTEMPTS;
  const attempts = Number(text);
  if (Number.isInteger(attempts) && attempts >= 1) return attempts;
  throw new UserError(`AWS_MAX_ATTEMPTS (or max_attempts of the profile) is ${text}, not a whole number from 1 up`);
}

function unknownProfile(profile: string, option: string | undefined, config: AwsConfig): UserError {
  const names = profileNames(config);
  const nearest = nearestName(profile, names);
  const known = names.length === 0 ? 'There are no profiles yet' : `There are: ${names.join(', ')}`;
  const origin = option === profile ? '' : ' (named by AWS_PROFILE)';
  return new UserError(`There is no AWS profile ${profile}${origin}`, {
    hint:
      nearest === undefined
        ? `${known}. \`aws configure --profile ${profile}\` makes one.`
        : `Did you mean ${nearest}?`,
  });
}
