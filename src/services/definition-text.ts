import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { isMissing } from '../support/files.ts';
import { readTextFile } from '../support/regular-file.ts';
import { tooDeepAt } from '../template/json.ts';
import { BinaryValue, SourceNumber } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';

/** The text of a definition's file; rejects with what to do if it is not there. */
export async function readDefinitionFile(id: string, file: string): Promise<string> {
  try {
    return readTextFile(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`${id}: there is no definition ${file}`, {
      cause: error,
      hint: 'Correct the path in the template, or make the file.',
    });
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** A template's value as JSON; numbers keep the text that the user wrote where JSON knows it (`1.0`, 20 digits). */
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

/** The value of a JSON text; undefined if it is none, or nested deeper than any definition. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return tooDeepAt(text) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** JSON with the keys of all mappings in one order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** Names a definition: 32 hex digits over everything that is sent with it. */
export function definitionHash(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(':').update(part);
  return hash.digest('hex').slice(0, 32);
}

const MARK = /\bsam-sync ([0-9a-f]{32})\b/;

/** What the description of a deployment says that we made: it is how we know later what it was made of. */
export function deploymentDescription(hash: string): string {
  return `sam-sync ${hash}`;
}

/** The hash in the description of a deployment; undefined: somebody else made it. */
export function readDeploymentHash(description: string | undefined): string | undefined {
  return MARK.exec(description ?? '')?.[1];
}
