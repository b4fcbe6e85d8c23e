import { ForeignAnswerError } from './foreign-answer-error.ts';
import { failureCode, isCertificateCode } from './network-reason.ts';
import { ProxyError } from './proxy-error.ts';

const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'EPIPE',
  'EPROTO',
]);

/**
 * Returns whether AWS sent no response: refused, not found, reset, timed out, not trusted, stopped by a proxy, or answered by
 * something else.
 */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof ProxyError || error instanceof ForeignAnswerError) return true;
  if (!(error instanceof Error)) return false;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== undefined) return false;
  const code = failureCode(error);
  return error.name === 'TimeoutError' || (code !== undefined && (CODES.has(code) || isCertificateCode(code)));
}
