/** The code of a network error, looked for in its causes and (for hosts with several addresses) in its parts. */
export function failureCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return failureCode(cause, depth + 1) ?? failureCode(first, depth + 1);
}

/** Whether the network error's code says that the server's certificate is not trusted. */
export function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/.test(code);
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no network',
  TimeoutError: 'no answer in time',
  ETIMEDOUT: 'no answer in time',
};

/** Why a connection failed, in words. */
export function networkReason(error: Error): string {
  const code = failureCode(error) ?? error.name;
  if (isCertificateCode(code)) return `its certificate is not trusted (${code})`;
  return REASONS[code] ?? (error.message.trim().replace(/\.$/, '') || 'no reason given');
}
