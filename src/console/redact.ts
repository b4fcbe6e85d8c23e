import { setOwn } from '../support/own-value.ts';
import type { SyncEvent } from './reporter.ts';

/** What takes the place of a secret. */
const STARS = '***';

/**
 * Where texts hold secrets, no matter where they come from: logins and tokens in URLs, settings of npm, HTTP headers. Each pattern
 * keeps its first group.
 */
const SECRETS: readonly RegExp[] = [
  // a user name alone may be a token; `git@` of SSH is none, and `user:password@` stands in hints
  /(\b[a-z][a-z0-9+.-]*:\/\/)(?!git@|user:password@)[^\s/@'"<>]+(?=@)/gi,
  /([?&][\w.-]*(?:token|passw(?:or)?d|secret|signature|credential|api[_-]?key|auth|sig)[\w.-]*=)[^\s&'"#<>]+/gi,
  /(_(?:authToken|auth|password)["']?\s*[:=]\s*["']?)[^\s'"]+/g,
  /(\bauthorization["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+)[^\s'"]+/gi,
];

/** Each pattern needs one of these. Most texts have none, and there are thousands. */
const MAY_HOLD_SECRET = /@|=|auth|password/i;

/** The text with stars instead of logins, tokens and passwords. */
export function redact(text: string): string {
  if (!MAY_HOLD_SECRET.test(text)) return text;
  return SECRETS.reduce((shown, pattern) => shown.replace(pattern, `$1${STARS}`), text);
}

/**
 * The event without secrets in what tools, services and the user's files say. Outputs of stacks and log lines of functions
 * stay as they are: they are what the user asked to see.
 */
export function redactEvent(event: SyncEvent): SyncEvent {
  switch (event.type) {
    case 'note':
    case 'tool-output':
    case 'step-finished':
    case 'resource-state':
    case 'stack-state':
    case 'result':
      return redactValue(event) as SyncEvent;
    default:
      return event;
  }
}

/** Returns the value itself if it holds no secret, as nearly all do: a sync of 1,000 functions reports thousands of events. */
function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) {
    const parts: unknown[] = value.map(redactValue);
    return parts.every((part, index) => part === value[index]) ? value : parts;
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  let redacted: Record<string, unknown> | undefined;
  for (const [key, part] of Object.entries(value)) {
    const shown: unknown = key === 'outputs' ? part : redactValue(part);
    if (shown === part) continue;
    redacted ??= { ...value };
    setOwn(redacted, key, shown);
  }
  return redacted ?? value;
}
