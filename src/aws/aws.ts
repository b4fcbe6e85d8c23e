import { setMaxListeners } from 'node:events';
import { NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config';
import type { AwsCredentialIdentity, RetryStrategyV2 } from '@smithy/types';
import { note, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { once, oncePerName } from '../support/once.ts';
import type { RoleSession } from './assume-role.ts';
import { reportCalls, type SdkClient } from './calls.ts';
import { readAwsConfig, type Env } from './config-files.ts';
import { rejectForeignAnswers } from './foreign-answer.ts';
import { paceCalls } from './pace-calls.ts';
import { createPacer, SYSTEM_CLOCK } from './pacer.ts';
import { isLoopback } from './proxy.ts';
import type { PutObject } from './put-object.ts';
import { describeQuota } from './quotas.ts';
import { createRequestHandler, requestTimeout, type RequestHandler } from './request-handler.ts';
import { createRetryStrategy } from './retry.ts';
import { resolveAwsSettings, resolveGivenSettings, type AwsSettings } from './settings.ts';

/** The account to use, and where to report calls. */
export interface AwsOptions {
  env: Env;
  /** `--profile`. */
  profile?: string | undefined;
  /** `--region`. */
  region?: string | undefined;
  /** One endpoint for all services (the local cloud), overriding every configured one. */
  endpoint?: string | undefined;
  /** Replaces credentials of the environment and `~/.aws`, which are then not read. */
  credentials?: AwsCredentialIdentity | undefined;
  reporter: Reporter;
  /** Aborts running calls and waits for retries. */
  signal?: AbortSignal | undefined;
  /** Version of sam-sync, for the user agent. */
  version?: string | undefined;
  /** Asks for the code of an MFA device; undefined: a role that needs one is an error. */
  askMfaCode?: ((device: string) => Promise<string>) | undefined;
}

// the modules use named exports, so that each chunk of the bundle has only the commands we use
const SERVICES = {
  cloudFormation: { id: 'CloudFormation', load: () => import('./clients/cloudformation.ts') },
  s3: { id: 'S3', load: () => import('./clients/s3.ts') },
  lambda: { id: 'Lambda', load: () => import('./clients/lambda.ts') },
  lambdaWeb: { id: 'Lambda Web', load: () => import('./clients/lambda-web.ts') },
  sts: { id: 'STS', load: () => import('./clients/sts.ts') },
  apiGateway: { id: 'API Gateway', load: () => import('./clients/api-gateway.ts') },
  apiGatewayV2: { id: 'ApiGatewayV2', load: () => import('./clients/api-gateway-v2.ts') },
  stepFunctions: { id: 'SFN', load: () => import('./clients/step-functions.ts') },
  appSync: { id: 'AppSync', load: () => import('./clients/appsync.ts') },
  cloudControl: { id: 'CloudControl', load: () => import('./clients/cloud-control.ts') },
  tagging: { id: 'Resource Groups Tagging API', load: () => import('./clients/tagging.ts') },
  kms: { id: 'KMS', load: () => import('./clients/kms.ts') },
  ecr: { id: 'ECR', load: () => import('./clients/ecr.ts') },
  cloudWatchLogs: { id: 'CloudWatch Logs', load: () => import('./clients/cloudwatch-logs.ts') },
} as const;

type Services = typeof SERVICES;
type ServiceName = keyof Services;
type ServiceModule<K extends ServiceName> = Awaited<ReturnType<Services[K]['load']>>;

/** A client with the commands we use: `const { send, PutObjectCommand } = await aws.s3()`. */
export type Service<K extends ServiceName> = Omit<ServiceModule<K>, 'Client'> & {
  client: InstanceType<ServiceModule<K>['Client']>;
  /** Sends a command. Throws an `AwsError` or the signal's reason. */
  send: InstanceType<ServiceModule<K>['Client']>['send'];
  /** Sends a command that undoes something, even after an interruption, for some seconds at most. */
  sendLate: InstanceType<ServiceModule<K>['Client']>['send'];
  /** Sends a command that creates something each time: no request that may have arrived is repeated (`createOnce`). */
  sendOnce: InstanceType<ServiceModule<K>['Client']>['send'];
} & (K extends 's3' ? { putObject: PutObject } : unknown);

/** AWS clients, each loaded and created on first use. */
export type Aws = { readonly [K in ServiceName]: () => Promise<Service<K>> } & {
  /** S3 in another Region, for a bucket that is read only. */
  s3In(region: string): Promise<Service<'s3'>>;
  /** Returns the current Region. Throws a `UserError` if none is set. */
  region(): Promise<string>;
  /** Returns the named profile, if any, for commands that messages suggest. */
  profile(): Promise<string | undefined>;
  /** Returns the custom endpoint of a service, if any. */
  endpoint(service: ServiceName): Promise<string | undefined>;
  /** How long a request may be silent (ms). */
  readonly requestTimeout: number;
  /** Starts to connect to services that will be called soon. Never fails: the first call meets the same failure. */
  prepare(...services: readonly ServiceName[]): void;
  /** Makes the next call load settings and credentials again: they may have changed. */
  renew(): void;
  /** Makes `close` wait for work that undoes something when aborted. */
  beforeClose(work: Promise<unknown>): void;
  /** Aborts running calls, waits until they have undone their work, and closes the connections. */
  close(): Promise<void>;
};

/** Creates the clients. Reads and loads nothing before the first use. */
export function createAws(options: AwsOptions): Aws {
  const settings = once(() => readSettings(options));
  const region = once(async () => (await settings()).region ?? (await readMetadataRegion()));
  const requestHandler = once(async () => createRequestHandler(options.env, (await settings()).caBundle));
  let opened: RequestHandler | undefined;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  // each running call listens; Node warns of a leak beyond ten listeners
  setMaxListeners(0, signal);
  const undoing = new Set<Promise<unknown>>();
  // all clients share it: the quotas are the account's, and a watch session uses them as one run
  const pacer = createPacer(SYSTEM_CLOCK, (quota) =>
    note(options.reporter, 'info', `Waiting for the ${describeQuota(quota)}`),
  );

  const createService = async <K extends ServiceName>(
    name: K,
    { identity, region: other }: { identity?: Identity; region?: string } = {},
  ): Promise<Service<K>> => {
    const { id, load } = SERVICES[name];
    const [{ Client, ...commands }, current, handler] = await Promise.all([load(), settings(), requestHandler()]);
    opened = handler;
    const endpoint = current.endpointOf(id);
    // a cloud on this machine has no quotas
    const isPaced = endpoint === undefined || !isLoopback(new URL(endpoint).hostname);
    const target = { region: other ?? (await region()), profile: current.profile };
    const config = {
      ...target,
      credentials: identity ?? (await credentials()),
      endpoint,
      ignoreConfiguredEndpointUrls: true,
      // an address of this machine takes no prefix (`sync-` of StartSyncExecution)
      disableHostPrefix: !isPaced,
      requestHandler: handler,
      maxAttempts: current.maxAttempts,
      retryStrategy: createRetryStrategy({ mode: current.retryMode, maxAttempts: current.maxAttempts, isPaced }),
      customUserAgent: [['sam-sync', options.version ?? '0']],
      ...(name === 's3' ? s3Config(current, endpoint) : {}),
    };
    const client = new (Client as unknown as ClientConstructor)(config);
    const waitedFor = isPaced ? paceCalls(client, pacer) : undefined;
    rejectForeignAnswers(client);
    const { sendLate, sendOnce } = reportCalls(client, { ...target, reporter: options.reporter, signal, waitedFor });
    const send = client.send.bind(client);
    const service = { ...commands, client, send, sendLate, sendOnce };
    if (!('PutObjectCommand' in commands)) return service as unknown as Service<K>;
    const { createPutObject } = await import('./put-object.ts');
    const canRepeat = current.retryMode === 'standard';
    const tools = { handler, reporter: options.reporter, signal, canRepeat };
    return {
      ...service,
      putObject: createPutObject(client, commands.PutObjectCommand, tools),
    } as unknown as Service<K>;
  };

  const credentials = once(async (): Promise<Identity> => {
    if (options.credentials !== undefined) return options.credentials;
    const { createCredentialProvider } = await import('./credentials.ts');
    return createCredentialProvider({
      env: options.env,
      settings: await settings(),
      requestHandler: await requestHandler(),
      askMfaCode: options.askMfaCode,
      assumeRole: async (source, request) => {
        const { send, AssumeRoleCommand } = await createService('sts', { identity: source });
        const { RoleArn, RoleSessionName, ...rest } = request;
        return toSession(await send(new AssumeRoleCommand({ RoleArn, RoleSessionName, ...rest })));
      },
    });
  });

  const elsewhere = new Map<string, Promise<Service<'s3'>>>();
  const services = Object.keys(SERVICES).map((name) => [name, once(() => createService(name as ServiceName))] as const);
  return {
    ...(Object.fromEntries(services) as unknown as { [K in ServiceName]: () => Promise<Service<K>> }),
    s3In: (other) => oncePerName(elsewhere, other, () => createService('s3', { region: other })),
    region,
    profile: async () => (await settings()).profile,
    endpoint: async (service) => (await settings()).endpointOf(SERVICES[service].id),
    requestTimeout: requestTimeout(options.env),
    prepare: (...names) => {
      for (const name of names) {
        void (async () => {
          const service = services.find(([known]) => known === name)?.[1];
          const url = await endpointUrl((await service?.())?.client as unknown as EndpointSource);
          (await requestHandler()).prepare(url);
        })().catch(() => {});
      }
    },
    renew: () => {
      elsewhere.clear();
      for (const memo of [settings, credentials, ...services.map(([, service]) => service)]) memo.reset();
    },
    beforeClose: (work) => {
      undoing.add(work);
      work.finally(() => undoing.delete(work)).catch(() => {}); // the caller handles the error
    },
    close: async () => {
      closing.abort(new Error('The connections to AWS were closed'));
      await Promise.allSettled(undoing);
      opened?.destroy();
    },
  };
}

/** The part of a client's configuration that decides its endpoint. */
interface EndpointSource {
  config: {
    endpointProvider(parameters: object): { url: URL };
    endpoint?: () => Promise<{ protocol: string; hostname: string; port?: number }>;
    region(): Promise<string>;
    useFipsEndpoint(): Promise<boolean>;
    useDualstackEndpoint(): Promise<boolean>;
  };
}

async function endpointUrl({ config }: EndpointSource): Promise<URL> {
  const own = await config.endpoint?.();
  if (own !== undefined)
    return new URL(`${own.protocol}//${own.hostname}${own.port === undefined ? '' : `:${own.port}`}`);
  const [Region, UseFIPS, UseDualStack] = await Promise.all([
    config.region(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  return config.endpointProvider({ Region, UseFIPS, UseDualStack }).url;
}

type Identity = AwsCredentialIdentity | (() => Promise<AwsCredentialIdentity>);

type ClientConstructor = new (config: object & { retryStrategy: RetryStrategyV2 }) => SdkClient;

async function readSettings({ env, profile, region, endpoint, credentials }: AwsOptions): Promise<AwsSettings> {
  if (credentials !== undefined) return resolveGivenSettings(env, region, endpoint);
  return resolveAwsSettings({ env, config: await readAwsConfig(env), profile, region, endpoint });
}

/** Returns the Region of this EC2 instance, the last resort of the AWS CLI too. Elsewhere gives up after 1 s. */
async function readMetadataRegion(): Promise<string> {
  try {
    const region: unknown = await (NODE_REGION_CONFIG_OPTIONS.default as () => Promise<unknown>)();
    if (typeof region === 'string') return region;
  } catch {
    // reported below
  }
  throw new UserError('No AWS Region is set', {
    hint: 'Pass --region, set AWS_REGION, or run `aws configure`. --local needs no Region.',
  });
}

/** Adapts to emulators, which do not resolve bucket names as host names and may lack the newer checksums. */
function s3Config(settings: AwsSettings, endpoint: string | undefined): object {
  const style = settings.s3AddressingStyle;
  const plain = endpoint !== undefined && !settings.checksumsConfigured;
  return {
    forcePathStyle: style === 'path' || (endpoint !== undefined && style !== 'virtual'),
    // reject a bucket in another Region: a deployment from it would fail
    followRegionRedirects: false,
    ...(plain ? { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } : {}),
  };
}

interface AssumeRoleAnswer {
  Credentials?:
    | {
        AccessKeyId: string | undefined;
        SecretAccessKey: string | undefined;
        SessionToken: string | undefined;
        Expiration: Date | undefined;
      }
    | undefined;
  AssumedRoleUser?: RoleSession['AssumedRoleUser'] | undefined;
}

function toSession({ Credentials, AssumedRoleUser }: AssumeRoleAnswer): RoleSession {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration = new Date() } = Credentials ?? {};
  return {
    Credentials: { AccessKeyId, SecretAccessKey, SessionToken, Expiration: Expiration.toISOString() },
    AssumedRoleUser,
  };
}
