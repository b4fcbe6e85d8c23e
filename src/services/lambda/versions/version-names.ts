import { hasIntrinsic } from '../../../template/intrinsics.ts';
import { kindOf } from '../../../template/kinds/kinds.ts';
import { mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { canonicalJson } from '../../definition-text.ts';

/** Whether SAM names the version of a function as in the deployed template; `unknown`: only CloudFormation knows. */
export type VersionName = 'same' | 'other' | 'unknown';

/** The function in the deployed and in the packaged template, with Globals merged. */
interface TwoResources {
  deployed: TemplateMap;
  packaged: TemplateMap;
}

/**
 * Compares the names that SAM gives the version of the function. `isPlain`: SAM's is the only transform. Pure.
 */
export function compareVersionNames(
  { deployed, packaged }: TwoResources,
  { isPlain }: { isPlain: boolean },
): VersionName {
  const { versioned } = kindOf(packaged['Type']) ?? {};
  // CloudFormation expands the loop that has the resource
  if (versioned === undefined) return 'unknown';
  const { onlyWith = '', wholeWith = '', namedBy = '', code = [], settings = [] } = versioned;
  const [before, after] = [mapOf(deployed['Properties']), mapOf(packaged['Properties'])];
  if (before[onlyWith] === undefined) return 'other';
  if ((after[wholeWith] ?? false) !== false) {
    // a layer may be part of the name
    const isSame = after['Layers'] === undefined && canonicalJson(before) === canonicalJson(after);
    return isSame && (isPlain || !hasIntrinsic(after)) ? 'same' : 'unknown';
  }
  const filled = after[namedBy] === undefined ? code : [namedBy];
  const written = after[namedBy] === undefined ? [...settings, namedBy] : [];
  if ([...filled, ...written].some((name) => writtenText(before, name) !== writtenText(after, name))) return 'other';
  const mayDiffer = isPlain ? filled : [...filled, ...written];
  return mayDiffer.some((name) => hasIntrinsic(after[name] ?? null)) ? 'unknown' : 'same';
}

/** Whether CloudFormation leaves the code of the function as it is, because the template writes the same. Pure. */
export function keepsCode({ deployed, packaged }: TwoResources): boolean {
  const { code = [] } = kindOf(packaged['Type'])?.versioned ?? {};
  const [before, after] = [mapOf(deployed['Properties']), mapOf(packaged['Properties'])];
  return code.every(
    (name) => !hasIntrinsic(after[name] ?? null) && writtenText(before, name) === writtenText(after, name),
  );
}

/** The property as it determines the name: SAM leaves out `SnapStart` if it is off. Pure. */
export function writtenText(properties: TemplateMap, name: string): string {
  const value: TemplateValue = properties[name] ?? null;
  const isOff = name === 'SnapStart' && (mapOf(value)['ApplyOn'] ?? 'None') === 'None';
  return canonicalJson(isOff ? null : value);
}
