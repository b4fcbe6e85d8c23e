import { isConnectionFailure } from './connection-failure.ts';
import { nameCall, type Handler, type SdkClient } from './calls.ts';
import { ForeignAnswerError } from './foreign-answer-error.ts';

/** The members of an HTTP response that we look at. */
interface HttpAnswer {
  statusCode: number;
  headers: Readonly<Record<string, string>>;
}

/**
 * Makes a client reject answers that do not come from AWS: the page of a gateway or of a network that wants a sign-in, an
 * empty answer, or one that cannot be read. The SDK would take some of them for an answer without members, that is, for a stack
 * that does not exist.
 */
export function rejectForeignAnswers(client: SdkClient): void {
  client.middlewareStack.add(
    (next, context): Handler =>
      async (args) => {
        const { request } = args as { request?: { method?: string } };
        const isForeign = (answer: HttpAnswer | undefined, output?: object): ForeignAnswerError | undefined =>
          answer && foreignAnswer(answer, { service: nameCall(context).service, method: request?.method, output });
        let result: Awaited<ReturnType<Handler>>;
        try {
          result = await next(args);
        } catch (error) {
          throw isForeign(answerOf(error)) ?? unreadable(error) ?? error;
        }
        const foreign = isForeign((result as { response?: HttpAnswer }).response, result.output);
        if (foreign !== undefined) throw foreign;
        return result;
      },
    { step: 'deserialize', priority: 'high', name: 'samSyncForeignAnswer' },
  );
}

function answerOf(error: unknown): HttpAnswer | undefined {
  return (error as { $response?: HttpAnswer } | null)?.$response;
}

function foreignAnswer(
  { statusCode, headers }: HttpAnswer,
  { service, method = 'GET', output }: { service: string; method: string | undefined; output: object | undefined },
): ForeignAnswerError | undefined {
  const header = (name: string): string => headers[name] ?? '';
  // all services give each answer an id, in a header of one of these names
  const isFromAws = ['x-amzn-requestid', 'x-amz-request-id', 'x-amzn-request-id', 'x-amz-id-2'].some(header);
  if (header('content-type').startsWith('text/html') && !isFromAws) {
    return new ForeignAnswerError(`a web page answered instead of AWS (HTTP status ${statusCode})`);
  }
  if (output === undefined || (statusCode !== 200 && statusCode !== 201)) return undefined;
  const hasMembers = Object.keys(output).some((member) => member !== '$metadata');
  // S3 answers some requests with headers only
  const mayBeEmpty = hasMembers || method === 'DELETE' || method === 'HEAD' || service === 'S3';
  if (isFromAws ? mayBeEmpty || header('content-length') !== '0' : hasMembers) return undefined;
  return new ForeignAnswerError(`the answer is empty (HTTP status ${statusCode})`);
}

/** The error for an answer that reports success and does not have the form of one, or that ends too early. */
function unreadable(error: unknown): ForeignAnswerError | undefined {
  const answer = answerOf(error);
  if (answer === undefined || answer.statusCode >= 300) return undefined;
  const { $metadata: _metadata, ...lost } = error as Error & { $metadata?: object };
  const reason = isConnectionFailure(Object.assign(new Error(), lost))
    ? 'the connection was closed before the end of the answer'
    : 'the answer is incomplete or not one of AWS';
  return new ForeignAnswerError(`${reason} (HTTP status ${answer.statusCode})`, { cause: error });
}
