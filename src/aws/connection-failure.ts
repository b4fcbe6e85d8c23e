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

/** The code of a network error, looked for in its causes and (for hosts with several addresses) in its parts. */
export function failureCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return failureCode(cause, depth + 1) ?? failureCode(first, depth + 1);
}

/** Whether no answer came at all: refused, not found, reset, timed out, or not trusted. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== undefined) return false;
  const code = failureCode(error);
  return error.name === 'TimeoutError' || (code !== undefined && (CODES.has(code) || isCertificateCode(code)));
}

/** Whether the network error's code says that the server's certificate is not trusted. */
export function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/.test(code);
}
