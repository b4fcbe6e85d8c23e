import { ownValue } from '../support/own-value.ts';

/**
 * A value of a template as SAM CLI's parser reads it, with CloudFormation's short tags in long form
 * (`!Ref X` → `{Ref: 'X'}`, `!GetAtt A.B` → `{'Fn::GetAtt': ['A', 'B']}`). `SourceNumber` is a number whose text
 * would change when written again (`2.0`, `012`, `12:30`), `BinaryValue` the content of YAML's `!!binary`.
 */
export type TemplateValue = null | boolean | number | string | SourceValue | TemplateValue[] | TemplateMap;

/** A mapping of a template. */
export interface TemplateMap {
  [key: string]: TemplateValue;
}

/** A scalar with its source text, so that it reaches CloudFormation unchanged. */
abstract class SourceValue {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Returns the source text. */
  toString(): string {
    return this.source;
  }
}

/** A number whose text carries more than its value. */
export class SourceNumber extends SourceValue {
  readonly value: number;

  constructor(value: number, source: string) {
    super(source);
    this.value = value;
  }

  /** Returns the value: JSON has no `2.0`. */
  toJSON(): number {
    return this.value;
  }
}

/** Bytes, in base64 without line breaks. */
export class BinaryValue extends SourceValue {
  /** Returns base64: JSON has no bytes. */
  toJSON(): string {
    return this.source;
  }
}

/** A resource of a template, unchecked except for its type. */
export interface TemplateResource extends TemplateMap {
  Type: string;
}

/** A template. Sections may be missing. */
export interface Template extends TemplateMap {}

/** Returns whether the value is a mapping (not a list, null or a `SourceValue`). */
export function isMap(value: TemplateValue | undefined): value is TemplateMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SourceValue);
}

/** Returns a value that should be a mapping; an empty mapping for any other value. */
export function mapOf(value: TemplateValue | undefined): TemplateMap {
  return isMap(value) ? value : {};
}

/** Returns a resource of the template; an empty mapping if there is none. */
export function resourceOf(template: Template | undefined, logicalId: string): TemplateMap {
  return mapOf(ownValue(mapOf(template?.['Resources']), logicalId));
}

/** Converts a scalar to text as CloudFormation does; undefined for null, lists and mappings. */
export function scalarText(value: TemplateValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value instanceof SourceNumber ? value.source : undefined;
}

/** Returns the resources of a template that have a `Type`, in order. */
export function resourcesOf(template: Template): [logicalId: string, resource: TemplateResource][] {
  return Object.entries(mapOf(template['Resources'])).filter(
    (entry): entry is [string, TemplateResource] => isMap(entry[1]) && typeof entry[1]['Type'] === 'string',
  );
}

/** Returns whether the value is an intrinsic function: a mapping whose only key is `Ref`, `Condition` or `Fn::…`. */
export function isIntrinsic(value: TemplateValue | undefined): boolean {
  return intrinsicName(value) !== undefined;
}

/** Returns the name of an intrinsic function: `Ref`, `Condition` or `Fn::…`. */
export function intrinsicName(value: TemplateValue | undefined): string | undefined {
  if (!isMap(value)) return undefined;
  let name: string | undefined;
  for (const key in value) {
    if (name !== undefined) return undefined;
    name = key;
  }
  return name !== undefined && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::')) ? name : undefined;
}
