import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { AwsCredentialIdentity } from '@smithy/types';
import { UserError } from '../errors.ts';
import { createRoleAssumer, type AssumeRoleTools } from './assume-role.ts';
import { awsConfigPaths, awsFolder, type Env } from './config-files.ts';
import type { RequestHandler } from './request-handler.ts';
import type { AwsSettings } from './settings.ts';

/** What the credential provider needs from its caller. */
export interface CredentialTools {
  env: Env;
  settings: AwsSettings;
  requestHandler: RequestHandler;
  assumeRole: AssumeRoleTools['assumeRole'];
  askMfaCode: AssumeRoleTools['askMfaCode'];
}

/** Credentials that expire earlier are renewed before the next request (ms). */
const EXPIRY_WINDOW = 5 * 60_000;

/**
 * Creates the provider of a run's credentials, by the AWS CLI's rules: an explicit profile, else access keys of the
 * environment, else the SDK's chain (profile with keys, role, SSO, process, login or web identity; web identity; container;
 * EC2 metadata). All clients share the credentials, which are loaded once and renewed before they expire.
 */
export function createCredentialProvider(tools: CredentialTools): () => Promise<AwsCredentialIdentity> {
  const { env, settings } = tools;
  const keys = settings.profileIsExplicit ? undefined : readEnvironmentKeys(env);
  if (keys !== undefined) return () => Promise.resolve(keys);
  return shareCredentials(
    defaultProvider({
      ...awsConfigPaths(env),
      ...(settings.profile === undefined ? {} : { profile: settings.profile }),
      clientConfig: { requestHandler: tools.requestHandler },
      roleAssumer: createRoleAssumer({ ...tools, awsFolder: awsFolder(env) }),
      // the role assumer asks, and only without a cached session
      mfaCodeProvider: () => Promise.resolve(''),
      logger: SILENT,
    }),
  );
}

/** Returns the access keys of the environment, if any. Pure. */
function readEnvironmentKeys(env: Env): AwsCredentialIdentity | undefined {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  if (!accessKeyId) return undefined;
  if (!secretAccessKey) {
    throw new UserError('AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not', {
      hint: 'Set both, or unset both and choose a profile with --profile.',
    });
  }
  const sessionToken = env['AWS_SESSION_TOKEN'] || env['AWS_SECURITY_TOKEN'];
  const expiration = env['AWS_CREDENTIAL_EXPIRATION'];
  const accountId = env['AWS_ACCOUNT_ID'];
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiration ? { expiration: new Date(expiration) } : {}),
    ...(accountId ? { accountId } : {}),
  };
}

/** Suppresses the SDK's warning about environment keys beside a profile: the rule above is deliberate. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function shareCredentials(load: () => Promise<AwsCredentialIdentity>): () => Promise<AwsCredentialIdentity> {
  let current: Promise<AwsCredentialIdentity> | undefined;
  let expires = Number.POSITIVE_INFINITY;
  return () => {
    if (current === undefined || expires - Date.now() < EXPIRY_WINDOW) {
      expires = Number.POSITIVE_INFINITY;
      const loading = load().then(
        (identity) => {
          expires = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
          return identity;
        },
        (error: unknown) => {
          current = undefined;
          throw error;
        },
      );
      current = loading;
    }
    return current;
  };
}
