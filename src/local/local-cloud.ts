import type { CloudFiles } from './launch.ts';

/** Nothing in the local cloud checks them; they only must not be an account's. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const REGION = 'us-east-1';

/** A running local cloud and what an AWS client needs to talk to it. */
export interface LocalCloud {
  endpoint: string;
  port: number;
  pid: number;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Variables that send any AWS tool there; `withCloudEnvironment` also takes away what would send it elsewhere. */
  env: Readonly<Record<string, string>>;
  logFile: string;
  /** Whether it was started now, or was running before. */
  started: boolean;
}

/** What a client or tool needs to know of the cloud on a port of this machine. */
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
      // some operations prefix the host, and 127.0.0.1 takes no prefix
      AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    },
    logFile: files.log,
    started: process.started,
  };
}

/** Where the local cloud on a port answers. */
export function endpointOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Variables that say how an AWS tool behaves, and not where it goes or as whom. */
const BEHAVIOUR = /^AWS_(PAGER|DEFAULT_OUTPUT|CLI_\w+|MAX_ATTEMPTS|RETRY_MODE)$/i;

/** The environment for an AWS tool: nothing in it names an account, a profile or another endpoint. */
export function withCloudEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  cloud: LocalCloud,
): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !/^AWS_/i.test(name) || BEHAVIOUR.test(name));
  return { ...Object.fromEntries(kept), ...cloud.env };
}
