import * as path from 'node:path';
import type { ResourceIdentifier } from '../model/stack.ts';
import { discard, readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { ownValue } from '../support/own-value.ts';
import { count, fields, listOf, parseJson, recordOf, text } from '../support/shapes.ts';
import { asUserError, explainSystemError } from '../system-errors.ts';
import { shortHash } from './sync-state.ts';

/**
 * A function as a code sync from this folder left it: CloudFormation had confirmed that it is the stack's, and Lambda that the
 * update was complete.
 */
export interface ConfirmedFunction {
  /** `callerMark` of the sync. */
  caller: string;
  /** When CloudFormation was asked (ms since 1970). */
  at: number;
  /** Its physical ID. */
  name: string;
  /** Any change of code or configuration gives the function another one. */
  revisionId: string;
  /** ARNs of layer versions, in their order. */
  layers: readonly string[];
  /** Base64 SHA-256 of its dependency layer; undefined: it has none. */
  dependencies: string | undefined;
  packageType: string | undefined;
  runtime: string | undefined;
  architecture: string | undefined;
  /** The zip of its code in the build cache, with its base64 SHA-256. */
  zip: { path: string; size: number; sha256: string };
}

/** The confirmed functions of one stack name. Everything here may be outdated. */
export interface ConfirmedFunctions {
  read(id: ResourceIdentifier): Promise<ConfirmedFunction | undefined>;
  /** Remembers the function, and drops those confirmed before `since` (ms since 1970). */
  write(id: ResourceIdentifier, confirmed: ConfirmedFunction, since: number): Promise<void>;
  /** Forgets all functions: a deployment may replace them. */
  forget(): Promise<void>;
}

/** Opens the confirmed functions of the stacks with this name in this Region, in a file of their own. */
export function openConfirmedFunctions(stack: {
  storeDir: string;
  region: string;
  stackName: string;
}): ConfirmedFunctions {
  const file = path.join(stack.storeDir, 'confirmed', `${shortHash(`${stack.region} ${stack.stackName}`)}.json`);
  const readAll = async (): Promise<Record<ResourceIdentifier, ConfirmedFunction>> => {
    try {
      return recordOf(confirmed)(parseJson((await readTextIfExists(file)) ?? '')) ?? {};
    } catch (error) {
      // the file only saves time, and need not be ours
      if (asUserError(error) === undefined) throw error;
      return {};
    }
  };
  return {
    read: async (id) => ownValue(await readAll(), id),
    write: async (id, one, since) => {
      const others = Object.entries(await readAll()).filter(([other, { at }]) => other !== id && at >= since);
      try {
        await writeFileAtomic(file, `${JSON.stringify(Object.fromEntries([...others, [id, one]]))}\n`, { mode: 0o600 });
      } catch (error) {
        if (explainSystemError(error) === undefined) throw error;
        await discard(file);
      }
    },
    forget: () => discard(file),
  };
}

function confirmed(value: unknown): ConfirmedFunction | undefined {
  const read = fields(value) ?? {};
  const [caller, name, revisionId] = ['caller', 'name', 'revisionId'].map((member) => text(read[member]));
  const [at, layers] = [count(read['at']), listOf(text)(read['layers'])];
  const zip = fields(read['zip']) ?? {};
  const [file, size, sha256] = [text(zip['path']), count(zip['size']), text(zip['sha256'])];
  if (caller === undefined || name === undefined || revisionId === undefined || at === undefined) return undefined;
  if (layers === undefined || file === undefined || size === undefined || sha256 === undefined) return undefined;
  return {
    caller,
    at,
    name,
    revisionId,
    layers,
    dependencies: text(read['dependencies']),
    packageType: text(read['packageType']),
    runtime: text(read['runtime']),
    architecture: text(read['architecture']),
    zip: { path: file, size, sha256 },
  };
}
