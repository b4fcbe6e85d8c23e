import type { Aws } from '../aws/aws.ts';
import { describeStack } from '../deploy/describe-stack.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { stackCondition } from '../deploy/stack-status.ts';
import { splitIdentifier } from '../model/stack.ts';
import { ownValue } from '../support/own-value.ts';
import { describeStackResource, listStackResources, noSuchStack } from './stack-resources.ts';
import { emptyFacts } from './sync-state.ts';
import type { DeployedResource, StackListing, SyncFacts, SyncMemory } from './sync-state.ts';

/** The stack and those nested in it as CloudFormation has them. Paths: '' for the root, else `Child/Grand`. */
export interface CloudStacks {
  /** The root stack; rejects if there is none. One call, once. */
  describe(): Promise<DeployedStack>;
  /** The ARN of the root stack. No call once anything was asked that tells it. */
  stackId(): Promise<string>;
  /** All resources of a stack; undefined if that nested stack is not there. A call for each 100 of them, once. */
  listing(path: string): Promise<StackListing | undefined>;
  /** What `listing` would give if it needs no call. */
  known(path: string): StackListing | undefined;
  /** One resource, with one call for it and one for each stack on the way, or none if the listing is known. */
  find(path: string, logicalId: string): Promise<DeployedResource | undefined>;
  /** The outputs of a nested stack. One call, once. */
  outputs(path: string): Promise<Readonly<Record<string, string>> | undefined>;
  knownOutputs(path: string): Readonly<Record<string, string>> | undefined;
  /** Whether something is known from earlier: a resource that is gone may just be an old one. */
  readonly remembered: boolean;
  /** What is known now is known from earlier in the next sync. */
  age(): void;
  /** What is remembered; whoever learns something adds it. */
  readonly facts: SyncFacts;
  /** Loads what is remembered if that helps with these stacks. */
  recall(paths: readonly string[]): Promise<void>;
  /**
   * Something may have changed, even which stack has this name: everything is asked again but facts that never change, and
   * those count only if it is still the same stack. `described`: as the root stack is now, if that is known.
   */
  forget(described?: DeployedStack): void;
  /** Keeps the facts for the next run. */
  save(): Promise<void>;
}

export interface CloudStacksOptions {
  aws: Aws;
  stackName: string;
  memory: SyncMemory;
  /** As it was described already. */
  described?: DeployedStack | undefined;
}

export function openCloudStacks(options: CloudStacksOptions): CloudStacks {
  const state: State = { ...options, ...nothingAsked(), facts: emptyFacts(), factsOf: undefined, saved: '' };
  const known = (path: string): StackListing | undefined =>
    state.listed.get(path) ?? ownValue(state.facts.listings, path);
  const stacks: CloudStacks = {
    get facts() {
      return state.facts;
    },
    get remembered() {
      return state.remembered;
    },
    describe: () => (state.describing ??= describeRoot(state)),
    stackId: async () => state.stackId ?? (await stacks.describe()).id,
    known,
    listing: (path) => {
      const listing = known(path);
      if (listing !== undefined) return Promise.resolve(listing);
      return memoize(state.listings, path, () => listResources(state, stacks, path));
    },
    find: async (path, logicalId) => {
      const listing = known(path) ?? (await state.listings.get(path));
      if (listing !== undefined) return ownValue(listing, logicalId);
      return memoize(state.finds, `${path}/${logicalId}`, () => findResource(state, stacks, { path, logicalId }));
    },
    outputs: (path) => memoize(state.outputs, path, () => readOutputs(state, stacks, path)),
    knownOutputs: (path) => state.knownOutputs.get(path),
    recall: async (paths) => {
      if (state.described !== undefined) return void (await stacks.describe());
      if (paths.every((path) => known(path) !== undefined)) return;
      for (const path of paths) if (await state.memory.hasListing(path)) return void (await stacks.describe());
    },
    age: () => {
      state.remembered = true;
    },
    forget: (described) => {
      Object.assign(state, nothingAsked(), { described });
      state.facts = { ...state.facts, updatedAt: undefined, listings: {} };
    },
    save: async () => {
      const { facts, stackId, listed } = state;
      if (stackId === undefined) return;
      // without the time of the stack's last update nobody can tell later whether they still hold
      const listings = facts.updatedAt === undefined ? {} : { ...facts.listings, ...Object.fromEntries(listed) };
      const text = JSON.stringify({ ...facts, listings });
      if (text !== state.saved) await state.memory.write(stackId, { ...facts, listings });
      state.saved = text;
    },
  };
  return stacks;
}

interface State extends CloudStacksOptions, Asked {
  facts: SyncFacts;
  /** The ARN of the stack that the facts are about. */
  factsOf: string | undefined;
  /** The facts as they are in the file. */
  saved: string;
}

/** Questions and answers, each once. */
interface Asked {
  /** The ARN of the stack that has the name now: a stack that is deleted and created again gets another one. */
  stackId: string | undefined;
  remembered: boolean;
  describing: Promise<DeployedStack> | undefined;
  listings: Map<string, Promise<StackListing | undefined>>;
  /** What came of `listings`. */
  listed: Map<string, StackListing>;
  finds: Map<string, Promise<DeployedResource | undefined>>;
  outputs: Map<string, Promise<Readonly<Record<string, string>> | undefined>>;
  knownOutputs: Map<string, Readonly<Record<string, string>>>;
}

function nothingAsked(): Asked {
  return {
    stackId: undefined,
    remembered: false,
    describing: undefined,
    listings: new Map(),
    listed: new Map(),
    finds: new Map(),
    outputs: new Map(),
    knownOutputs: new Map(),
  };
}

/** The promise remembered under the name; one that fails is forgotten. */
function memoize<T>(memo: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> {
  const known = memo.get(name);
  if (known !== undefined) return known;
  const asking = ask();
  memo.set(name, asking);
  asking.catch(() => memo.delete(name));
  return asking;
}

async function describeRoot(state: State): Promise<DeployedStack> {
  const stack = state.described ?? (await describeStack(state.aws, state.stackName));
  if (stack === undefined) throw noSuchStack(state.stackName, await state.aws.region());
  await adopt(state, stack.id);
  // while CloudFormation works on the stack its resources change without notice
  const settled = stackCondition(stack.status) === 'settled';
  const updatedAt = settled ? (stack.updatedAt ?? stack.createdAt)?.toISOString() : undefined;
  if (updatedAt !== state.facts.updatedAt || updatedAt === undefined) {
    state.facts = { ...state.facts, updatedAt, listings: {} };
  } else state.remembered = Object.keys(state.facts.listings).length > 0;
  return stack;
}

/** Now that the stack's ARN is known: what is remembered of it. */
async function adopt(state: State, stackId: string): Promise<void> {
  if (stackId === '' || state.stackId === stackId) return;
  state.stackId = stackId;
  if (state.factsOf === stackId) return;
  state.factsOf = stackId;
  state.facts = await state.memory.read(stackId);
  state.saved = JSON.stringify(state.facts);
}

/** The name or ARN of a stack; undefined if it is not there. */
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
  state.knownOutputs.set(path, outputs);
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
  const place = await stackName(state, stacks, path);
  if (place === undefined) return undefined;
  const found = await describeStackResource(state, place, logicalId);
  if (path === '' && found?.stackId !== undefined) await adopt(state, found.stackId);
  return found?.resource;
}
