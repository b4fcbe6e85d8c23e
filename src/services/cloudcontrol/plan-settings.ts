import { placeOf } from '../../cloud/resource-attributes.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import type { SentChange } from '../../cloud/recent-sends.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { fillPattern } from '../../template/kinds/attribute-patterns.ts';
import { isSameSetting, leavingItems, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import type { TemplateMap } from '../../template/template.ts';
import { parseJson } from '../definition-text.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import { resolveWithFiles } from '../resolve-with-files.ts';
import { secretTexts, settingHash, shownValue } from '../secret-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { PatchedSetting, SettingsUpdate } from './settings-update.ts';

/** A resource, and the properties that it should have. */
export interface SettingsWork {
  id: ResourceIdentifier;
  type: string;
  stack: Stack;
  properties: TemplateMap;
  deployed: DeployedResource;
  names: readonly string[];
}

/** The comparison of a resource with Cloud Control. */
export interface SettingsPlan {
  /** undefined: it has all. */
  update: SettingsUpdate | undefined;
  /** The properties that differ. */
  changes: readonly string[];
  /** The properties that the resource has once the update is applied. */
  settings: readonly string[];
  /** Properties that only a deployment can set, and why. */
  waiting: readonly string[];
}

/** Compares the properties with those that the resource has. */
export async function planSettings(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan> {
  const { id, type, properties, deployed } = work;
  const access = kindOf(type)?.cloudControl;
  const { settings: wanted, waiting } = await resolveWithFiles(tools, work);
  const unreadable = await resolveUnreadable(tools, work);
  if (wanted.size === 0) return waitFor(waiting);
  if (!Array.isArray(unreadable)) return waitFor([...waiting, ...unreadable.waiting]);
  const identifier = identify(access?.identifier ?? '', { deployed, properties, stackId: tools.stackId });
  const shown = identifier === undefined ? undefined : await readResource(tools, type, identifier);
  if (shown === undefined || identifier === undefined)
    return waitFor([...waiting, `Cloud Control does not find ${deployed.physicalId}`]);
  const reasons = new Map([...wanted].map(([name, one]) => [name, whyWaiting(name, one, shown)] as const));
  const settings = [...wanted].filter(([name]) => reasons.get(name) === undefined);
  const changes = settings.flatMap(([name, one]): PatchedSetting[] => {
    const change = changeOf(tools, { resource: `${identifier} ${one.property.member}`, shown, one });
    if (change === undefined) return [];
    const { property, value, secrets } = one;
    return [{ name, path: property.member, value, secrets, change }];
  });
  return {
    update: changes.length === 0 ? undefined : { id, type, identifier, settings: [...changes, ...unreadable] },
    changes: changes.map(({ name }) => name),
    settings: settings.map(([name]) => name),
    waiting: [...waiting, ...[...reasons.values()].filter((reason) => reason !== undefined)],
  };
}

/** Why only the deployment can set the property; undefined: Cloud Control can. */
function whyWaiting(name: string, { property, value }: WantedSetting, model: Model): string | undefined {
  const [list = '', index] = property.member.split('.');
  const items = ownValue(model, list);
  // SAM generates one item
  if (index === '0' && Array.isArray(items) && items.length > 1) return `${name}: ${list} has items of others`;
  const leaving = leavingItems(property, value, shownSetting(property, memberOf(model, property.member)));
  return leaving.length === 0 ? undefined : `${name}: only the deployment removes ${leaving.join(', ')}`;
}

function waitFor(waiting: readonly string[]): SettingsPlan {
  return { update: undefined, changes: [], settings: [], waiting };
}

/** The resource's identifier. EventBridge names a rule on a bus of its own `bus|rule`, and `bus/rule` in its ARN. */
function identify(
  pattern: string,
  { deployed, properties, stackId }: { deployed: DeployedResource; properties: TemplateMap; stackId: string },
): string | undefined {
  const property = (name: string): string | undefined => {
    const value = ownValue(properties, name);
    return typeof value === 'string' ? value : undefined;
  };
  const filled = fillPattern(pattern, { ...placeOf(stackId), physicalId: deployed.physicalId, property });
  return filled?.replace('|', '/');
}

type Model = Readonly<Record<string, unknown>>;

/** Reads the properties that the resource has; undefined: Cloud Control does not find it. */
async function readResource(tools: ServiceContext, type: string, identifier: string): Promise<Model | undefined> {
  const { send, GetResourceCommand } = await tools.aws.cloudControl();
  try {
    const { ResourceDescription } = await send(new GetResourceCommand({ TypeName: type, Identifier: identifier }));
    return parseJson(ResourceDescription?.Properties ?? '') as Model | undefined;
  } catch (error) {
    // the type or the identifier, not the account: a deployment needs neither
    if (isAwsError(error) && error.kind === 'other') return undefined;
    throw error;
  }
}

/** The change of a property; undefined: the resource has the value. */
function changeOf(
  { facts }: ServiceContext,
  { resource, shown: model, one: { property, value } }: { resource: string; shown: Model; one: WantedSetting },
): SentChange | undefined {
  const now = shownSetting(property, memberOf(model, property.member));
  const shown = shownValue(resource, now);
  if (isSameSetting(property, value, now) && !mayBeStale(facts, shown)) return undefined;
  return { shown, value: settingHash(value) };
}

/** The value of a member, which may be a part of another one (`Target.Input`). */
function memberOf(model: Model, member: string): unknown {
  return member.split('.').reduce<unknown>((at, name) => (isObject(at) ? ownValue(at, name) : undefined), model);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Resolves the properties of the template that Cloud Control does not show. */
async function resolveUnreadable(
  { values }: ServiceContext,
  { type, stack, properties }: SettingsWork,
): Promise<PatchedSetting[] | { waiting: string[] }> {
  const settings: PatchedSetting[] = [];
  const waiting: string[] = [];
  for (const name of kindOf(type)?.cloudControl?.unreadable ?? []) {
    const written = properties[name] ?? null;
    if (written === null) continue;
    const { value, missing } = await values.resolve(written, stack);
    if (missing.length > 0) waiting.push(`${name}: only CloudFormation knows ${missing.join(', ')}`);
    const setting = { name, path: name, value: value as Setting, secrets: secretTexts(written, value, stack) };
    settings.push({ ...setting, change: undefined });
  }
  return waiting.length > 0 ? { waiting } : settings;
}
