import { fields, text } from '../support/shapes.ts';

const LAMBDA = 'lambda.amazonaws.com';

/** An object in a bucket. */
export interface PolicyObject {
  bucket: string;
  key: string;
}

/**
 * Returns whether a resource-based policy allows the action to Lambda's service principal. Ignores conditions and `Deny`.
 * `object`: for bucket policies.
 */
export function allowsLambda(policy: unknown, action: string, object?: PolicyObject): boolean {
  return listOf(fields(policy)?.['Statement']).some((entry) => {
    const statement = fields(entry);
    if (statement?.['Effect'] !== 'Allow' || !isForLambda(statement['Principal'])) return false;
    const actions = textsOf(statement['Action']);
    if (!actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()))) return false;
    return object === undefined || textsOf(statement['Resource']).some((pattern) => isAbout(pattern, object));
  });
}

function isForLambda(principal: unknown): boolean {
  if (principal === '*') return true;
  const kinds = fields(principal);
  return textsOf(kinds?.['AWS']).includes('*') || textsOf(kinds?.['Service']).includes(LAMBDA);
}

/** `arn:PARTITION:s3:::BUCKET/KEY`, with wildcards. */
function isAbout(pattern: string, { bucket, key }: PolicyObject): boolean {
  if (pattern === '*') return true;
  const [, name] = /^arn:[^:]*:s3:[^:]*:[^:]*:(.*)$/s.exec(pattern) ?? [];
  return name !== undefined && matches(name, `${bucket}/${key}`);
}

/** IAM's wildcards. */
function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(value);
}

function textsOf(value: unknown): string[] {
  return listOf(value).flatMap((item) => text(item) ?? []);
}

function listOf(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
