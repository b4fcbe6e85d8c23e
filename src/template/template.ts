import { ownValue } from '../support/own-value.ts';

/**
 * A value of a template as the peer's parser reads it: CloudFormation's short tags in their long form
 * (`!Ref X` → `{Ref: 'X'}`, `!GetAtt A.B` → `{'Fn::GetAtt': ['A', 'B']}`). `SourceNumber` is a number whose text
 * would change when written again (`2.0`, `012`, `12:30`), `BinaryValue` what YAML's `!!binary` holds.
 */
export type TemplateValue = null | boolean | number | string | SourceValue | TemplateValue[] | TemplateMap;

/** A mapping of a template. */
export interface TemplateMap {
  [key: string]: TemplateValue;
}

/** A scalar with the text that the user wrote for it, so that what we do not touch reaches CloudFormation unchanged. */
abstract class SourceValue {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** The text as written. */
  toString(): string {
    return this.source;
  }
}

/** A number whose text says more than its value. */
export class SourceNumber extends SourceValue {
  readonly value: number;

  constructor(value: number, source: string) {
    super(source);
    this.value = value;
  }

  /** JSON knows no `2.0`; the value stands for it. */
  toJSON(): number {
    return this.value;
  }
}

/** Bytes, in base64 without line breaks. */
export class BinaryValue extends SourceValue {
  /** JSON has no bytes; their base64 stands for them. */
  toJSON(): string {
    return this.source;
  }
}

/** A resource of a template, not yet checked in detail. */
export interface TemplateResource extends TemplateMap {
  Type: string;
}

/** A whole template. Its sections may be missing. */
export interface Template extends TemplateMap {}

/** Whether the value is a mapping (and not a list, null or a `SourceValue`). */
export function isMap(value: TemplateValue | undefined): value is TemplateMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SourceValue);
}

/** A section or property that should be a mapping; anything else reads as an empty one. */
export function mapOf(value: TemplateValue | undefined): TemplateMap {
  return isMap(value) ? value : {};
}

/** A resource of the template, or an empty mapping if there is none of that id. */
export function resourceOf(template: Template | undefined, logicalId: string): TemplateMap {
  return mapOf(ownValue(mapOf(template?.['Resources']), logicalId));
}

/** Text of a scalar as CloudFormation would turn it into a string, or undefined for null, lists and mappings. */
export function scalarText(value: TemplateValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value instanceof SourceNumber ? value.source : undefined;
}

/** The resources of a template that have a `Type`, in the order in which they are written. */
export function resourcesOf(template: Template): [logicalId: string, resource: TemplateResource][] {
  return Object.entries(mapOf(template['Resources'])).filter(
    (entry): entry is [string, TemplateResource] => isMap(entry[1]) && typeof entry[1]['Type'] === 'string',
  );
}

/** Whether the value is an intrinsic function: a mapping whose only key is `Ref`, `Condition` or `Fn::…`. */
export function isIntrinsic(value: TemplateValue | undefined): boolean {
  return intrinsicName(value) !== undefined;
}

/** `Ref`, `Condition` or `Fn::…` if the value is an intrinsic function. */
export function intrinsicName(value: TemplateValue | undefined): string | undefined {
  if (!isMap(value)) return undefined;
  let name: string | undefined;
  for (const key in value) {
    if (name !== undefined) return undefined;
    name = key;
  }
  return name !== undefined && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::')) ? name : undefined;
}
