import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { apisOfEvents } from '../../model/api-events.ts';
import { ownValue } from '../../support/own-value.ts';
import { isServerless } from '../../template/kinds/kinds.ts';
import { namesIn } from '../../template/names-in.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { Template, TemplateMap } from '../../template/template.ts';
import type { ResourceSet } from '../loop/schedule.ts';

const EVENTS = 'Events';
/** Sections whose entries are referred to by name. */
const NAMED = ['Parameters', 'Mappings', 'Conditions', 'Resources'];
/** Sections that change no resource. */
const WITHOUT_EFFECT = new Set(['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Outputs']);

/**
 * Finds what CloudFormation may change when it deploys these differences: the resources that differ and, because a replaced
 * one has a new id, all that refer to them, directly or not. A nested stack includes its resources. Pure.
 */
export function touchedByUpdate(differences: readonly TemplateDifference[], template: Template): ResourceSet {
  const affected = new Set<string>();
  for (const { path } of differences) {
    const [section = '', name] = path;
    if (WITHOUT_EFFECT.has(section)) continue;
    if (name !== undefined && NAMED.includes(section)) affected.add(name);
    else if (section === 'Globals') for (const id of serverlessResources(template)) affected.add(id);
    else return () => true;
  }
  const own = new Set(affected);
  spread(affected, template);
  // events are in the definition of an API
  const hasOtherEvents = (id: string): boolean =>
    !own.has(id) || differences.some(({ path: [, name, , property = EVENTS] }) => name === id && property === EVENTS);
  for (const id of [...affected].filter(hasOtherEvents))
    for (const api of apisOfEvents(resourceOf(template, id))) affected.add(api);
  return (id) => affected.has(firstPart(id)) || isGeneratedFor(affected, firstPart(id), template);
}

/** Lists these resources and those they refer to, directly or not: any of them may be why they failed. Pure. */
export function neededBy(ids: Iterable<string>, template: Template): Set<string> {
  const needed = new Set<string>();
  const resources = mapOf(template['Resources']);
  const add = (id: string): void => {
    if (needed.has(id)) return;
    needed.add(id);
    for (const name of namesIn(ownValue(resources, id) ?? null)) if (Object.hasOwn(resources, name)) add(name);
  };
  for (const id of ids) add(id);
  return needed;
}

/** Adds everything that refers to something affected. */
function spread(affected: Set<string>, template: Template): void {
  const mentions = NAMED.flatMap((section) =>
    Object.entries(mapOf(template[section])).map(([name, entry]) => ({ name, names: namesIn(entry) })),
  );
  for (let before = -1; before !== affected.size;) {
    before = affected.size;
    for (const { name, names } of mentions) if (names.some((other) => affected.has(other))) affected.add(name);
  }
}

/** Whether SAM may generate the resource for one of the owners: their logical IDs begin its own. */
function isGeneratedFor(owners: ReadonlySet<string>, id: string, template: Template): boolean {
  const resources = mapOf(template['Resources']);
  if (Object.hasOwn(resources, id)) return false;
  return [...owners].some((owner) => id.startsWith(owner) && isServerless(mapOf(ownValue(resources, owner))['Type']));
}

function serverlessResources(template: Template): string[] {
  return Object.entries(mapOf(template['Resources'])).flatMap(([id, resource]) =>
    isServerless((resource as TemplateMap | null)?.['Type']) ? [id, ...apisOfEvents(mapOf(resource))] : [],
  );
}

function firstPart(id: ResourceIdentifier): string {
  return id.split('/', 1)[0] ?? '';
}
