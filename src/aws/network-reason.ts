import { ForeignAnswerError } from './foreign-answer-error.ts';

/** Returns the code of a network error, from its causes and (for hosts with several addresses) its parts. */
export function failureCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { name, code, cause, errors } = error as { name?: unknown; code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  // the limit of a call (`AbortSignal.timeout`) is the cause of an AbortError
  if (name === 'TimeoutError' && depth > 0) return 'ETIMEDOUT';
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return failureCode(cause, depth + 1) ?? failureCode(first, depth + 1);
}

/** Returns whether the code of a network error means an untrusted certificate. */
export function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/.test(code);
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name lookup failed',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'the network is unreachable',
  TimeoutError: 'the request timed out',
  ETIMEDOUT: 'the request timed out',
};

/** Describes why a connection failed. */
export function networkReason(error: Error): string {
  if (error instanceof ForeignAnswerError) return error.message;
  const code = failureCode(error) ?? error.name;
  if (isCertificateCode(code)) return `its certificate is not trusted (${code})`;
  return REASONS[code] ?? (error.message.trim().replace(/\.$/, '') || 'no reason given');
}
