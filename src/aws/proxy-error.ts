import { failureCode, isCertificateCode, networkReason } from './network-reason.ts';
import { proxyLabel, type Proxy } from './proxy.ts';

/** What stopped a request at the proxy: its own answer, or that there was none. */
export interface ProxyObstacle {
  proxy: Proxy;
  /** `host:port` that was asked for. */
  target: string;
  /** The status line of the proxy's answer: `407 Proxy Authentication Required`. */
  status?: { code: number; text: string };
  cause?: unknown;
}

/** A request that did not get past the proxy. The message goes on where "… cannot be reached:" ends; the hint says what to do. */
export class ProxyError extends Error {
  readonly hint: string;
  /** Of the connection to the proxy, if that failed. */
  readonly code: string | undefined;
  /** The SDK tries again what may pass: no connection to the proxy, or none from it to the host. */
  readonly $retryable: object | undefined;

  constructor(obstacle: ProxyObstacle) {
    const { message, hint } = explain(obstacle);
    super(message, { cause: obstacle.cause });
    this.name = 'ProxyError';
    this.hint = hint;
    this.code = failureCode(obstacle.cause);
    this.$retryable = obstacle.status === undefined || obstacle.status.code >= 500 ? {} : undefined;
  }
}

function explain(obstacle: ProxyObstacle): { message: string; hint: string } {
  return obstacle.status === undefined ? explainSilence(obstacle) : explainRefusal(obstacle, obstacle.status);
}

function explainSilence({ proxy, cause }: ProxyObstacle): { message: string; hint: string } {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const message = `the proxy ${proxyLabel(proxy)} does not answer: ${networkReason(error)}`;
  if (isCertificateCode(failureCode(error) ?? '')) {
    return { message, hint: "Name the proxy's certificates with AWS_CA_BUNDLE, or ca_bundle of the profile." };
  }
  return {
    message,
    hint: `Check ${proxy.variable} and that the proxy is running; NO_PROXY lists hosts to reach without it.`,
  };
}

function explainRefusal(
  { proxy, target }: ProxyObstacle,
  { code, text }: { code: number; text: string },
): { message: string; hint: string } {
  const label = proxyLabel(proxy);
  const answer = `${code} ${text}`.trim();
  if (code === 407) {
    const { protocol, host, username } = proxy.url;
    return username === ''
      ? {
          message: `the proxy ${label} requires a user name and password (${answer})`,
          hint: `Set ${proxy.variable} to ${protocol}//user:password@${host}, with special characters of the password percent-encoded.`,
        }
      : {
          message: `the proxy ${label} did not accept the user name and password (${answer})`,
          hint: `Check them in ${proxy.variable}; special characters of the password must be percent-encoded. Only basic authentication is supported.`,
        };
  }
  if (code >= 500) {
    return {
      message: `the proxy ${label} could not connect to ${target} (${answer})`,
      hint: `Check that the host exists (a wrong Region?) and that the proxy may reach it; NO_PROXY lists hosts to reach without the proxy.`,
    };
  }
  return {
    message: `the proxy ${label} refused a connection to ${target} (${answer})`,
    hint: `Have the proxy allow this host, or list it in NO_PROXY if it can be reached without the proxy.`,
  };
}
