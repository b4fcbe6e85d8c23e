import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { identifierOf } from '../model/stack.ts';
import { discard, isMissing, writeFileAtomic } from '../support/files.ts';
import { ownValue } from '../support/own-value.ts';
import { explainSystemError } from '../system-errors.ts';
import { recentSends } from './recent-sends.ts';
import type { RecentValue, SentValues } from './recent-sends.ts';

/** A resource of a stack as CloudFormation lists it. */
export interface DeployedResource {
  type: string;
  physicalId: string;
  /** Milliseconds since 1970; 0 if CloudFormation does not say. */
  updatedAt: number;
}

/** The resources of a stack by logical id. */
export type StackListing = Readonly<Record<string, DeployedResource>>;

/**
 * Facts about a stack that save calls. Listings and URLs hold as long as the stack's last update is `updatedAt`; everything else is
 * about things that never change: a layer version's content, the definition of an API's deployment.
 */
export interface SyncFacts {
  updatedAt: string | undefined;
  /** By the path of the stack: '' for the root. */
  listings: Record<string, StackListing>;
  /** Identifier → resource, as a call for this one resource found it last. It may be outdated: only a call confirms it. */
  found: Record<string, DeployedResource>;
  /** Function (or alias) → its URL; holds as long as the listings. */
  functionUrls: Record<string, string>;
  /** ARN of a layer version → base64 SHA-256 of its content. */
  layerHashes: Record<string, string>;
  /** `api/deployment` → hash of the definition. */
  deployments: Record<string, string>;
  /** ARN of a layer → ARN of the version that we published last and have not removed. */
  publishedLayers: Record<string, string>;
  /** ARNs of layers of which we began to publish a version: known before it is sent, as the run may be killed. */
  publishing: string[];
  /** Functions whose update has started, with no end seen yet. */
  unsettled: string[];
  /** Resource and part → its recent values, the newest last (`recent-sends.ts`). */
  sent: SentValues;
  /** ARNs of layer versions that we deleted: lists may still have them. */
  removedLayers: string[];
  /** Resource → properties that were set directly and that the stack may not have: known before they are sent. */
  ahead: Record<string, readonly string[]>;
  /** Web Function → the description of the revisions that we created of it, which the stack does not have: known before the first one. */
  revisions: Record<string, string>;
}

/** Keeps facts between runs: one file for each stack ARN, and so for each account and Region. */
export interface SyncMemory {
  /** Whether a file of any account has a listing of that stack ('' for the root). */
  hasListing(stackPath: string): Promise<boolean>;
  /**
   * Returns a resource as an earlier run found it, from a listing or alone; undefined if no run did. It may be
   * outdated, or of another stack that had the name: start reads with it, never changes.
   */
  guess(stackPath: string, logicalId: string): Promise<DeployedResource | undefined>;
  read(stackId: string): Promise<SyncFacts>;
  write(stackId: string, facts: SyncFacts): Promise<void>;
}

/** Files of other versions are ignored. */
const VERSION = 1;
/** Entries kept of each kind of fact that never changes; the oldest are dropped. */
const MOST_FACTS = 1_000;

export function emptyFacts(): SyncFacts {
  return {
    updatedAt: undefined,
    listings: {},
    found: {},
    functionUrls: {},
    layerHashes: {},
    deployments: {},
    publishedLayers: {},
    publishing: [],
    unsettled: [],
    sent: {},
    removedLayers: [],
    ahead: {},
    revisions: {},
  };
}

export function openSyncMemory(stack: { storeDir: string; region: string; stackName: string }): SyncMemory {
  const folder = path.join(stack.storeDir, 'stacks');
  const prefix = shortHash(`${stack.region} ${stack.stackName}`);
  const fileOf = (stackId: string): string => path.join(folder, `${prefix}-${shortHash(stackId)}.json`);
  /** Reads the files of all stacks that had the name, in any account. The last written one comes first. */
  const readAll = async (): Promise<SyncFacts[]> => {
    const files = (await listFolder(folder)).filter((name) => name.startsWith(`${prefix}-`));
    const newestFirst = files
      .map((name) => path.join(folder, name))
      .map((file) => ({ file, at: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((one, other) => other.at - one.at);
    const texts = await Promise.all(newestFirst.map(({ file }) => readOrNothing(file)));
    return texts.map((text) => parseFacts(text));
  };
  return {
    hasListing: async (stackPath) => (await readAll()).some(({ listings }) => Object.hasOwn(listings, stackPath)),
    guess: async (stackPath, logicalId) => {
      const [facts] = await readAll();
      if (facts === undefined) return undefined;
      const listing = ownValue(facts.listings, stackPath);
      return listing === undefined
        ? ownValue(facts.found, identifierOf(stackPath, logicalId))
        : ownValue(listing, logicalId);
    },
    read: async (stackId) => parseFacts(await readOrNothing(fileOf(stackId)), stackId),
    write: async (stackId, facts) => {
      const file = fileOf(stackId);
      try {
        await writeFileAtomic(file, `${JSON.stringify({ version: VERSION, stackId, ...trim(facts) })}\n`, {
          mode: 0o600,
        });
      } catch (error) {
        if (explainSystemError(error) === undefined) throw error;
        // on a full or read-only disk the next run asks the services again instead of using outdated facts
        await discard(file);
      }
    },
  };
}

async function readOrNothing(file: string): Promise<string> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch {
    // the file only saves calls, so any failure to read it is harmless
    return '';
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Reads the facts about the stack (any stack without `stackId`); empty if the text is not ours. */
function parseFacts(text: string, stackId?: string): SyncFacts {
  const facts = emptyFacts();
  try {
    const read = JSON.parse(text) as Partial<SyncFacts> & { version?: unknown; stackId?: unknown };
    if (read.version !== VERSION || read.stackId !== (stackId ?? read.stackId)) return facts;
    return {
      updatedAt: typeof read.updatedAt === 'string' ? read.updatedAt : undefined,
      listings: Object.fromEntries(Object.entries(read.listings ?? {}).filter(([, listing]) => isListing(listing))),
      found: isListing(read.found) ? read.found : {},
      functionUrls: textsOf(read.functionUrls),
      layerHashes: textsOf(read.layerHashes),
      deployments: textsOf(read.deployments),
      publishedLayers: textsOf(read.publishedLayers),
      publishing: listOf(read.publishing),
      unsettled: listOf(read.unsettled),
      sent: sentOf(read.sent),
      removedLayers: listOf(read.removedLayers),
      ahead: listsOf(read.ahead),
      revisions: textsOf(read.revisions),
    };
  } catch {
    return facts;
  }
}

function isListing(value: unknown): value is StackListing {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value as Record<string, Partial<DeployedResource> | null>).every(
    (resource) =>
      typeof resource?.type === 'string' &&
      typeof resource.physicalId === 'string' &&
      typeof resource.updatedAt === 'number',
  );
}

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function sentOf(value: unknown): SyncFacts['sent'] {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([resource, items]: [string, unknown]) => {
      const values = Array.isArray(items) ? items.filter(isRecentValue) : [];
      return values.length === 0 ? [] : [[resource, values]];
    }),
  );
}

function isRecentValue(item: unknown): item is RecentValue {
  const { value, at } = (item ?? {}) as Partial<RecentValue>;
  return typeof value === 'string' && typeof at === 'number';
}

function listsOf(value: unknown): Record<string, readonly string[]> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, items]: [string, unknown]) => {
      const texts = listOf(items);
      return texts.length === 0 ? [] : [[key, texts]];
    }),
  );
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function trim(facts: SyncFacts): SyncFacts {
  return {
    ...facts,
    found: newest(facts.found),
    layerHashes: newest(facts.layerHashes),
    deployments: newest(facts.deployments),
    sent: recentSends(facts.sent),
    removedLayers: facts.removedLayers.slice(-MOST_FACTS),
  };
}

function newest<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).slice(-MOST_FACTS));
}

/** Shortens a name of any length and content to a file's name. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
