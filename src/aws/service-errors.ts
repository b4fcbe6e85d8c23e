import { UserError, errorMessage } from '../errors.ts';
import { explainSystemError } from '../system-errors.ts';
import { isConnectionFailure } from './connection-failure.ts';
import { failureCode, isCertificateCode, networkReason } from './network-reason.ts';
import { ProxyError } from './proxy-error.ts';
import { isLoopback } from './proxy.ts';

/** The kind of a failure, by what a caller or user can do about it. */
export type AwsErrorKind =
  | 'no-credentials'
  | 'expired-credentials'
  | 'bad-credentials'
  | 'access-denied'
  | 'unreachable'
  | 'throttled'
  | 'unavailable'
  | 'clock-skew'
  | 'wrong-region'
  | 'other';

/** The call that failed. */
export interface AwsCall {
  /** Name of the service for users: `CloudFormation`, `API Gateway`. */
  service: string;
  /** E.g. `DescribeStacks`. */
  operation: string;
  /** Scheme, host and port of the request; undefined if it was not sent. */
  endpoint?: string | undefined;
  region?: string | undefined;
  profile?: string | undefined;
}

/** A failed call to AWS. Callers branch on `code` (the service's own) or `kind`. */
export class AwsError extends UserError {
  readonly kind: AwsErrorKind;
  readonly service: string;
  readonly operation: string;
  /** The error code of the service, e.g. `ValidationError`, or of the network. */
  readonly code: string;
  /** The service's own message. */
  readonly serviceMessage: string;
  /** Number of requests, including retries. */
  readonly attempts: number;

  constructor(kind: AwsErrorKind, call: AwsCall, text: { message: string; hint?: string | undefined; cause: unknown }) {
    super(text.message, { cause: text.cause, ...(text.hint === undefined ? {} : { hint: text.hint }) });
    this.kind = kind;
    this.service = call.service;
    this.operation = call.operation;
    this.code = codeOf(text.cause);
    this.serviceMessage = errorMessage(text.cause);
    this.attempts = (text.cause as ServiceException | null)?.$metadata?.attempts ?? 1;
  }
}

/** Returns whether the error is a failed call to AWS, with one of `codes` if given. */
export function isAwsError(error: unknown, ...codes: string[]): error is AwsError {
  return error instanceof AwsError && (codes.length === 0 || codes.includes(error.code));
}

/** Network errors of requests that never left this machine. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/** Returns whether the service may have done what was requested although the call failed. */
export function mayHaveArrived(error: unknown): boolean {
  if (!isAwsError(error)) return false;
  if (error.attempts > 1 || error.kind === 'unavailable') return true;
  return error.kind === 'unreachable' && !NOT_SENT.has(error.code) && !isCertificateCode(error.code);
}

/** Converts an error of a call to an `AwsError` or `SystemError`. Returns a `UserError` unchanged. */
export function toAwsError(error: unknown, call: AwsCall): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  // an unreadable file or too many open files, not a failure of the service
  const systemError = isConnectionFailure(error) ? undefined : explainSystemError(error);
  if (systemError !== undefined) return systemError;
  const kind = classify(error);
  return new AwsError(kind, call, { ...EXPLANATIONS[kind](error, call), cause: error });
}

interface ServiceException {
  name?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
}

const CODES: Record<string, AwsErrorKind> = {
  ExpiredToken: 'expired-credentials',
  ExpiredTokenException: 'expired-credentials',
  TokenRefreshRequired: 'expired-credentials',
  InvalidClientTokenId: 'bad-credentials',
  UnrecognizedClientException: 'bad-credentials',
  InvalidAccessKeyId: 'bad-credentials',
  InvalidToken: 'bad-credentials',
  AuthFailure: 'bad-credentials',
  SignatureDoesNotMatch: 'bad-credentials',
  InvalidSignatureException: 'bad-credentials',
  IncompleteSignature: 'bad-credentials',
  MissingAuthenticationToken: 'bad-credentials',
  OptInRequired: 'bad-credentials',
  AccessDenied: 'access-denied',
  AccessDeniedException: 'access-denied',
  UnauthorizedOperation: 'access-denied',
  AuthorizationError: 'access-denied',
  Forbidden: 'access-denied',
  RequestTimeTooSkewed: 'clock-skew',
  RequestInTheFuture: 'clock-skew',
  RequestExpired: 'clock-skew',
  PermanentRedirect: 'wrong-region',
  AuthorizationHeaderMalformed: 'wrong-region',
  IllegalLocationConstraintException: 'wrong-region',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  ThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  SlowDown: 'throttled',
};

function classify(error: Error): AwsErrorKind {
  const { $metadata } = error as ServiceException;
  if (isProviderError(error)) return classifyProvider(error.message);
  if (isConnectionFailure(error)) return 'unreachable';
  const code = codeOf(error);
  if (SIGNATURE_CODES.has(code) && /^Signature (?:expired|not yet current):/.test(error.message)) return 'clock-skew';
  const kind = CODES[code];
  if (kind !== undefined) return kind;
  const status = $metadata?.httpStatusCode ?? 0;
  if (status === 429) return 'throttled';
  if (status >= 500) return 'unavailable';
  return status === 403 ? 'access-denied' : 'other';
}

function isProviderError(error: Error): boolean {
  return /^(Credentials|Token)?ProviderError$/.test(error.name);
}

/** Services use these codes both for a wrong signature and for a wrong time of the signature. */
const SIGNATURE_CODES = new Set(['SignatureDoesNotMatch', 'InvalidSignatureException']);

/** Messages of the SDK's providers for a session that can be renewed. Only the message identifies these errors. */
const EXPIRED = [
  /^The SSO session (?:token )?associated with (?:this profile|profile=.*) (?:has expired|is invalid|was not found)/,
  /^(?:Token is expired|Value not present for '.*' in SSO Token)/,
  /^UnauthorizedException: Session token not found or invalid/,
  /^Your session has expired/,
  /^Unable to refresh credentials because of a change in your password/,
  /^(?:Failed to (?:load a token for session|load token from|refresh token)|Token (?:refresh response|validation failed))\b/,
];

function classifyProvider(message: string): AwsErrorKind {
  if (message === 'Could not load credentials from any providers') return 'no-credentials';
  return EXPIRED.some((pattern) => pattern.test(message)) ? 'expired-credentials' : 'bad-credentials';
}

type Explanation = (error: Error, call: AwsCall) => { message: string; hint?: string | undefined };

const EXPLANATIONS: Record<AwsErrorKind, Explanation> = {
  'no-credentials': (_error, { profile }) => ({
    message:
      profile === undefined
        ? 'No AWS credentials found in the environment or in ~/.aws'
        : `The AWS profile ${profile} has no credentials`,
    hint: 'Sign in with `aws configure` or `aws sso login`, choose a profile with --profile, or sync to a cloud on this machine with --local.',
  }),
  'expired-credentials': (error, { profile }) => ({
    message: `The AWS credentials${ofProfile(profile)} have expired: ${trim(error.message)}`,
    hint: `Sign in again: \`aws sso login${profile === undefined ? '' : ` --profile ${profile}`}\` for single sign-on, \`aws login\` for a console session, or renew them the way you obtained them.`,
  }),
  'bad-credentials': (error, { profile, region }) => ({
    message: `The AWS credentials${ofProfile(profile)} ${isProviderError(error) ? 'could not be loaded' : 'were rejected'}: ${trim(error.message)}`,
    hint: `Check them with \`aws sts get-caller-identity${profile === undefined ? '' : ` --profile ${profile}`}\`${
      region === undefined ? '' : `, and that Region ${region} is enabled for the account`
    }.`,
  }),
  'access-denied': explainDenied,
  unreachable: explainUnreachable,
  throttled: (error, { service, operation }) => ({
    message: `${service} throttled ${operation}${afterAttempts(error)}: ${trim(error.message)}`,
    hint: 'Wait a moment and sync again. AWS_MAX_ATTEMPTS sets the number of attempts.',
  }),
  unavailable: (error, call) => ({
    message: `${call.service} failed at ${call.operation}${afterAttempts(error)}: ${trim(error.message)}${requestId(error)}`,
    hint: 'The service has a problem: wait a moment and sync again.',
  }),
  'clock-skew': (error, { service }) => ({
    message: `${service} rejected the request because the clock of this machine is wrong: ${trim(error.message)}`,
    hint: `The clock says ${new Date().toISOString()}. Set it and sync again.`,
  }),
  'wrong-region': (error, { service, operation, region }) => ({
    message: `${service} rejected ${operation} because the resource is not in ${region === undefined ? 'this Region' : `Region ${region}`}: ${trim(error.message)}`,
    hint: 'Choose the Region with --region, or a bucket in the same Region with --s3-bucket.',
  }),
  other: (error, { service, operation }) => ({
    message: `${service} rejected ${operation}: ${reasonOf(error, requestId(error, ', '))}`,
  }),
};

function explainDenied(error: Error, { service, operation, profile }: AwsCall): { message: string; hint: string } {
  // User: ARN is not authorized to perform: ACTION on resource: ARN because …
  const [, who, action, resource, why] =
    /User: (\S+) is not authorized to perform: (\S+?)(?: on resource: "?(\S+?)"?)?(?: (with|because) .*)?$/s.exec(
      error.message,
    ) ?? [];
  if (action === undefined) {
    return {
      message: `Access denied: ${ofProfile(profile, 'the credentials', 'these credentials')} may not call ${operation} of ${service}: ${trim(error.message)}${requestId(error)}`,
      hint: 'Grant the identity the permission, or choose another one with --profile.',
    };
  }
  const reason = why === undefined ? '' : `, ${trim(error.message.slice(error.message.lastIndexOf(` ${why} `) + 1))}`;
  return {
    message: `Access denied: ${who} may not perform ${action}${resource === undefined ? '' : ` on ${resource}`}${reason}`,
    hint: /\bexplicit deny\b/.test(error.message)
      ? 'A policy denies it explicitly, so that no other can allow it: change that policy, or choose another identity with --profile.'
      : `Add to the identity's policy: ${statement(action, resource)} (docs/permissions.md has whole policies), or choose another identity with --profile.`,
  };
}

/** The statement of an IAM policy that allows this. */
function statement(action: string, resource = '*'): string {
  return JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource });
}

function explainUnreachable(error: Error, { service, endpoint, region }: AwsCall): { message: string; hint: string } {
  if (error instanceof ProxyError)
    return { message: `${service} cannot be reached: ${error.message}`, hint: error.hint };
  const code = failureCode(error) ?? error.name;
  const host = endpoint === undefined ? undefined : new URL(endpoint).hostname;
  const message = `${service} cannot be reached${endpoint === undefined ? '' : ` at ${endpoint}`}: ${networkReason(error)}`;
  if (host !== undefined && isLoopback(host)) {
    return {
      message,
      hint: 'Start the emulator at this address (the local cloud: `sam-sync cloud start`), or unset AWS_ENDPOINT_URL to sync to AWS.',
    };
  }
  if (isCertificateCode(code)) {
    return { message, hint: 'If a company proxy inspects TLS, set AWS_CA_BUNDLE to its certificates.' };
  }
  if (code === 'ENOTFOUND') {
    return { message, hint: `Check the network${region === undefined ? '' : `, and that ${region} is a Region`}.` };
  }
  return { message, hint: 'Check the network and the proxy settings (HTTPS_PROXY, NO_PROXY).' };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Unknown';
  return (isConnectionFailure(error) ? failureCode(error) : undefined) ?? error.name;
}

function ofProfile(profile: string | undefined, before = '', otherwise = ''): string {
  return profile === undefined ? otherwise : `${before} of profile ${profile}`;
}

function afterAttempts(error: Error): string {
  const attempts = (error as ServiceException).$metadata?.attempts ?? 1;
  return attempts > 1 ? ` after ${attempts} attempts` : '';
}

function requestId(error: Error, separator = ' ('): string {
  const id = (error as ServiceException).$metadata?.requestId;
  if (id === undefined) return '';
  return `${separator}request ${id}${separator === ' (' ? ')' : ''}`;
}

/** The reason, with its code and the request; an answer to HEAD has neither reason nor code. */
function reasonOf(error: Error, request: string): string {
  const code = codeOf(error);
  if (code !== 'Unknown' && code !== 'UnknownError') return `${trim(error.message)} (${code}${request})`;
  return `no reason given (HTTP status ${(error as ServiceException).$metadata?.httpStatusCode ?? 'unknown'}${request})`;
}

function trim(message: string): string {
  return message.trim().replace(/\.$/, '') || 'no reason given';
}
