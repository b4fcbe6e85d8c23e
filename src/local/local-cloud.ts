import type { CloudFiles } from './launch.ts';

/** Any values that are not an account's: the local cloud does not check them. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const REGION = 'us-east-1';

/** A running local cloud and the settings of its clients. */
export interface LocalCloud {
  endpoint: string;
  port: number;
  pid: number;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Variables that direct any AWS tool to it; `withCloudEnvironment` also removes those that would direct it elsewhere. */
  env: Readonly<Record<string, string>>;
  logFile: string;
  /** This call started it. */
  started: boolean;
}

/** Describes the local cloud on a port for its clients. */
export function describeCloud(files: CloudFiles, port: number, process: { pid: number; started: boolean }): LocalCloud {
  const endpoint = endpointOf(port);
  return {
    endpoint,
    port,
    pid: process.pid,
    region: REGION,
    credentials: CREDENTIALS,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
      // some operations prefix the host name, which 127.0.0.1 does not allow
      AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    },
    logFile: files.log,
    started: process.started,
  };
}

/** Returns the endpoint of the local cloud on a port. */
export function endpointOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Variables for the behaviour of AWS tools, not for account or endpoint. */
const BEHAVIOUR = /^AWS_(PAGER|DEFAULT_OUTPUT|CLI_\w+|MAX_ATTEMPTS|RETRY_MODE)$/i;

/** Returns the environment for an AWS tool, without any other account, profile or endpoint. */
export function withCloudEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  cloud: LocalCloud,
): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !/^AWS_/i.test(name) || BEHAVIOUR.test(name));
  return { ...Object.fromEntries(kept), ...cloud.env };
}
