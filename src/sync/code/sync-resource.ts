import type { SourcePlace } from '../../errors.ts';
import type { AwsErrorKind } from '../../aws/service-errors.ts';
import type { DefinedResource } from '../../model/definitions.ts';
import { readDefinitions } from '../../model/definitions.ts';
import type { FunctionResource, LayerResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import { readSettable } from '../../model/settable-resources.ts';
import type { SettableResource } from '../../model/settable-resources.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { SyncableType } from '../../template/kinds/kinds.ts';

/** A resource that services update, and the stack it is in. */
export type SyncResource = CodeResource | SyncSettings;

/** A resource of a type that code syncs update (`sync` in the table of resource kinds). */
export type CodeResource = SyncFunction | SyncLayer | SyncDefinition;

interface SyncItem<Kind, Resource, Type = SyncableType> {
  kind: Kind;
  id: ResourceIdentifier;
  type: Type;
  stack: Stack;
  resource: Resource;
}

export type SyncFunction = SyncItem<'function', FunctionResource>;
export type SyncLayer = SyncItem<'layer', LayerResource>;
/** A resource of any other type: `services/definitions.ts` has the flow that sends its definition. */
export type SyncDefinition = SyncItem<'definition', DefinedResource>;
/** A resource without code or definition, of which services set properties. */
export type SyncSettings = SyncItem<'settings', SettableResource, string>;

/** AWS failed, or this machine failed temporarily (`system`), or only a deployment can make the change (`deployment`). */
export type FailureKind = AwsErrorKind | 'system' | 'deployment';

/** The result of syncing a resource. */
export interface ResourceResult extends SourcePlace {
  id: ResourceIdentifier;
  type: string;
  /** `skipped`: a code sync cannot update it, e.g. inline code. */
  outcome: 'synced' | 'unchanged' | 'failed' | 'skipped';
  ms: number;
  /** A few words, e.g. `code, version 7 for live`. */
  detail?: string | undefined;
  /** Why it failed or was skipped. */
  error?: string | undefined;
  /** What to do next. */
  hint?: string | undefined;
  /** The service refused the settings and has none of them. `deploy`: a deployment may be able to set them. */
  refusedSettings?: 'deploy' | 'wrong' | undefined;
  /** Settings that only a deployment can set, and why. */
  waiting?: readonly string[] | undefined;
  /** The kind of failure, if the resource did not cause it. */
  errorKind?: FailureKind | undefined;
  /** The failed layer that the resource needs: a watch syncs it once the layer is published. */
  waitsFor?: ResourceIdentifier | undefined;
}

/** Lists the resources with code or a definition: stacks from the root down, in the order of the templates. */
export function listSyncResources(root: Stack): CodeResource[] {
  return flattenStacks(root).flatMap((stack): CodeResource[] => [
    ...stack.functions.map((resource) => {
      const { id, type } = resource;
      return { kind: 'function' as const, id, type, stack, resource };
    }),
    ...stack.layers.map((resource) => {
      const { id, type } = resource;
      return { kind: 'layer' as const, id, type, stack, resource };
    }),
    ...readDefinitions(stack).map((resource) => {
      const { id, type } = resource;
      return { kind: 'definition' as const, id, type, stack, resource };
    }),
  ]);
}

/** Lists the resources that have settings only, in the same order. */
export function listSettingsResources(root: Stack): SyncSettings[] {
  return flattenStacks(root).flatMap((stack) =>
    readSettable(stack).map((resource) => {
      const { id, type } = resource;
      return { kind: 'settings' as const, id, type, stack, resource };
    }),
  );
}
