import { Component } from 'preact';
import type { VNode } from 'preact';
import type { Endpoint } from '../../console/reporter.ts';
import type { CallAnswer, CallRequest } from '../commands.ts';
import { api } from './api.ts';
import type { CommandError } from './api.ts';
import { withoutCredentials } from './credential-headers.ts';
import { Failure, TextBlock } from './event-form.tsx';
import { formatMs } from './format.ts';
import { remember, rememberedOf } from './remembered.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

interface CallState {
  /** undefined: the request that was sent last. */
  request: CallRequest | undefined;
  headers: string | undefined;
  isSending: boolean;
  answer: CallAnswer | undefined;
  error: CommandError | undefined;
}

/** Calls an endpoint: its path can be changed, which has parameters. */
export class CallForm extends Component<{ endpoint: Endpoint }, CallState> {
  override state: CallState = {
    request: undefined,
    headers: undefined,
    isSending: false,
    answer: undefined,
    error: undefined,
  };

  override render({ endpoint }: { endpoint: Endpoint }, state: CallState): VNode {
    const name = `${endpoint.method} ${endpoint.url}`;
    const request = state.request ?? parseRequest(rememberedOf(name)?.[0]) ?? firstRequest(endpoint);
    const headers = state.headers ?? formatHeaders(request.headers);
    const change = (part: Partial<CallRequest>): void => this.setState({ request: { ...request, ...part } });
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    return (
      <>
        <form
          class="try"
          onSubmit={(event) => {
            event.preventDefault();
            void this.#send(name, { ...request, headers: parseHeaders(headers) });
          }}
        >
          <div class="request-line">
            <select
              aria-label="Method"
              value={request.method}
              disabled={endpoint.method !== 'ANY'}
              onChange={({ currentTarget }) => change({ method: currentTarget.value })}
            >
              {[...new Set([request.method, ...METHODS])].map((method) => (
                <option key={method}>{method}</option>
              ))}
            </select>
            <input
              aria-label="URL"
              spellcheck={false}
              value={request.url}
              onInput={({ currentTarget }) => change({ url: currentTarget.value })}
            />
            <button type="submit" class="primary" disabled={state.isSending}>
              {state.isSending ? 'Call …' : 'Call'}
            </button>
          </div>
          {endpoint.signed && (
            <p class="problem">
              Requests to this URL must be signed with AWS credentials: invoke the function instead.
            </p>
          )}
          <details open={headers !== '' || (hasBody && request.body !== '')}>
            <summary>Headers{hasBody ? ' and body' : ''}</summary>
            <textarea
              aria-label="Headers"
              rows={2}
              spellcheck={false}
              placeholder="name: value"
              value={headers}
              onInput={({ currentTarget }) => this.setState({ headers: currentTarget.value })}
            />
            {hasBody && (
              <textarea
                aria-label="Body"
                rows={5}
                spellcheck={false}
                placeholder="Body"
                value={request.body}
                onInput={({ currentTarget }) => change({ body: currentTarget.value })}
              />
            )}
          </details>
        </form>
        <Failure error={state.error} />
        {state.answer !== undefined && <CallResult answer={state.answer} />}
      </>
    );
  }

  async #send(name: string, request: CallRequest): Promise<void> {
    this.setState({ request, isSending: true, error: undefined });
    remember(name, JSON.stringify({ ...request, headers: withoutCredentials(request.headers) }));
    try {
      this.setState({ answer: await api.call(request) });
    } catch (error) {
      this.setState({ answer: undefined, error: error as CommandError });
    } finally {
      this.setState({ isSending: false });
    }
  }
}

function CallResult({ answer }: { answer: CallAnswer }): VNode {
  const { status, statusText, headers, body, binaryBytes, cutBytes, ms } = answer;
  return (
    <div class="answer">
      <p class={`result ${status < 400 ? 'is-good' : 'is-bad'}`} role="status">
        <strong>
          {status} {statusText}
        </strong>
        <span>{formatMs(ms)}</span>
      </p>
      {binaryBytes === undefined ? (
        <TextBlock label="Body" text={body} />
      ) : (
        <p class="empty">{binaryBytes} bytes that are not text</p>
      )}
      {cutBytes !== undefined && <p class="empty">{cutBytes} more bytes are not shown</p>}
      <details>
        <summary>Headers</summary>
        <pre class="text">{headers.map(([name, value]) => `${name}: ${value}`).join('\n')}</pre>
      </details>
    </div>
  );
}

function firstRequest({ method, url }: Endpoint): CallRequest {
  const isAny = method === 'ANY';
  const hasBody = !isAny && method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
  return {
    method: isAny ? 'GET' : method,
    url: url.replace(/\$default$/, ''),
    headers: hasBody ? { 'content-type': 'application/json' } : {},
    body: hasBody ? '{}' : '',
  };
}

function parseRequest(text: string | undefined): CallRequest | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as CallRequest);
  } catch {
    return undefined;
  }
}

function formatHeaders(headers: CallRequest['headers']): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : [])));
}
