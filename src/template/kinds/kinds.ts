import { API_GATEWAY } from './apigateway.ts';
import { APP_SYNC } from './appsync.ts';
import { CLOUD_FORMATION } from './cloudformation.ts';
import { LAMBDA } from './lambda.ts';
import { OTHERS } from './others.ts';
import type { LocalContent, PathProperty, ResourceKind } from './resource-kind.ts';
import { STEP_FUNCTIONS } from './stepfunctions.ts';
import type { TemplateMap } from '../template.ts';

/**
 * Every resource type of which more is known than its name, and all that is known of it. A type that is not here is deployed
 * as it is written.
 */
export const RESOURCE_KINDS = {
  ...LAMBDA,
  ...API_GATEWAY,
  ...STEP_FUNCTIONS,
  ...APP_SYNC,
  ...CLOUD_FORMATION,
  ...OTHERS,
};

type Table = typeof RESOURCE_KINDS;

/** The flows of code syncs that the table names. */
type SyncFlow = Extract<Table[keyof Table], { sync: string }>['sync'];

/** The flows that send a definition, of an API or a state machine. */
export type DefinitionFlow = Exclude<SyncFlow, 'function' | 'layer'>;

/** The resource types that code syncs update by one of these flows. */
export type SyncableType<Flow extends SyncFlow = SyncFlow> = {
  [Type in keyof Table]: Table[Type] extends { sync: Flow } ? Type : never;
}[keyof Table];

/** What code is built as. */
type BuildKind = Extract<Table[keyof Table], { builtAs: string }>['builtAs'];

/** The resource types whose code is built as one of these. */
export type BuiltType<Kind extends BuildKind = BuildKind> = {
  [Type in keyof Table]: Table[Type] extends { builtAs: Kind } ? Type : never;
}[keyof Table];

const BY_TYPE: ReadonlyMap<unknown, ResourceKind> = new Map(Object.entries(RESOURCE_KINDS));

/** The row of a resource's `Type`; undefined for a type that is not in the table, or no text at all. */
export function kindOf(type: unknown): ResourceKind | undefined {
  return BY_TYPE.get(type);
}

/** The types that `--code` and `--resource` accept (docs/sam-cli-behaviour.md#resource-types). */
export const SYNCABLE_TYPES: readonly SyncableType[] = Object.keys(RESOURCE_KINDS).filter(isSyncable);

function isSyncable(type: unknown): type is SyncableType {
  return kindOf(type)?.sync !== undefined;
}

/** Whether the code of resources of the type is built as this. */
export function isBuiltAs<Kind extends BuildKind>(type: unknown, kind: Kind): type is BuiltType<Kind> {
  return kindOf(type)?.builtAs === kind;
}

/** Whether code syncs send a definition to resources of the type: they send the code of all others. */
export function hasDefinition(type: unknown): type is SyncableType<DefinitionFlow> {
  return isSyncable(type) && kindOf(type)?.builtAs === undefined;
}

/** The flow of a type that code syncs update. */
export function flowOf<Type extends SyncableType>(type: Type): Table[Type]['sync'] {
  return RESOURCE_KINDS[type].sync;
}

/** The properties of the type that may hold a local path, of all kinds or of one. */
export function pathProperties(type: unknown, content?: LocalContent): readonly PathProperty[] {
  const paths = kindOf(type)?.paths ?? [];
  return content === undefined ? paths : paths.filter((path) => path.content === content);
}

/** Whether a property of a resource says where its code, image or definition is. Pure. */
export function isSourceProperty(type: unknown, property: string): boolean {
  const { paths = [], image } = kindOf(type) ?? {};
  const isPath = paths.some(({ property: [first], content }) => content !== 'template' && first === property);
  return isPath || image?.[0] === property;
}

/** The properties of a resource that a code sync sends with its code or definition (`ResourceKind.settings`). Pure. */
export function settingsOf(type: string, properties: TemplateMap): TemplateMap {
  const { settings = [] } = kindOf(type) ?? {};
  return Object.fromEntries(Object.entries(properties).filter(([name]) => settings.includes(name)));
}

/** The row of the API that SAM generates under this logical ID for the events of functions. */
export function implicitKind(logicalId: string): ResourceKind | undefined {
  return BY_IMPLICIT_ID.get(logicalId);
}

const BY_IMPLICIT_ID = new Map(
  [...BY_TYPE.values()].flatMap((kind) => (kind.implicitId ? [[kind.implicitId, kind]] : [])),
);

const SERVERLESS = 'AWS::Serverless::';

/** Whether SAM transforms resources of the type: it has a section in `Globals`, and SAM generates resources beside it. */
export function isServerless(type: unknown): type is `AWS::Serverless::${string}` {
  return typeof type === 'string' && type.startsWith(SERVERLESS);
}

/** The type's section in `Globals`: `Function` of `AWS::Serverless::Function`. */
export function globalsSection(type: `AWS::Serverless::${string}`): string {
  return type.slice(SERVERLESS.length);
}
