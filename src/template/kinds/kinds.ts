import { API_GATEWAY } from './apigateway.ts';
import { APP_SYNC } from './appsync.ts';
import { CLOUD_CONTROL } from './cloud-control.ts';
import { CLOUD_FORMATION } from './cloudformation.ts';
import { LAMBDA } from './lambda.ts';
import { OTHERS } from './others.ts';
import type { LocalContent, PathProperty, ResourceKind } from './resource-kind.ts';
import { STEP_FUNCTIONS } from './stepfunctions.ts';
import type { TemplateMap } from '../template.ts';

/** All resource types that are treated specially. Other types are deployed unchanged. */
export const RESOURCE_KINDS = {
  ...LAMBDA,
  ...API_GATEWAY,
  ...STEP_FUNCTIONS,
  ...APP_SYNC,
  ...CLOUD_FORMATION,
  ...CLOUD_CONTROL,
  ...OTHERS,
};

type Table = typeof RESOURCE_KINDS;

/** The flows of code syncs in the table. */
type SyncFlow = Extract<Table[keyof Table], { sync: string }>['sync'];

/** The flows that send a definition, of an API or a state machine. */
export type DefinitionFlow = Exclude<SyncFlow, 'function' | 'layer'>;

/** The resource types that code syncs update by one of these flows. */
export type SyncableType<Flow extends SyncFlow = SyncFlow> = {
  [Type in keyof Table]: Table[Type] extends { sync: Flow } ? Type : never;
}[keyof Table];

/** The kinds of build results. */
type BuildKind = Extract<Table[keyof Table], { builtAs: string }>['builtAs'];

/** The resource types whose code is built as one of these. */
export type BuiltType<Kind extends BuildKind = BuildKind> = {
  [Type in keyof Table]: Table[Type] extends { builtAs: Kind } ? Type : never;
}[keyof Table];

const BY_TYPE: ReadonlyMap<unknown, ResourceKind> = new Map(Object.entries(RESOURCE_KINDS));

/** Returns the row of a resource's `Type`; undefined if the table lacks it or it is not a string. */
export function kindOf(type: unknown): ResourceKind | undefined {
  return BY_TYPE.get(type);
}

/** The types that `--code` and `--resource` accept (docs/sam-cli-behaviour.md#resource-types). */
export const SYNCABLE_TYPES: readonly SyncableType[] = Object.keys(RESOURCE_KINDS).filter(isSyncable);

/** Whether a code sync updates resources of this type. */
export function isSyncable(type: unknown): type is SyncableType {
  return kindOf(type)?.sync !== undefined;
}

/** Returns whether the code of resources of the type is built as this kind. */
export function isBuiltAs<Kind extends BuildKind>(type: unknown, kind: Kind): type is BuiltType<Kind> {
  return kindOf(type)?.builtAs === kind;
}

/** Returns whether code syncs send a definition, not code, to resources of the type. */
export function hasDefinition(type: unknown): type is SyncableType<DefinitionFlow> {
  return isSyncable(type) && kindOf(type)?.builtAs === undefined;
}

/** Returns the code sync flow of a type. */
export function flowOf<Type extends SyncableType>(type: Type): Table[Type]['sync'] {
  return RESOURCE_KINDS[type].sync;
}

/** Returns the properties of the type that may hold a local path, for all content or one kind. */
export function pathProperties(type: unknown, content?: LocalContent): readonly PathProperty[] {
  const paths = kindOf(type)?.paths ?? [];
  return content === undefined ? paths : paths.filter((path) => path.content === content);
}

/** Returns whether a property locates the code, image or definition of a resource. Pure. */
export function isSourceProperty(type: unknown, property: string): boolean {
  const { paths = [], image } = kindOf(type) ?? {};
  const isPath = paths.some(({ property: [first], content }) => content !== 'template' && first === property);
  return isPath || image?.[0] === property;
}

/** Returns the properties that a code sync sends with the code or definition (`ResourceKind.settings`). Pure. */
export function settingsOf(type: string, properties: TemplateMap): TemplateMap {
  const { settings = [] } = kindOf(type) ?? {};
  return Object.fromEntries(Object.entries(properties).filter(([name]) => settings.includes(name)));
}

/**
 * Returns the event of functions by its `Type`: the property that names the API, the API's ID if it names none, and the
 * properties that SAM writes into the API's definition.
 */
export function apiEvent(type: unknown): { api: string; implicitId: string; settings: readonly string[] } | undefined {
  const kind = [...BY_TYPE.values()].find(({ event }) => event?.type === type);
  return kind?.event && { ...kind.event, implicitId: kind.implicitId ?? '' };
}

/** Returns the row of the API that SAM generates under this logical ID for events of functions. */
export function implicitKind(logicalId: string): ResourceKind | undefined {
  return BY_IMPLICIT_ID.get(logicalId);
}

const BY_IMPLICIT_ID = new Map(
  [...BY_TYPE.values()].flatMap((kind) => (kind.implicitId ? [[kind.implicitId, kind]] : [])),
);

const SERVERLESS = 'AWS::Serverless::';

/** Returns whether SAM transforms resources of the type, so that `Globals` applies and SAM generates resources. */
export function isServerless(type: unknown): type is `AWS::Serverless::${string}` {
  return typeof type === 'string' && type.startsWith(SERVERLESS);
}

/** Returns the type's section in `Globals`: `Function` for `AWS::Serverless::Function`. */
export function globalsSection(type: `AWS::Serverless::${string}`): string {
  return type.slice(SERVERLESS.length);
}
