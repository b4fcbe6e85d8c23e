import type { Aws } from '../aws/aws.ts';
import { describeStack } from '../deploy/describe-stack.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { stackCondition } from '../deploy/stack-status.ts';
import { identifierOf, splitIdentifier } from '../model/stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { oncePerName } from '../support/once.ts';
import { ownValue, setOwn } from '../support/own-value.ts';
import { describeStackResource, listStackResources, noSuchStack } from './stack-resources.ts';
import { emptyFacts } from './sync-state.ts';
import type { DeployedResource, StackListing, SyncFacts, SyncMemory } from './sync-state.ts';

/** The root stack and its nested stacks as CloudFormation has them. Paths: '' for the root, else `Child/Grand`. */
export interface CloudStacks {
  /** The root stack; rejects if it does not exist. Makes one call, once. */
  describe(): Promise<DeployedStack>;
  /** The ARN of the root stack. Makes no call if an earlier answer contains it. */
  stackId(): Promise<string>;
  /** All resources of a stack; undefined if that nested stack does not exist. Makes one call for each 100 resources, once. */
  listing(path: string): Promise<StackListing | undefined>;
  /** The result of `listing` if it needs no call. */
  cachedListing(path: string): StackListing | undefined;
  /** One resource. Makes one call for it and one for each stack on its path, or none if the listing is cached. */
  find(path: string, logicalId: string): Promise<DeployedResource | undefined>;
  /** The name or ARN of a stack; undefined if that nested stack does not exist. */
  nameOf(path: string): Promise<string | undefined>;
  /** The outputs of a nested stack. Makes one call, once. */
  outputs(path: string): Promise<Readonly<Record<string, string>> | undefined>;
  cachedOutputs(path: string): Readonly<Record<string, string>> | undefined;
  /** Some listings are cached: a resource that is missing may have been replaced since. */
  readonly hasCachedListings: boolean;
  /** From now on, listings count as cached. */
  markAsCached(): void;
  /** Facts about the stack; flows add what they learn. */
  readonly facts: SyncFacts;
  /** Loads the cached facts if they have listings of these stacks. */
  loadCache(paths: readonly string[]): Promise<void>;
  /**
   * Drops everything but facts that never change, and those too if another stack has this name now. `described`: the root
   * stack as it is now, if it is known.
   */
  forget(described?: DeployedStack): void;
  /** Saves the facts for the next run. */
  save(): Promise<void>;
}

export interface CloudStacksOptions {
  aws: Aws;
  stackName: string;
  memory: SyncMemory;
  /** The root stack, if it was described already. */
  described?: DeployedStack | undefined;
}

export function openCloudStacks(options: CloudStacksOptions): CloudStacks {
  const state: State = { ...options, ...noAnswers(), facts: emptyFacts(), factsOf: undefined, saved: '' };
  const cachedListing = (path: string): StackListing | undefined =>
    state.listed.get(path) ?? ownValue(state.facts.listings, path);
  const stacks: CloudStacks = {
    get facts() {
      return state.facts;
    },
    get hasCachedListings() {
      return state.hasCachedListings;
    },
    describe: () => (state.describing ??= describeRoot(state)),
    stackId: async () => state.stackId ?? (await stacks.describe()).id,
    cachedListing,
    listing: (path) => {
      const listing = cachedListing(path);
      if (listing !== undefined) return Promise.resolve(listing);
      return oncePerName(state.listings, path, () => listResources(state, stacks, path));
    },
    find: async (path, logicalId) => {
      const listing = cachedListing(path) ?? (await state.listings.get(path));
      if (listing !== undefined) return ownValue(listing, logicalId);
      return oncePerName(state.finds, `${path}/${logicalId}`, () => findResource(state, stacks, { path, logicalId }));
    },
    nameOf: (path) => stackName(state, stacks, path),
    outputs: (path) => oncePerName(state.outputs, path, () => readOutputs(state, stacks, path)),
    cachedOutputs: (path) => state.outputsByPath.get(path),
    loadCache: async (paths) => {
      if (state.described !== undefined) return void (await stacks.describe());
      if (paths.every((path) => cachedListing(path) !== undefined)) return;
      for (const path of paths) if (await state.memory.hasListing(path)) return void (await stacks.describe());
    },
    markAsCached: () => {
      state.hasCachedListings = true;
    },
    forget: (described) => {
      Object.assign(state, noAnswers(), { described });
      state.facts = { ...state.facts, updatedAt: undefined, listings: {}, functionUrls: {} };
    },
    save: async () => {
      const { facts, stackId, listed } = state;
      if (stackId === undefined) return;
      // without the time of the stack's last update, the next run cannot tell whether they still hold
      const listings = facts.updatedAt === undefined ? {} : { ...facts.listings, ...Object.fromEntries(listed) };
      const text = JSON.stringify({ ...facts, listings });
      if (text !== state.saved) await state.memory.write(stackId, { ...facts, listings });
      state.saved = text;
    },
  };
  return stacks;
}

interface State extends CloudStacksOptions, Answers {
  facts: SyncFacts;
  /** The ARN of the stack that `facts` belongs to. */
  factsOf: string | undefined;
  /** `facts` as JSON, as the file has it. */
  saved: string;
}

/** Calls and their answers, each made once. */
interface Answers {
  /** The ARN of the stack that has the name now; a stack that is deleted and created again gets another ARN. */
  stackId: string | undefined;
  hasCachedListings: boolean;
  describing: Promise<DeployedStack> | undefined;
  listings: Map<string, Promise<StackListing | undefined>>;
  /** The listings that have arrived. */
  listed: Map<string, StackListing>;
  finds: Map<string, Promise<DeployedResource | undefined>>;
  outputs: Map<string, Promise<Readonly<Record<string, string>> | undefined>>;
  outputsByPath: Map<string, Readonly<Record<string, string>>>;
}

function noAnswers(): Answers {
  return {
    stackId: undefined,
    hasCachedListings: false,
    describing: undefined,
    listings: new Map(),
    listed: new Map(),
    finds: new Map(),
    outputs: new Map(),
    outputsByPath: new Map(),
  };
}

async function describeRoot(state: State): Promise<DeployedStack> {
  const stack = state.described ?? (await describeStack(state.aws, state.stackName));
  if (stack === undefined) throw noSuchStack(state.stackName, await state.aws.region());
  await adopt(state, stack.id);
  // during an operation the resources change without a new update time
  const settled = stackCondition(stack.status) === 'settled';
  const updatedAt = settled ? (stack.updatedAt ?? stack.createdAt)?.toISOString() : undefined;
  if (updatedAt !== state.facts.updatedAt || updatedAt === undefined) {
    state.facts = { ...state.facts, updatedAt, listings: {}, functionUrls: {} };
  } else state.hasCachedListings = Object.keys(state.facts.listings).length > 0;
  return stack;
}

/** Loads the facts about the stack once its ARN is known. */
async function adopt(state: State, stackId: string): Promise<void> {
  if (stackId === '' || state.stackId === stackId) return;
  state.stackId = stackId;
  if (state.factsOf === stackId) return;
  state.factsOf = stackId;
  state.facts = await state.memory.read(stackId);
  state.saved = JSON.stringify(state.facts);
}

/** The name or ARN of a stack; undefined if it does not exist. */
async function stackName(state: State, stacks: CloudStacks, path: string): Promise<string | undefined> {
  if (path === '') return state.stackId ?? state.stackName;
  const { stackPath, logicalId } = splitIdentifier(path);
  return (await stacks.find(stackPath, logicalId))?.physicalId;
}

async function readOutputs(
  state: State,
  stacks: CloudStacks,
  path: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const place = await stackName(state, stacks, path);
  const stack = place === undefined ? undefined : await describeStack(state.aws, place);
  if (stack === undefined) return undefined;
  const outputs = Object.fromEntries(stack.outputs.map(({ key, value }) => [key, value]));
  state.outputsByPath.set(path, outputs);
  return outputs;
}

async function listResources(state: State, stacks: CloudStacks, path: string): Promise<StackListing | undefined> {
  const place = await stackName(state, stacks, path);
  if (place === undefined) return undefined;
  const listing = await listStackResources(state, place);
  state.listed.set(path, listing);
  return listing;
}

async function findResource(
  state: State,
  stacks: CloudStacks,
  { path, logicalId }: { path: string; logicalId: string },
): Promise<DeployedResource | undefined> {
  const early = path === '' ? undefined : await findEarly(state, path, logicalId);
  const place = await stackName(state, stacks, path);
  if (place === undefined) return undefined;
  const found = await (early?.place === place ? early.finding : describeStackResource(state, place, logicalId));
  if (path === '' && found?.stackId !== undefined) await adopt(state, found.stackId);
  remember(state.facts, identifierOf(path, logicalId), found?.resource);
  return found?.resource;
}

/** Starts the call to the nested stack that an earlier run found there, while the stacks above it are still asked for it. */
async function findEarly(
  state: State,
  path: string,
  logicalId: string,
): Promise<{ place: string; finding: ReturnType<typeof describeStackResource> } | undefined> {
  const nested = splitIdentifier(path);
  const place = (await state.memory.guess(nested.stackPath, nested.logicalId))?.physicalId;
  if (place === undefined) return undefined;
  const finding = describeStackResource(state, place, logicalId);
  // reported if it is the right stack
  finding.catch(() => {});
  return { place, finding };
}

function remember(facts: SyncFacts, id: ResourceIdentifier, resource: DeployedResource | undefined): void {
  if (resource === undefined) delete facts.found[id];
  else setOwn(facts.found, id, resource);
}
