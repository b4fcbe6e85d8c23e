import { createHmac, timingSafeEqual } from 'node:crypto';
import { count, either, fields, flag, listOf, parseJson, recordOf, text } from '../support/shapes.ts';
import type { Reader } from '../support/shapes.ts';
import type { Maker } from './machine.ts';
import type { SharedInput } from './shared-inputs.ts';

/** The form of entries. Readers ignore others. */
const VERSION = 1;

/** A zip in the cache. */
export interface ZipReference {
  /** In hex; its name below `cas/`. */
  sha256: string;
  size: number;
}

/** More of the project's files decide: hash these, and look up the next key. */
interface InputsEntry {
  kind: 'inputs';
  key: string;
  inputs: readonly SharedInput[];
}

/** A build. */
export interface BuildEntry {
  kind: 'build';
  key: string;
  code: ZipReference;
  /** The content of the dependency layer. */
  dependencies?: ZipReference | undefined;
  /** What the build changes in the function's properties. */
  facts: Readonly<Record<string, string | boolean>>;
  madeBy: Maker;
  durationMs: number;
  /** ISO 8601. */
  createdAt: string;
}

/** An image that the repository of a function has: of this key, which holds repository and name. */
export interface ImageEntry {
  kind: 'image';
  key: string;
  /** `sha256:…` of its configuration, which its tag has. */
  imageId: string;
  /** `sha256:…` of its manifest, which the repository must have under that tag. */
  digest: string;
  madeBy: Maker;
  durationMs: number;
  createdAt: string;
}

/** How long a build took once, with any source: a cache fill begins with the slowest ones. */
interface DurationEntry {
  kind: 'duration';
  key: string;
  durationMs: number;
}

/** The JSON below `ac/`. */
export type Entry = InputsEntry | BuildEntry | ImageEntry | DurationEntry;

/** Writes an entry, with a signature if there is a secret. */
export function formatEntry(entry: Entry, secret: string | undefined): string {
  const signed = JSON.stringify({ version: VERSION, ...entry });
  const signature = secret === undefined ? {} : { signature: sign(signed, secret) };
  return `${JSON.stringify({ ...(JSON.parse(signed) as object), ...signature })}\n`;
}

/** An entry that must not be used, and why. */
export class RefusedEntry extends Error {}

/**
 * Reads the entry of a key. undefined: it is of a later version. Throws `RefusedEntry` for one that is damaged, of another key,
 * or, with a secret, not signed with it.
 */
export function parseEntry(json: string, key: string, secret: string | undefined): Entry | undefined {
  const whole = fields(parseJson(json));
  if (whole === undefined) throw new RefusedEntry('it is damaged');
  const { signature, ...inner } = whole;
  if (secret !== undefined && !isSigned(JSON.stringify(inner), text(signature), secret))
    throw new RefusedEntry(signature === undefined ? 'it has no signature' : 'its signature is wrong');
  if (typeof inner['version'] === 'number' && inner['version'] > VERSION) return undefined;
  if (inner['key'] !== key) throw new RefusedEntry('it is for another build');
  const entry = readInputs(inner) ?? readBuild(inner) ?? readImage(inner) ?? readDuration(inner);
  if (entry === undefined) throw new RefusedEntry('it is damaged');
  return entry;
}

function sign(payload: string, secret: string): string {
  return createHmac('sha256', secret).update(payload).digest('hex');
}

function isSigned(payload: string, signature: string | undefined, secret: string): boolean {
  const expected = Buffer.from(sign(payload, secret));
  const given = Buffer.from(signature ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const MOST_INPUTS = 20_000;

const readInput: Reader<SharedInput> = (value) => {
  const input = fields(value);
  const path = text(input?.['path']);
  const excludes = listOf(text)(input?.['excludes']);
  const stems = input?.['stems'] === undefined ? [] : listOf(text)(input['stems']);
  if (path === undefined || excludes === undefined || stems === undefined || !isRelative(path)) return undefined;
  if (!excludes.every(isSimple)) return undefined;
  const direct = input?.['direct'] === true ? { direct: true } : {};
  return { path, excludes, ...direct, ...(input?.['stems'] === undefined ? {} : { stems }) };
};

const LONGEST_PATTERN = 1000;
const MOST_WILDCARDS = 4;

/** A pattern with many wildcards can take hours to find out that a name does not match. */
function isSimple(pattern: string): boolean {
  // `[*]` is how the name of a folder is written
  const wildcards = pattern.replace(/\[[*?[]\]/g, '').match(/[*?[]/g)?.length ?? 0;
  return pattern.length <= LONGEST_PATTERN && wildcards <= MOST_WILDCARDS;
}

/** With `/`, and never absolute: it starts from the code's folder. */
function isRelative(path: string): boolean {
  return !/^[/\\]|^[A-Za-z]:|\0|\\/.test(path);
}

/** Reads a list of inputs as JSON. */
export function parseInputs(json: string): SharedInput[] | undefined {
  return listOf(readInput)(parseJson(json));
}

const readInputs: Reader<InputsEntry> = (value) => {
  const entry = fields(value);
  const key = text(entry?.['key']);
  const inputs = listOf(readInput)(entry?.['inputs']);
  if (entry?.['kind'] !== 'inputs' || key === undefined || inputs === undefined) return undefined;
  return inputs.length > MOST_INPUTS ? undefined : { kind: 'inputs', key, inputs };
};

/** Longer ones are no builds: a reader would wait so long for their zips, and timers end at 24 days (ms). */
const LONGEST_BUILD = 24 * 3_600_000;

function readDurationMs(value: unknown): number | undefined {
  const ms = count(value);
  return ms === undefined ? undefined : Math.min(ms, LONGEST_BUILD);
}

const readDuration: Reader<DurationEntry> = (value) => {
  const entry = fields(value);
  const key = text(entry?.['key']);
  const durationMs = readDurationMs(entry?.['durationMs']);
  if (entry?.['kind'] !== 'duration' || key === undefined || durationMs === undefined) return undefined;
  return { kind: 'duration', key, durationMs };
};

/** Lambda takes no larger zip from S3 (bytes). */
const MOST_BYTES = 250 * 1024 * 1024;

const readZip: Reader<ZipReference> = (value) => {
  const zip = fields(value);
  const sha256 = text(zip?.['sha256']);
  const size = count(zip?.['size']);
  const isValid = sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) && size !== undefined && size <= MOST_BYTES;
  return isValid ? { sha256, size } : undefined;
};

const readMaker: Reader<Maker> = (value) => {
  const maker = fields(value);
  const [version, platform, architecture] = ['version', 'platform', 'architecture'].map((name) => text(maker?.[name]));
  const tools = recordOf(text)(maker?.['tools']);
  if (version === undefined || platform === undefined || architecture === undefined || !tools) return undefined;
  return { version, platform, architecture, libc: text(maker?.['libc']), image: text(maker?.['image']), tools };
};

const readBuild: Reader<BuildEntry> = (value) => {
  const entry = fields(value);
  const key = text(entry?.['key']);
  const code = readZip(entry?.['code']);
  const dependencies = readZip(entry?.['dependencies']);
  const facts = recordOf(either(text, flag))(entry?.['facts']);
  const madeBy = readMaker(entry?.['madeBy']);
  const durationMs = readDurationMs(entry?.['durationMs']);
  const createdAt = text(entry?.['createdAt']);
  if (entry?.['kind'] !== 'build' || !key || !code || !facts || !madeBy || createdAt === undefined) return undefined;
  if (durationMs === undefined || (entry['dependencies'] !== undefined && !dependencies)) return undefined;
  return { kind: 'build', key, code, dependencies, facts, madeBy, durationMs, createdAt };
};

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const readImage: Reader<ImageEntry> = (value) => {
  const entry = fields(value);
  const [key, createdAt] = [text(entry?.['key']), text(entry?.['createdAt'])];
  const [imageId = '', digest = ''] = [text(entry?.['imageId']), text(entry?.['digest'])];
  const madeBy = readMaker(entry?.['madeBy']);
  const durationMs = readDurationMs(entry?.['durationMs']);
  if (entry?.['kind'] !== 'image' || !key || !madeBy || durationMs === undefined || createdAt === undefined)
    return undefined;
  if (!DIGEST.test(imageId) || !DIGEST.test(digest)) return undefined;
  return { kind: 'image', key, imageId, digest, madeBy, durationMs, createdAt };
};
