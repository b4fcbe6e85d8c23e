import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { isMissing } from '../support/files.ts';
import { readTextFile } from '../support/regular-file.ts';
import { tooDeepAt } from '../template/json.ts';
import { BinaryValue, SourceNumber } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';

/** Reads a definition's file; rejects with a hint if it does not exist. */
export async function readDefinitionFile(id: string, file: string): Promise<string> {
  try {
    return readTextFile(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`${id}: there is no definition file ${file}`, {
      cause: error,
      hint: 'Correct the path in the template, or create the file.',
    });
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** Writes a template's value as JSON. Numbers keep the user's spelling if it is JSON (`1.0`, 20 digits). */
export function toJson(value: TemplateValue): string {
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (value instanceof SourceNumber) {
    return JSON_NUMBER.test(value.source) ? value.source : JSON.stringify(value.value);
  }
  if (typeof value !== 'object' || value === null || value instanceof BinaryValue) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`)
    .join(',')}}`;
}

/** Parses JSON; undefined if the text is not JSON, or nested deeper than any definition. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return tooDeepAt(text) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** Hashes a definition with everything that is sent with it: 32 hex digits. */
export function definitionHash(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(':').update(part);
  return hash.digest('hex').slice(0, 32);
}

const MARK = /\bsam-sync ([0-9a-f]{32})\b/;

/** The description of a deployment that we create: later syncs read the definition's hash from it. */
export function deploymentDescription(hash: string): string {
  return `sam-sync ${hash}`;
}

/** Reads the hash from a deployment's description; undefined: someone else created the deployment. */
export function readDeploymentHash(description: string | undefined): string | undefined {
  return MARK.exec(description ?? '')?.[1];
}
