const CREDENTIALS = /^(authorization|proxy-authorization|cookie|x-api-key|x-auth-token|x-amz-security-token)$/i;

/** Leaves out the headers that carry credentials: requests are remembered on disk. */
export function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.test(name)));
}
