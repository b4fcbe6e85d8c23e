import type { ResourceIdentifier } from '../../model/stack.ts';
import { planSettings } from '../../services/cloudcontrol/plan-settings.ts';
import type { SettingsUpdate } from '../../services/cloudcontrol/settings-update.ts';
import { planServiceSettings } from '../../services/settings.ts';
import type { SettingsPlan } from '../../services/settings-plan.ts';
import { isTaggedBySetting } from '../../template/kinds/setting-parts.ts';
import { mapLimit } from '../../support/map-limit.ts';
import type { PlannedWork } from './code-sync-plan.ts';
import { attempt, PLANNED_AT_ONCE, settingsToCompare } from './planning.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncSettings } from './sync-resource.ts';

type PlannedOthers = Pick<PlannedWork, 'updates' | 'requests' | 'settings'>;

/** Compares the resources that have settings only with Cloud Control, and their tags. */
export async function planOtherSettings(
  planning: Planning,
  located: readonly Located<SyncSettings>[],
): Promise<PlannedOthers> {
  const updates = new Map<ResourceIdentifier, SettingsUpdate>();
  const requests = new Map<ResourceIdentifier, SettingsPlan>();
  const settings = new Map<ResourceIdentifier, readonly string[]>();
  await mapLimit(located, PLANNED_AT_ONCE, async ({ resource, deployed }) => {
    const { id, type, stack } = resource;
    const { properties } = resource.resource;
    const all = settingsToCompare(planning, id);
    const names = all.filter((name) => !isTaggedBySetting(type, name));
    const tags = all.filter((name) => isTaggedBySetting(type, name));
    const work = { id, type, stack, properties, deployed, names };
    const own = { resource: { ...resource.resource, id, type }, stack, deployed, settings: tags };
    const plans = await attempt(planning, resource, () =>
      Promise.all([planSettings(planning.tools, work), planServiceSettings(planning.tools, own)]),
    );
    if (plans === undefined) return;
    const [plan, ofTags = NO_SETTINGS] = plans;
    settings.set(id, [...plan.settings, ...ofTags.settings]);
    if (plan.update !== undefined) updates.set(id, plan.update);
    if (ofTags.requests.length > 0) requests.set(id, ofTags);
    const changes = [...plan.changes, ...ofTags.changes];
    const action = changes.length === 0 ? 'none' : 'update';
    planning.outcomes.set(id, { id, type, action, changes, waiting: [...plan.waiting, ...ofTags.waiting] });
  });
  return { updates, requests, settings };
}

const NO_SETTINGS: SettingsPlan = { changes: [], requests: [], settings: [], waiting: [] };
