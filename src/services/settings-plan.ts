import type { DeployedResource } from '../cloud/sync-state.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { TemplateMap } from '../template/template.ts';
import type { SettingRequest } from './apigateway/setting-requests.ts';
import type { SchemaRequest } from './appsync/schema-request.ts';
import type { TagRequest } from './tagging/tag-request.ts';
import type { ComparedSettings } from './definition-plan.ts';

/** A resource, and the settings of it to compare. */
export interface SettingsWork {
  resource: { id: ResourceIdentifier; logicalId: string; type: string; properties: TemplateMap };
  stack: Stack;
  deployed: DeployedResource;
  /** Names of properties (`direct` in the table of resource kinds). */
  settings: readonly string[];
}

/** The requests that set what differs. */
export interface SettingsPlan extends Required<ComparedSettings> {
  /** The properties that they set. */
  changes: readonly string[];
  requests: readonly OwnRequest[];
  /** Texts in them that a dry run does not show. */
  secrets?: readonly string[];
}

/** A request of a service that sets settings. */
export type OwnRequest = SettingRequest | SchemaRequest | TagRequest;
