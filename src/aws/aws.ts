import { setMaxListeners } from 'node:events';
import { NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config';
import type { AwsCredentialIdentity, RetryStrategyV2 } from '@smithy/types';
import type { Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { once } from '../support/once.ts';
import type { RoleSession } from './assume-role.ts';
import { reportCalls, type SdkClient } from './calls.ts';
import { readAwsConfig, type Env } from './config-files.ts';
import { createRequestHandler, type RequestHandler } from './request-handler.ts';
import { createRetryStrategy } from './retry.ts';
import { resolveAwsSettings, resolveGivenSettings, type AwsSettings } from './settings.ts';

/** What a run says about the account, and where its calls are reported. */
export interface AwsOptions {
  env: Env;
  /** `--profile`. */
  profile?: string | undefined;
  /** `--region`. */
  region?: string | undefined;
  /** One endpoint for all services (the local cloud), over everything that is configured. */
  endpoint?: string | undefined;
  /** These and no others: neither the environment nor `~/.aws` is read then. */
  credentials?: AwsCredentialIdentity | undefined;
  reporter: Reporter;
  /** Ends every call that is under way or waits for a retry. */
  signal?: AbortSignal | undefined;
  /** Ours, for the user agent. */
  version?: string | undefined;
  /** Asks for the code of an MFA device; without it a role that needs one is an error. */
  askMfaCode?: ((device: string) => Promise<string>) | undefined;
}

// named exports only, so that each chunk of the bundle holds the commands that we use
const SERVICES = {
  cloudFormation: { id: 'CloudFormation', load: () => import('./clients/cloudformation.ts') },
  s3: { id: 'S3', load: () => import('./clients/s3.ts') },
  lambda: { id: 'Lambda', load: () => import('./clients/lambda.ts') },
  sts: { id: 'STS', load: () => import('./clients/sts.ts') },
  apiGateway: { id: 'API Gateway', load: () => import('./clients/api-gateway.ts') },
  apiGatewayV2: { id: 'ApiGatewayV2', load: () => import('./clients/api-gateway-v2.ts') },
  stepFunctions: { id: 'SFN', load: () => import('./clients/step-functions.ts') },
  kms: { id: 'KMS', load: () => import('./clients/kms.ts') },
  ecr: { id: 'ECR', load: () => import('./clients/ecr.ts') },
  cloudWatchLogs: { id: 'CloudWatch Logs', load: () => import('./clients/cloudwatch-logs.ts') },
} as const;

type Services = typeof SERVICES;
type ServiceName = keyof Services;
type ServiceModule<K extends ServiceName> = Awaited<ReturnType<Services[K]['load']>>;

/** A client with the commands that we use: `const { send, PutObjectCommand } = await aws.s3()`. */
export type Service<K extends ServiceName> = Omit<ServiceModule<K>, 'Client'> & {
  client: InstanceType<ServiceModule<K>['Client']>;
  /** Rejects with an `AwsError`, or with the signal's reason. */
  send: InstanceType<ServiceModule<K>['Client']>['send'];
  /** The same, but also when the run was interrupted, and for some seconds at most: undoes what was begun. */
  sendLate: InstanceType<ServiceModule<K>['Client']>['send'];
};

/** The way to AWS: clients made and loaded on first use, once each. */
export type Aws = { readonly [K in ServiceName]: () => Promise<Service<K>> } & {
  /** The region in force; rejects with how to set one. */
  region(): Promise<string>;
  /** The profile that is named somewhere, if any; for commands that we tell the user to type. */
  profile(): Promise<string | undefined>;
  /** The custom endpoint of a service, if there is one. */
  endpoint(service: ServiceName): Promise<string | undefined>;
  /** Settings and credentials are looked up again with the next call of a service: they may have been changed meanwhile. */
  renew(): void;
  /** What `close` waits for, because it undoes something when it is given up. */
  beforeClose(work: Promise<unknown>): void;
  /** Gives up calls that are under way, waits until what they began is undone, and closes the connections. */
  close(): Promise<void>;
};

/** Makes the way to AWS. Nothing is read or loaded before it is used. */
export function createAws(options: AwsOptions): Aws {
  const settings = once(() => readSettings(options));
  const region = once(async () => (await settings()).region ?? (await readMetadataRegion()));
  const requestHandler = once(async () => createRequestHandler(options.env, (await settings()).caBundle));
  let opened: RequestHandler | undefined;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  // each call under way listens; beyond ten Node would warn of a leak
  setMaxListeners(0, signal);
  const undone = new Set<Promise<unknown>>();

  const createService = async <K extends ServiceName>(name: K, identity?: Identity): Promise<Service<K>> => {
    const { id, load } = SERVICES[name];
    const [{ Client, ...commands }, inForce, handler] = await Promise.all([load(), settings(), requestHandler()]);
    opened = handler;
    const endpoint = inForce.endpointOf(id);
    const about = { region: await region(), profile: inForce.profile };
    const config = {
      ...about,
      credentials: identity ?? (await credentials()),
      endpoint,
      ignoreConfiguredEndpointUrls: true,
      requestHandler: handler,
      maxAttempts: inForce.maxAttempts,
      retryStrategy: createRetryStrategy(inForce.retryMode, inForce.maxAttempts),
      customUserAgent: [['sam-sync', options.version ?? '0']],
      ...(name === 's3' ? s3Config(inForce, endpoint) : {}),
    };
    const client = new (Client as unknown as ClientConstructor)(config);
    const { sendLate } = reportCalls(client, { ...about, reporter: options.reporter, signal });
    const send = client.send.bind(client);
    return { ...commands, client, send, sendLate } as unknown as Service<K>;
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
        const { send, AssumeRoleCommand } = await createService('sts', source);
        const { RoleArn, RoleSessionName, ...rest } = request;
        return toSession(await send(new AssumeRoleCommand({ RoleArn, RoleSessionName, ...rest })));
      },
    });
  });

  const services = Object.keys(SERVICES).map((name) => [name, once(() => createService(name as ServiceName))] as const);
  return {
    ...(Object.fromEntries(services) as unknown as { [K in ServiceName]: () => Promise<Service<K>> }),
    region,
    profile: async () => (await settings()).profile,
    endpoint: async (service) => (await settings()).endpointOf(SERVICES[service].id),
    renew: () => {
      for (const memo of [settings, credentials, ...services.map(([, service]) => service)]) memo.reset();
    },
    beforeClose: (work) => {
      undone.add(work);
      work.finally(() => undone.delete(work)).catch(() => {}); // for who awaits the work itself
    },
    close: async () => {
      closing.abort(new Error('The connections to AWS were closed'));
      await Promise.allSettled(undone);
      opened?.destroy();
    },
  };
}

type Identity = AwsCredentialIdentity | (() => Promise<AwsCredentialIdentity>);

type ClientConstructor = new (config: object & { retryStrategy: RetryStrategyV2 }) => SdkClient;

async function readSettings({ env, profile, region, endpoint, credentials }: AwsOptions): Promise<AwsSettings> {
  if (credentials !== undefined) return resolveGivenSettings(env, region, endpoint);
  return resolveAwsSettings({ env, config: await readAwsConfig(env), profile, region, endpoint });
}

/** The last resort of the AWS CLI too: the region of the EC2 instance that this is; elsewhere it is given up after 1 s. */
async function readMetadataRegion(): Promise<string> {
  try {
    const region: unknown = await (NODE_REGION_CONFIG_OPTIONS.default as () => Promise<unknown>)();
    if (typeof region === 'string') return region;
  } catch {
    // said below
  }
  throw new UserError('No AWS region is set', {
    hint: 'Give --region, set AWS_REGION, or run `aws configure`; --local needs none.',
  });
}

/** Emulators know neither bucket names as host names nor, all of them, the newer checksums. */
function s3Config(settings: AwsSettings, endpoint: string | undefined): object {
  const style = settings.s3AddressingStyle;
  const plain = endpoint !== undefined && !settings.checksumsConfigured;
  return {
    forcePathStyle: style === 'path' || (endpoint !== undefined && style !== 'virtual'),
    // a bucket in another Region is refused: what deploys from it would fail
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
