/** Names of headers and query parameters that carry credentials, for example `Authorization`, `x-api-key` and `X-Amz-Security-Token`. */
const CREDENTIALS =
  /auth|cookie|token|secret|(?:api|access|subscription|private|functions)[-_]?key|passw|credential|signature|session|jwt|csrf|xsrf/i;

/** Leaves out the headers that carry credentials: requests are remembered on disk. */
export function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.test(name)));
}

/** The same of headers as they are typed, one a line. */
export function withoutCredentialLines(text: string): string {
  const lines = text.split('\n');
  return lines.filter((line) => !CREDENTIALS.test(/^\s*[^\s:]*/.exec(line)?.[0] ?? '')).join('\n');
}

/** The URL without the values of query parameters that carry credentials. */
export function withoutCredentialValues(url: string): string {
  return url.replace(/([?&][^=&#]*=)[^&#]*/g, (whole, name: string) => (CREDENTIALS.test(name) ? name : whole));
}
