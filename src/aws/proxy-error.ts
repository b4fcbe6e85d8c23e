import { failureCode, isCertificateCode, networkReason } from './network-reason.ts';
import { proxyLabel, type Proxy } from './proxy.ts';

/** Why a request did not get past the proxy: the proxy's response, or no response. */
export interface ProxyObstacle {
  proxy: Proxy;
  /** The requested `host:port`. */
  target: string;
  /** Status of the proxy's response, e.g. `407 Proxy Authentication Required`. */
  status?: { code: number; text: string };
  cause?: unknown;
}

/** A request did not get past the proxy. The message continues "… cannot be reached:"; the hint says what to do. */
export class ProxyError extends Error {
  readonly hint: string;
  /** Error code of the connection to the proxy, if that failed. */
  readonly code: string | undefined;
  /** Lets the SDK retry a failed connection to the proxy, or from the proxy to the host. */
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
  const message = `the proxy ${proxyLabel(proxy)} does not respond: ${networkReason(error)}`;
  if (isCertificateCode(failureCode(error) ?? '')) {
    return { message, hint: "Set AWS_CA_BUNDLE, or ca_bundle of the profile, to the proxy's certificates." };
  }
  return {
    message,
    hint: `Check ${proxy.variable} and that the proxy is running, or list hosts to reach without it in NO_PROXY.`,
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
          message: `the proxy ${label} rejected the user name and password (${answer})`,
          hint: `Check them in ${proxy.variable}; special characters of the password must be percent-encoded. Only basic authentication is supported.`,
        };
  }
  if (code >= 500) {
    return {
      message: `the proxy ${label} could not connect to ${target} (${answer})`,
      hint: `Check that the host exists (a wrong Region?) and that the proxy may reach it, or list the host in NO_PROXY.`,
    };
  }
  return {
    message: `the proxy ${label} refused a connection to ${target} (${answer})`,
    hint: `Allow this host in the proxy, or list it in NO_PROXY if it can be reached without the proxy.`,
  };
}
