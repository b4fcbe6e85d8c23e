import { setOwn } from '../support/own-value.ts';
import { Budget, within } from './budget.ts';
import { includeLocation, resolve } from './intrinsics.ts';
import { pathProperties } from './kinds/kinds.ts';
import type { PathProperty } from './kinds/resource-kind.ts';
import { isLocalPath } from './local-paths.ts';
import { nothingKnown } from './scope.ts';
import type { Scope } from './scope.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap, mapOf, scalarText } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';
import { EXTENSIONS_TRANSFORM, transformsOf } from './transforms.ts';

const LOOP = 'Fn::ForEach::';
/** The sections in which CloudFormation supports loops. */
const SECTIONS = ['Conditions', 'Resources', 'Outputs'] as const;

/** A template with expanded loops (`Fn::ForEach`). */
export interface ExpandedTemplate {
  template: Template;
  /** Resource from a loop → its path in the user's template. */
  origins: ReadonlyMap<string, TemplatePath>;
  problems: LoopProblem[];
}

/** A loop that cannot be expanded. */
interface LoopProblem {
  path: TemplatePath;
  message: string;
}

/** Returns whether the template uses `AWS::LanguageExtensions`, or the option if given. */
export function usesLanguageExtensions(template: Template, option: boolean | undefined): boolean {
  if (option !== undefined) return option;
  return transformsOf(template).some(({ name }) => name === EXTENSIONS_TRANSFORM);
}

/**
 * Expands loops. `which: 'local'`: only those whose resources need local files, which differ per iteration; CloudFormation
 * expands the others. Keeps a loop over values not known locally, and reports a problem if it needs local files.
 */
export function expandLoops(template: Template, scope: Scope, which: 'all' | 'local'): ExpandedTemplate {
  const run: Run = { scope, which, origins: new Map(), problems: [], budget: new Budget() };
  const sections = SECTIONS.filter((name) => isMap(template[name]) && hasLoop(template[name]));
  const expanded = sections.map((name): [string, TemplateValue] => [
    name,
    expandMap(run, mapOf(template[name]), { path: [name], inside: false }),
  ]);
  const result = sections.length === 0 ? template : { ...template, ...Object.fromEntries(expanded) };
  return { template: result, origins: run.origins, problems: run.problems };
}

interface Run {
  scope: Scope;
  which: 'all' | 'local';
  origins: Map<string, TemplatePath>;
  problems: LoopProblem[];
  budget: Budget;
}

interface Place {
  /** Path in the user's template. */
  path: TemplatePath;
  /** Inside an expanded loop, whose inner loops must be expanded too, because their names must be unique. */
  inside: boolean;
}

function expandValue(run: Run, value: TemplateValue, place: Place): TemplateValue {
  if (Array.isArray(value)) {
    return value.map((item, index) => expandValue(run, item, { ...place, path: [...place.path, String(index)] }));
  }
  return isMap(value) && hasLoop(value) ? expandMap(run, value, place) : value;
}

function expandMap(run: Run, map: TemplateMap, place: Place): TemplateMap {
  const result: TemplateMap = {};
  for (const [key, value] of Object.entries(map)) {
    const at = { ...place, path: [...place.path, key] };
    const entries = key.startsWith(LOOP) ? expandLoop(run, value, at) : undefined;
    for (const [name, body] of entries ?? [[key, expandValue(run, value, at)] as const]) {
      if (Object.hasOwn(result, name)) {
        run.problems.push({ path: at.path, message: `${key} creates ${name} a second time` });
      }
      setOwn(result, name, body);
    }
  }
  return result;
}

/** Returns the entries of an expanded loop; undefined to keep the loop. */
function expandLoop(run: Run, loop: TemplateValue, place: Place): [string, TemplateValue][] | undefined {
  const name = String(place.path.at(-1));
  if (!Array.isArray(loop) || loop.length !== 3 || typeof loop[0] !== 'string' || !isMap(loop[2])) {
    run.problems.push({ path: place.path, message: `${name} must be a list of a name, its values and a mapping` });
    return undefined;
  }
  const [variable, collection, body] = loop as [string, TemplateValue, TemplateMap];
  const isLocal = needsLocalFiles(body);
  if (run.which === 'local' && !isLocal && !place.inside) return undefined;
  const values = loopValues(collection, run.scope);
  if (values === undefined) {
    if (isLocal) run.problems.push({ path: place.path, message: unknownValues(name) });
    return undefined;
  }
  const entries: [string, TemplateValue][] = [];
  const keys = Object.keys(body);
  for (const value of values) {
    const turn = within(place.path, () => makeTurn(body, { name: variable, value, budget: run.budget }));
    for (const [index, [key, item]] of turn.entries()) {
      const at: Place = { path: [...place.path, '2', keys[index] ?? key], inside: true };
      const nested = key.startsWith(LOOP) ? expandLoop(run, item, at) : undefined;
      if (place.path[0] === 'Resources' && nested === undefined) run.origins.set(key, at.path);
      entries.push(...(nested ?? [[key, expandValue(run, item, at)] as [string, TemplateValue]]));
    }
  }
  return entries;
}

function unknownValues(loop: string): string {
  return (
    `The values of ${loop} are known only to CloudFormation, but its resources need local files. ` +
    'Write them as a list, or pass them in a CommaDelimitedList parameter'
  );
}

/** Returns the values of a loop as text; undefined if any is unknown. */
function loopValues(collection: TemplateValue, scope: Scope): string[] | undefined {
  const resolved = resolve(collection, scope);
  if (!Array.isArray(resolved)) return undefined;
  const texts = resolved.flat().map((item) => scalarText(item));
  const known = texts.filter((text) => text !== undefined && !text.includes('{{resolve:'));
  return known.length === texts.length ? (known as string[]) : undefined;
}

/** Returns whether a resource in the loop, or in a nested one, has a local path or includes a local file. */
function needsLocalFiles(body: TemplateMap): boolean {
  return Object.entries(body).some(([key, value]) => {
    if (key.startsWith(LOOP)) return Array.isArray(value) && isMap(value[2]) && needsLocalFiles(value[2]);
    if (!isMap(value) || typeof value['Type'] !== 'string') return false;
    const properties = mapOf(value['Properties']);
    return pathProperties(value['Type']).some((path) => mayBeLocal(properties, path)) || includesFile(value);
  });
}

function mayBeLocal(properties: TemplateMap, { property, content }: PathProperty): boolean {
  if ((properties['InlineCode'] ?? null) !== null || properties['PackageType'] === 'Image') {
    return properties['PackageType'] === 'Image';
  }
  let value: TemplateValue | undefined = properties;
  for (const key of property) {
    if (key === '*') return true;
    value = mapOf(value)[key];
  }
  // the default path is that of Globals, or the template's folder
  if (value === undefined) return content === 'code';
  const map = mapOf(value);
  const text = typeof map['Fn::Sub'] === 'string' ? map['Fn::Sub'] : value;
  if (typeof text === 'string') return isLocalPath(text);
  return map['ZipFile'] === undefined && map['S3Bucket'] === undefined && map['Bucket'] === undefined;
}

function includesFile(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.some(includesFile);
  if (!isMap(value)) return false;
  const location = includeLocation(value, nothingKnown());
  return isLocalPath(location) || Object.values(value).some(includesFile);
}

/** The loop variable and its value in an iteration. */
interface Variable {
  name: string;
  value: string;
  budget: Budget;
}

function makeTurn(body: TemplateMap, variable: Variable): [string, TemplateValue][] {
  variable.budget.spendTurn();
  return Object.entries(mapOf(substituteVariable(body, variable)));
}

function substituteVariable(value: TemplateValue, variable: Variable): TemplateValue {
  if (typeof value === 'string') return substituteText(value, variable);
  variable.budget.spendCollection();
  if (Array.isArray(value)) return value.map((item) => substituteVariable(item, variable));
  if (!isMap(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && value['Ref'] === variable.name) return variable.value;
  return Object.fromEntries(
    entries.map(([key, item]) => [substituteText(key, variable), substituteVariable(item, variable)]),
  );
}

/** Replaces `${Name}` by the value, and `&{Name}` by the value without characters invalid in logical IDs. */
function substituteText(text: string, { name, value, budget }: Variable): string {
  budget.spend(text.length);
  if (!text.includes('{')) return text;
  const fill = (filling: string): string => {
    budget.spend(filling.length);
    return filling;
  };
  return text
    .replaceAll(`\${${name}}`, () => fill(value))
    .replaceAll(`&{${name}}`, () => fill(value.replaceAll(/[^A-Za-z0-9]/g, '')));
}

function hasLoop(value: TemplateValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(hasLoop);
  return isMap(value) && Object.entries(value).some(([key, item]) => key.startsWith(LOOP) || hasLoop(item));
}
