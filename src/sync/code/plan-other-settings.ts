import type { ResourceIdentifier } from '../../model/stack.ts';
import { planSettings } from '../../services/cloudcontrol/plan-settings.ts';
import type { SettingsUpdate } from '../../services/cloudcontrol/settings-update.ts';
import { mapLimit } from '../../support/map-limit.ts';
import type { PlannedWork } from './code-sync-plan.ts';
import { attempt, PLANNED_AT_ONCE, settingsToCompare } from './planning.ts';
import type { Located, Planning } from './planning.ts';
import type { SyncSettings } from './sync-resource.ts';

/** Compares the resources that have settings only with Cloud Control. */
export async function planOtherSettings(
  planning: Planning,
  located: readonly Located<SyncSettings>[],
): Promise<Pick<PlannedWork, 'updates' | 'settings'>> {
  const updates = new Map<ResourceIdentifier, SettingsUpdate>();
  const settings = new Map<ResourceIdentifier, readonly string[]>();
  await mapLimit(located, PLANNED_AT_ONCE, async ({ resource, deployed }) => {
    const { id, type, stack } = resource;
    const { properties } = resource.resource;
    const work = { id, type, stack, properties, deployed, names: settingsToCompare(planning, id) };
    const plan = await attempt(planning, resource, () => planSettings(planning.tools, work));
    if (plan === undefined) return;
    const { changes, waiting } = plan;
    settings.set(id, plan.settings);
    if (plan.update !== undefined) updates.set(id, plan.update);
    planning.outcomes.set(id, { id, type, action: plan.update === undefined ? 'none' : 'update', changes, waiting });
  });
  return { updates, settings };
}
