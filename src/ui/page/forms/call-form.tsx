import { Component } from 'preact';
import type { VNode } from 'preact';
import type { Endpoint } from '../../../console/reporter.ts';
import type { CallAnswer, CallRequest } from '../../commands.ts';
import { answerOf, sendFor } from './answers.ts';
import { api } from '../api.ts';
import { withoutCredentialLines, withoutCredentials, withoutCredentialValues } from './credential-headers.ts';
import { draftOf, keepDraft } from './drafts.ts';
import { Failure, TextBlock, submitOnCtrlEnter } from './event-form.tsx';
import { formatMs } from '../format.ts';
import { remember, rememberedOf } from './remembered.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** What is in the form. */
interface CallDraft {
  method: string;
  url: string;
  /** As they are typed. */
  headers: string;
  body: string;
}

/** Calls an endpoint: its path can be changed, which has parameters. */
export class CallForm extends Component<{ endpoint: Endpoint }> {
  override render({ endpoint }: { endpoint: Endpoint }): VNode {
    const name = `${endpoint.method} ${endpoint.url}`;
    const draft = draftFor(name, endpoint);
    const { isSending, answer, error } = answerOf(name);
    const change = (part: Partial<CallDraft>): void => {
      const changed = { ...draft, ...part };
      const stored = {
        ...changed,
        url: withoutCredentialValues(changed.url),
        headers: withoutCredentialLines(changed.headers),
      };
      keepDraft(name, JSON.stringify(changed), JSON.stringify(stored));
      this.setState({});
    };
    const hasBody = draft.method !== 'GET' && draft.method !== 'HEAD';
    return (
      <>
        <form
          class="try"
          onSubmit={(event) => {
            event.preventDefault();
            if (!isSending) send(name, draft);
          }}
          onKeyDown={submitOnCtrlEnter}
        >
          <div class="request-line">
            <select
              aria-label="Method"
              value={draft.method}
              disabled={endpoint.method !== 'ANY'}
              onChange={({ currentTarget }) => change({ method: currentTarget.value })}
            >
              {[...new Set([draft.method, ...METHODS])].map((method) => (
                <option key={method}>{method}</option>
              ))}
            </select>
            <input
              aria-label="URL"
              spellcheck={false}
              value={draft.url}
              onInput={({ currentTarget }) => change({ url: currentTarget.value })}
            />
            <button type="submit" class="primary" aria-busy={isSending}>
              {isSending ? 'Call …' : 'Call'}
            </button>
          </div>
          {endpoint.signed && (
            <p class="problem">
              Requests to this URL must be signed with AWS credentials: invoke the function instead.
            </p>
          )}
          <details open={draft.headers !== '' || (hasBody && draft.body !== '')}>
            <summary>Headers{hasBody ? ' and body' : ''}</summary>
            <textarea
              aria-label="Headers"
              rows={2}
              spellcheck={false}
              placeholder="name: value"
              value={draft.headers}
              onInput={({ currentTarget }) => change({ headers: currentTarget.value })}
            />
            {hasBody && (
              <textarea
                aria-label="Body"
                rows={5}
                spellcheck={false}
                placeholder="Body"
                value={draft.body}
                onInput={({ currentTarget }) => change({ body: currentTarget.value })}
              />
            )}
          </details>
        </form>
        <Failure error={error} />
        {answer !== undefined && <CallResult answer={answer as CallAnswer} />}
      </>
    );
  }
}

function send(name: string, draft: CallDraft): void {
  const request: CallRequest = { ...draft, headers: parseHeaders(draft.headers) };
  const url = withoutCredentialValues(request.url);
  remember(name, JSON.stringify({ ...request, url, headers: withoutCredentials(request.headers) }));
  void sendFor(name, async (onAnswer) => void onAnswer(await api.call(request)));
}

/** What was typed, else the request that was sent last, else a first one. */
function draftFor(name: string, endpoint: Endpoint): CallDraft {
  const draft = parse(draftOf(name)) as CallDraft | undefined;
  if (draft !== undefined) return draft;
  const remembered = parse(rememberedOf(name)?.[0]);
  const request = isRequest(remembered) ? remembered : firstRequest(endpoint);
  return { ...request, headers: formatHeaders(request.headers) };
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

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is remembered is a file, which may be damaged or of another version. */
function isRequest(value: unknown): value is CallRequest {
  const { method, url, headers, body } = Object(value) as Partial<Record<keyof CallRequest, unknown>>;
  return [method, url, body].every((part) => typeof part === 'string') && Object(headers) === headers;
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
