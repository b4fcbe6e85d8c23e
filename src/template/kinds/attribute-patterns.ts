/**
 * An ARN pattern. A pattern's placeholders are `{partition}`, `{region}`, `{account}`, `{suffix}` (of the region's domain
 * names), `{id}` (the physical ID), `{name}` (what follows the last `:` or `/` of the physical ID) and `{Property=default}`
 * (a property of the resource, which must be a text).
 */
export function arn(service: string, resource: string): string {
  return `arn:{partition}:${service}:{region}:{account}:${resource}`;
}

/** The pattern of an attribute that is the physical ID. */
export const ID = '{id}';

/** The pattern of an attribute that is the last part of the physical ID, an ARN or a URL. */
export const NAME = '{name}';

/** What fills a pattern's placeholders. */
export interface PatternValues {
  partition: string;
  region: string;
  account: string;
  physicalId: string;
  /** A property of the resource, if it is a text; `undefined`: its value is not known. `null`: it is not set. */
  property(name: string): string | null | undefined;
}

/**
 * Fills in a pattern. Where a physical ID is an ARN already, it is the ARN that the pattern describes. undefined: a property
 * is not known.
 */
export function fillPattern(pattern: string, values: PatternValues): string | undefined {
  const { partition, region, account, physicalId: id } = values;
  if (pattern.startsWith('arn:') && id.startsWith('arn:')) return id;
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const name = id.slice(Math.max(id.lastIndexOf(':'), id.lastIndexOf('/')) + 1);
  const known = new Map(Object.entries({ partition, region, account, suffix, id, name }));
  let isKnown = true;
  const filled = pattern.replaceAll(PLACEHOLDER, (_, key: string, byDefault?: string) => {
    const property = values.property(key);
    const value = byDefault === undefined ? known.get(key) : property === null ? byDefault : property;
    isKnown &&= value !== undefined;
    return value ?? '';
  });
  return isKnown ? filled : undefined;
}

const PLACEHOLDER = /\{(\w+)(?:=([^}]*))?\}/g;
