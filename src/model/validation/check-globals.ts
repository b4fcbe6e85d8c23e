import { globalsSection, isServerless } from '../../template/kinds/kinds.ts';
import { mapOf } from '../../template/template.ts';
import type { Template, TemplateMap } from '../../template/template.ts';
import { checkKeys } from './check-types.ts';
import type { Findings } from './findings.ts';
import { globalsOf, keysOf, KNOWN_SINCE, knownTypes, propertiesOf } from './known-types.ts';
import { meantName } from './typos.ts';

/** Checks the sections of `Globals` and their properties: SAM refuses the whole template for one that it does not support. */
export function checkGlobals(template: Template, findings: Findings): void {
  const sections = Object.entries(mapOf(template['Globals']));
  if (sections.length === 0) return;
  const types = new Map(
    knownTypes()
      .filter(isServerless)
      .map((type) => [globalsSection(type), type]),
  );
  for (const [section, value] of sections) {
    const type = types.get(section);
    if (type === undefined) reportSection(section, mapOf(value), { sections: [...types.keys()], findings });
    else checkSection(section, mapOf(value), { type, findings });
  }
}

function reportSection(
  section: string,
  value: TemplateMap,
  { sections, findings }: { sections: readonly string[]; findings: Findings },
): void {
  const meant = meantName(section, sections);
  if (meant === undefined) return;
  const message = `Globals has no section ${section}. Did you mean ${meant}?`;
  // what the section sets seems to be missing in the resources
  const names = Object.keys(value).filter((key) => /^\w+$/.test(key));
  findings.refused.push({ path: ['Globals', section], message, meant: names });
}

function checkSection(
  section: string,
  properties: TemplateMap,
  { type, findings }: { type: string; findings: Findings },
): void {
  const path = ['Globals', section];
  const supported = globalsOf(section);
  if (supported === undefined) {
    const message = `AWS SAM does not support Globals for ${type}, as of ${KNOWN_SINCE}. Set the properties in each resource`;
    findings.doubtful.push({ path, message });
    return;
  }
  const shape = propertiesOf(type);
  const known = typeof shape === 'number' ? keysOf(shape) : new Map<string, never>();
  const isUnsupported = (name: string): boolean =>
    !supported.includes(name) && (known.has(name) || meantName(name, known.keys()) === undefined);
  for (const name of Object.keys(properties).filter(isUnsupported)) {
    if (name.startsWith('Fn::')) continue;
    const message = `AWS SAM does not support ${name} in Globals.${section}, as of ${KNOWN_SINCE}. Set it in each resource`;
    findings.doubtful.push({ path: [...path, name], message });
  }
  const others = Object.entries(properties).filter(([name]) => !isUnsupported(name));
  checkKeys(Object.fromEntries(others), shape, { path, root: path.length, type, findings });
}
