import type { SentChange } from '../../cloud/recent-sends.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import type { PlannedRequest } from '../planned-request.ts';
import { withoutSecrets } from '../secret-settings.ts';

/** UpdateResource, before it has a token. */
export interface SettingsUpdate {
  id: ResourceIdentifier;
  type: string;
  identifier: string;
  settings: readonly PatchedSetting[];
}

/** A property in the patch. */
export interface PatchedSetting {
  name: string;
  /** The property of the resource, with dots for parts of one. */
  path: string;
  value: Setting;
  /** Texts in it that a dry run does not show. */
  secrets: readonly string[];
  /** undefined: Cloud Control does not show it, so it is sent as it is. */
  change: SentChange | undefined;
}

/** Lists UpdateResource, without its random token. Pure. */
export function settingsRequests(update: SettingsUpdate): PlannedRequest[] {
  const settings = update.settings.map((one) => ({ ...one, value: withoutSecrets(one.value, one.secrets) }));
  const values = Object.fromEntries(settings.map(({ path, value }) => [path, value]));
  const parameters = updateParameters({ ...update, settings });
  return [{ service: 'cloudcontrol', operation: 'UpdateResource', parameters, values }];
}

/** The parameters of UpdateResource. */
export interface UpdateParameters {
  TypeName: string;
  Identifier: string;
  PatchDocument: string;
}

/** Writes the parameters. `add` replaces what is there (RFC 6902). Pure. */
export function updateParameters({ type, identifier, settings }: SettingsUpdate): UpdateParameters {
  const patch = settings.map(({ path: place, value }) => {
    const path = `/${place.replaceAll('.', '/')}`;
    return value === null ? { op: 'remove', path } : { op: 'add', path, value };
  });
  return { TypeName: type, Identifier: identifier, PatchDocument: JSON.stringify(patch) };
}
