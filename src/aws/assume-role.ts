import { createHash } from 'node:crypto';
import * as path from 'node:path';
import type { AwsCredentialIdentity } from '@smithy/types';
import { UserError } from '../errors.ts';
import { readTextIfExists } from '../support/files.ts';
import { fields, parseJson, text } from '../support/shapes.ts';
import { removeLeftovers } from '../support/temporary.ts';
import { writeUserFile } from '../support/user-file.ts';

/** The AssumeRole request of a profile with `role_arn`, as the SDK passes it to role assumers. */
export interface AssumeRoleRequest {
  RoleArn?: string | undefined;
  RoleSessionName?: string | undefined;
  ExternalId?: string | undefined;
  DurationSeconds?: number | undefined;
  SerialNumber?: string | undefined;
  TokenCode?: string | undefined;
}

/** The response of STS, as the AWS CLI stores it in its cache files. */
export interface RoleSession {
  Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string; Expiration: string };
  AssumedRoleUser?: { Arn?: string | undefined; AssumedRoleId?: string | undefined } | undefined;
}

/** What the role assumer needs from its caller. */
export interface AssumeRoleTools {
  /** The user's `.aws` folder. */
  awsFolder: string;
  /** Calls STS with the credentials of the source profile. */
  assumeRole: (source: AwsCredentialIdentity, request: AssumeRoleRequest) => Promise<RoleSession>;
  /** Asks the user for the code of an MFA device; undefined in a run that cannot ask. */
  askMfaCode: ((device: string) => Promise<string>) | undefined;
}

/** Sessions that expire earlier are renewed (ms), as in the AWS CLI. */
const EXPIRY_WINDOW = 15 * 60_000;
/** The SDK's name of a session whose profile has none. */
const DEFAULT_SESSION_NAME = /^aws-sdk-js-\d+$/;
/** The SDK's duration for a profile without one (s); the AWS CLI sends none. */
const DEFAULT_DURATION = 3600;

/**
 * Creates a role assumer for the SDK that shares the AWS CLI's session cache, so that the user enters an MFA code once per
 * session instead of once per run.
 */
export function createRoleAssumer(
  tools: AssumeRoleTools,
): (source: AwsCredentialIdentity, request: AssumeRoleRequest) => Promise<AwsCredentialIdentity> {
  return async (source, given) => {
    const request = { ...given };
    delete request.TokenCode;
    const key = sessionCacheKey(request);
    const cached = await readSession(tools.awsFolder, key);
    if (cached !== undefined) return identityOf(cached);
    if (DEFAULT_SESSION_NAME.test(request.RoleSessionName ?? '')) request.RoleSessionName = `sam-sync-${Date.now()}`;
    if (request.SerialNumber !== undefined) request.TokenCode = await askCode(tools, request);
    const session = await tools.assumeRole(source, request);
    await writeSession(tools.awsFolder, key, session);
    return identityOf(session);
  };
}

/** Returns the AWS CLI's cache key of a role: the SHA-1 of its request in Python's JSON format. Pure. */
export function sessionCacheKey(request: AssumeRoleRequest): string {
  const { DurationSeconds, ExternalId, RoleArn, RoleSessionName, SerialNumber } = request;
  const fields = {
    DurationSeconds: DurationSeconds === DEFAULT_DURATION ? undefined : DurationSeconds,
    ExternalId,
    RoleArn,
    RoleSessionName: DEFAULT_SESSION_NAME.test(RoleSessionName ?? '') ? undefined : RoleSessionName,
    SerialNumber,
  };
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return createHash('sha1')
    .update(`{${parts.join(', ')}}`)
    .digest('hex');
}

async function askCode({ askMfaCode }: AssumeRoleTools, request: AssumeRoleRequest): Promise<string> {
  if (askMfaCode !== undefined) return await askMfaCode(request.SerialNumber ?? '');
  throw new UserError(`The role ${request.RoleArn} needs a code of the MFA device ${request.SerialNumber}`, {
    hint: 'Run the command in a terminal to enter the code, or run any `aws` command with this profile first.',
  });
}

/** Returns the cache files of the AWS CLI and of Python programs such as SAM CLI. */
function cacheFiles(awsFolder: string, key: string): [string, string] {
  return [path.join(awsFolder, 'cli', 'cache', `${key}.json`), path.join(awsFolder, 'boto', 'cache', `${key}.json`)];
}

async function readSession(awsFolder: string, key: string): Promise<RoleSession | undefined> {
  for (const file of cacheFiles(awsFolder, key)) {
    const session = parseSession(await readTextIfExists(file).catch(() => undefined));
    if (session !== undefined && expirationOf(session).getTime() - Date.now() > EXPIRY_WINDOW) return session;
  }
  return undefined;
}

/** Parses a cache file; undefined if it is damaged or incomplete. */
function parseSession(json: string | undefined): RoleSession | undefined {
  const session = fields(parseJson(json ?? ''));
  const credentials = fields(session?.['Credentials']);
  const AccessKeyId = text(credentials?.['AccessKeyId']);
  const SecretAccessKey = text(credentials?.['SecretAccessKey']);
  const SessionToken = text(credentials?.['SessionToken']);
  const Expiration = text(credentials?.['Expiration']);
  if (AccessKeyId === undefined || SecretAccessKey === undefined) return undefined;
  if (SessionToken === undefined || Expiration === undefined) return undefined;
  const user = fields(session?.['AssumedRoleUser']);
  return {
    Credentials: { AccessKeyId, SecretAccessKey, SessionToken, Expiration },
    AssumedRoleUser: { Arn: text(user?.['Arn']), AssumedRoleId: text(user?.['AssumedRoleId']) },
  };
}

async function writeSession(awsFolder: string, key: string, session: RoleSession): Promise<void> {
  const [file] = cacheFiles(awsFolder, key);
  try {
    await writeUserFile(file, JSON.stringify(session), { mode: 0o600 });
    await removeLeftovers(path.dirname(file));
  } catch {
    // only a cache: a read-only home folder is no error
  }
}

function identityOf(session: RoleSession): AwsCredentialIdentity {
  const { Credentials, AssumedRoleUser } = session;
  const accountId = AssumedRoleUser?.Arn?.split(':')[4];
  return {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
    expiration: expirationOf(session),
    ...(accountId ? { accountId } : {}),
  };
}

/** Python writes `2026-11-22T10:00:00UTC`. */
function expirationOf({ Credentials }: RoleSession): Date {
  return new Date(Credentials.Expiration.replace(/UTC$/, 'Z'));
}
