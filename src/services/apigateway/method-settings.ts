import type { MethodSetting, PatchOperation } from '@aws-sdk/client-api-gateway';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import { ownValue } from '../../support/own-value.ts';

/** What an entry of `MethodSettings` sets: the member that API Gateway shows, the end of its patch path, and its default. */
const FIELDS = {
  CacheDataEncrypted: ['cacheDataEncrypted', 'caching/dataEncrypted', false],
  CacheTtlInSeconds: ['cacheTtlInSeconds', 'caching/ttlInSeconds', 300],
  CachingEnabled: ['cachingEnabled', 'caching/enabled', false],
  DataTraceEnabled: ['dataTraceEnabled', 'logging/dataTrace', false],
  LoggingLevel: ['loggingLevel', 'logging/loglevel', 'OFF'],
  MetricsEnabled: ['metricsEnabled', 'metrics/enabled', false],
  // the account's limits
  ThrottlingBurstLimit: ['throttlingBurstLimit', 'throttling/burstLimit', undefined],
  ThrottlingRateLimit: ['throttlingRateLimit', 'throttling/rateLimit', undefined],
} as const satisfies Readonly<Record<string, readonly [keyof MethodSetting, string, Setting | undefined]>>;

/** What API Gateway shows for throttling that is not set. */
const NO_LIMIT: ReadonlySet<unknown> = new Set([undefined, -1, 5_000, 10_000]);

type Entry = Readonly<Record<string, Setting>>;

/** Lists the patches that give a stage exactly these method settings; undefined: CloudFormation takes a form that we do not. Pure. */
export function methodSettingPatches(
  wanted: Setting,
  shown: Readonly<Record<string, MethodSetting>> = {},
): PatchOperation[] | undefined {
  const entries = new Map<string, Entry>();
  for (const entry of wanted as readonly Entry[]) {
    const key = wantedKey(entry);
    if (key === undefined || entries.has(key)) return undefined;
    entries.set(key, entry);
  }
  const current = new Map(Object.entries(shown).map(([key, setting]) => [shownKey(key), setting] as const));
  const gone = [...current.keys()].filter((key) => !entries.has(key));
  return [
    ...gone.map((key) => ({ op: 'remove', path: pathOf(key) }) as const),
    ...[...entries].flatMap(([key, entry]) => entryPatches(key, entry, current.get(key))),
  ];
}

function entryPatches(key: string, entry: Entry, shown: MethodSetting | undefined): PatchOperation[] {
  const fields = Object.entries(FIELDS);
  // a limit can only be unset with its whole entry
  const isReset = fields.some(
    ([name, [member, , byDefault]]) =>
      byDefault === undefined && shown !== undefined && !Object.hasOwn(entry, name) && !NO_LIMIT.has(shown[member]),
  );
  const base = isReset ? undefined : shown;
  const set = fields.flatMap(([name, [member, path, byDefault]]): PatchOperation[] => {
    const value = ownValue(entry, name) ?? byDefault;
    if (value === undefined || value === (base?.[member] ?? byDefault)) return [];
    return [{ op: 'replace', path: `${pathOf(key)}/${path}`, value: String(value) }];
  });
  return isReset ? [{ op: 'remove', path: pathOf(key) }, ...set] : set;
}

/** The entry's path and method, unescaped: `pets/{id}/GET` or, for all of the stage, a star for each. */
function wantedKey({ ResourcePath, HttpMethod = '*' }: Entry): string | undefined {
  if (typeof ResourcePath !== 'string' || typeof HttpMethod !== 'string') return undefined;
  const path = ResourcePath === '/*' || ResourcePath === '*' ? '*' : rootedPath(ResourcePath);
  return path === undefined ? undefined : `${path}/${HttpMethod}`;
}

/** A path is written with its slashes escaped (`/~1pets`), but the root is `/`. */
function rootedPath(written: string): string | undefined {
  if (written === '/') return '';
  return written.startsWith('/~1') && !written.slice(1).includes('/') ? unescape(written.slice(3)) : undefined;
}

function shownKey(key: string): string {
  const method = key.lastIndexOf('/');
  return `${unescape(key.slice(0, method)).replace(/^\/+/, '')}/${key.slice(method + 1)}`;
}

function pathOf(key: string): string {
  const end = key.lastIndexOf('/');
  const path = key.slice(0, end);
  const escaped = path === '*' ? '*' : `~1${path.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return `/${escaped}/${key.slice(end + 1)}`;
}

function unescape(text: string): string {
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
