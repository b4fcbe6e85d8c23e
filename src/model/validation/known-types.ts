import * as fs from 'node:fs';

/**
 * `0`: any value. A number: a mapping with known keys. `[it]`: a list of such values, `{'*': it}`: a mapping of such values.
 * `{'=': words}`: one of these words.
 */
export type Shape = number | readonly Shape[] | { readonly '*': Shape } | { readonly '=': string };

/** What scripts/cloudformation-types.py writes. */
interface TypesDocument {
  date: string;
  /** Attributes by service and resource, as words. */
  types: Readonly<Record<string, Readonly<Record<string, string>>>>;
  properties: Readonly<Record<string, number>>;
  /** The properties that AWS SAM accepts in each section of Globals, as words. */
  globals: Readonly<Record<string, string>>;
  shapes: readonly ShapeEntry[];
}

type ShapeEntry = Readonly<Record<string, Shape | string>>;

// parsed as JSON, because the same as code takes ten times as long to load; the build copies it beside the bundle
const document = JSON.parse(
  fs.readFileSync(new URL('cloudformation-types.json', import.meta.url), 'utf8'),
) as TypesDocument;
const { types: TYPES, properties: PROPERTIES, globals: GLOBALS, shapes: SHAPES } = document;

/** The day of the schemas. What is newer is unknown. */
export const KNOWN_SINCE: string = document.date;

/** Returns the attributes (`Fn::GetAtt`) of a type; undefined if the type is unknown or may have any. */
export function attributesOf(type: string): readonly string[] | undefined {
  const [, service = '', ...rest] = type.split('::');
  const names = entryOf(entryOf(TYPES, service), rest.join('::'));
  return names === undefined || names === '*' ? undefined : words(names);
}

/** Returns whether a type is known. */
export function isKnownType(type: string): boolean {
  const [vendor, service = '', ...rest] = type.split('::');
  return vendor === 'AWS' && entryOf(entryOf(TYPES, service), rest.join('::')) !== undefined;
}

/** Returns all known types. */
export function knownTypes(): string[] {
  return Object.entries(TYPES).flatMap(([service, types]) =>
    Object.keys(types).map((name) => `AWS::${service}::${name}`),
  );
}

/** Returns the shape of a type's `Properties`: `0` for a type whose properties are not known. */
export function propertiesOf(type: string): Shape {
  return entryOf(PROPERTIES, type) ?? 0;
}

/** Returns the properties that AWS SAM accepts in a section of Globals; undefined if it knows no such section. */
export function globalsOf(section: string): readonly string[] | undefined {
  const names = entryOf(GLOBALS, section);
  return names === undefined ? undefined : words(names);
}

const readShapes = new Map<number, ReadonlyMap<string, Shape>>();

/** Returns the keys of a mapping of this shape with the shapes of their values. */
export function keysOf(shape: number): ReadonlyMap<string, Shape> {
  const keys = readShapes.get(shape) ?? readKeys(shape);
  readShapes.set(shape, keys);
  return keys;
}

function readKeys(shape: number): ReadonlyMap<string, Shape> {
  const { '': plain = '', ...others } = SHAPES[shape - 1] ?? {};
  const keys = new Map<string, Shape>(words(String(plain)).map((name) => [name, 0]));
  for (const [name, below] of Object.entries(others)) keys.set(name, below as Shape);
  return keys;
}

function entryOf<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Splits the words of a `{'=': words}`, or of names. */
export function words(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}
