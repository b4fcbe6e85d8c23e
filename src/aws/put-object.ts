import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { SMITHY_CONTEXT_KEY } from '@smithy/types';
import type { AwsCredentialIdentity, HandlerExecutionContext, HttpRequest } from '@smithy/types';
import type { Reporter } from '../console/reporter.ts';
import type { Handler, SdkClient } from './calls.ts';
import type { RequestHandler } from './request-handler.ts';
import { amzDate, isModelOf, modelOf, repeatPut, reproduces, type PutModel, type SmallObject } from './repeat-put.ts';

/** Where and how objects are stored. Pass the same value for all objects: it identifies their common request. */
export type PutPlace = Omit<PutObjectCommandInput, 'Key' | 'Body' | 'Metadata'>;

/** Sends `PutObject`. Throws as `send` does. */
export type PutObject = (place: PutPlace, object: SmallObject) => Promise<{ ETag?: string | undefined }>;

/** What sending needs from the clients. */
export interface PutTools {
  handler: RequestHandler;
  reporter: Reporter;
  signal: AbortSignal;
  /** Whether requests may be repeated: the adaptive retry mode decides when each one is sent. */
  canRepeat: boolean;
}

/** The members of the S3 client that we use. */
type S3Client = SdkClient & {
  config: {
    credentials(): Promise<AwsCredentialIdentity>;
    systemClockOffset: number;
    disableClockSkewCorrection?: () => Promise<boolean>;
  };
};

/** Larger bodies (bytes) may get headers that small ones do not have (`expect`). */
const LARGEST_REPEATED = 1_000_000;

type Answer = Awaited<ReturnType<RequestHandler['handle']>>;

/** A call under way. */
interface Put {
  place: PutPlace;
  object: SmallObject;
  /** The outcome of the first attempt, if it was sent already. */
  first?: Promise<Answer> | undefined;
}

/**
 * Creates the sender of objects. The SDK's stack takes five times the processor time of the request itself, so only the first
 * requests to a place go through it. Once their common form is known, the others repeat it with another key, body and signature.
 * A repeated request that is not plainly accepted becomes the first attempt of an ordinary call: the SDK reads its answer, and
 * retries, corrects the clock or fails as always.
 */
export function createPutObject(
  client: object,
  Command: new (input: PutObjectCommandInput) => object,
  { handler, reporter, signal, canRepeat }: PutTools,
): PutObject {
  const s3 = client as S3Client;
  const models = new WeakMap<PutPlace, { model: PutModel; isProven: boolean }>();
  const puts = new WeakMap<object, Put>();

  /** undefined: the next call meets the same failure, and explains it. */
  const identify = (): Promise<AwsCredentialIdentity | undefined> => s3.config.credentials().catch(() => undefined);

  const learn = async ({ place, object }: Put, request: HttpRequest): Promise<void> => {
    const identity = await identify();
    if (identity === undefined || !isSmall(object)) return;
    const known = models.get(place);
    const isProven = known !== undefined && reproduces(known.model, request, { object, identity });
    const model = isProven ? known.model : modelOf(request, object);
    if (model !== undefined) models.set(place, { model, isProven });
  };
  s3.middlewareStack.add(
    (next, context): Handler =>
      async (args) => {
        const put = puts.get(commandOf(context));
        if (put === undefined) return await next(args);
        const { first } = put;
        put.first = undefined;
        if (first !== undefined) return { ...(await first), output: {} };
        const answer = await next(args);
        const { request } = args as { request?: HttpRequest };
        if (request !== undefined && isAccepted(answer as unknown as Answer)) await learn(put, request);
        return answer;
      },
    { step: 'deserialize', priority: 'low', name: 'samSyncPut' },
  );

  /** Makes the request from what is known, if it is known. */
  const makeRequest = async (place: PutPlace, object: SmallObject): Promise<HttpRequest | undefined> => {
    const known = models.get(place);
    if (known?.isProven !== true || !isSmall(object)) return undefined;
    const identity = await identify();
    if (identity === undefined || !isModelOf(known.model, object, identity)) return undefined;
    const offset = (await s3.config.disableClockSkewCorrection?.()) ? 0 : s3.config.systemClockOffset;
    return repeatPut(known.model, object, { date: amzDate(Date.now() + offset), id: randomUUID(), identity });
  };

  return async (place, object) => {
    const put: Put = { place, object };
    const request = canRepeat && !signal.aborted ? await makeRequest(place, object) : undefined;
    if (request !== undefined) {
      const started = performance.now();
      put.first = sendFirst(handler, request, signal);
      const answer = await put.first.catch(() => undefined);
      if (answer !== undefined && isAccepted(answer)) {
        const ms = performance.now() - started;
        reporter.report({
          type: 'api-call',
          service: 'S3',
          operation: 'PutObject',
          ms,
          attempts: 1,
          target: object.key,
        });
        return { ETag: answer.response.headers['etag'] };
      }
      models.delete(place);
    }
    const command = new Command({ ...place, Key: object.key, Body: object.body, Metadata: { ...object.metadata } });
    puts.set(command, put);
    return (await s3.send(command)) as { ETag?: string };
  };
}

/** Sends a first attempt. An answer that the SDK will read is kept whole: only readers notice that a body ends early. */
async function sendFirst(handler: RequestHandler, request: HttpRequest, abortSignal: AbortSignal): Promise<Answer> {
  const answer = await handler.handle(request as Parameters<RequestHandler['handle']>[0], { abortSignal });
  const { response } = answer;
  if (isAccepted(answer)) (response.body as Readable).resume();
  else response.body = Readable.from(await buffer(response.body as Readable));
  return answer;
}

function isSmall({ body }: SmallObject): boolean {
  return body.length <= LARGEST_REPEATED;
}

function commandOf(context: HandlerExecutionContext): object {
  return context[SMITHY_CONTEXT_KEY]?.['commandInstance'] as object;
}

/** Whether S3 stored the object: nothing but headers, one of which is its ETag. */
function isAccepted({ response: { statusCode, headers } }: Answer): boolean {
  const isEmpty = headers['content-length'] === '0' && headers['content-type']?.startsWith('text/html') !== true;
  return statusCode === 200 && isEmpty && Boolean(headers['etag']);
}
