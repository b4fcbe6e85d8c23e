import type { PatchOperation, RestApi, Stage } from '@aws-sdk/client-api-gateway';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { Setting } from '../../template/kinds/direct-settings.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import { methodSettingPatches } from './method-settings.ts';

/** Lists the patches that give the stage of a REST API a setting; undefined: only CloudFormation takes its form. Pure. */
export function stagePatches(stage: Stage, { property, value }: WantedSetting): PatchOperation[] | undefined {
  const { member } = property;
  if (member === 'methodSettings') return methodSettingPatches(value, stage.methodSettings);
  const { destinationArn: DestinationArn, format: Format } = stage.accessLogSettings ?? {};
  const current = member === 'accessLogSettings' ? { DestinationArn, Format } : stage[member as keyof Stage];
  const shown = shownSetting(property, current);
  if (isSameSetting(property, value, shown)) return [];
  if (member === 'variables') return variablePatches(value as Texts, stage.variables ?? {});
  if (member === 'accessLogSettings') return accessLogPatches(value as Texts);
  return [{ op: 'replace', path: `/${member}`, value: String(value) }];
}

/** Lists the patches that give a REST API a setting. Pure. */
export function apiPatches(api: RestApi, { property, value }: WantedSetting): PatchOperation[] {
  const { member } = property;
  if (isSameSetting(property, value, shownSetting(property, api[member as keyof RestApi]))) return [];
  return [{ op: 'replace', path: `/${member}`, value: String(value) }];
}

type Texts = Readonly<Record<string, Setting>>;

function variablePatches(wanted: Texts, shown: Readonly<Record<string, string>>): PatchOperation[] {
  const gone = Object.keys(shown).filter((name) => !Object.hasOwn(wanted, name));
  const others = Object.entries(wanted).filter(([name, value]) => shown[name] !== value);
  return [
    ...gone.map((name) => ({ op: 'remove', path: variablePath(name) }) as const),
    ...others.map(([name, value]) => ({ op: 'replace', path: variablePath(name), value: String(value) }) as const),
  ];
}

function variablePath(name: string): string {
  return `/variables/${name}`;
}

function accessLogPatches({ DestinationArn = '', Format = '' }: Texts): PatchOperation[] {
  if (DestinationArn === '') return [{ op: 'remove', path: '/accessLogSettings' }];
  return [
    { op: 'replace', path: '/accessLogSettings/destinationArn', value: String(DestinationArn) },
    ...(Format === '' ? [] : [{ op: 'replace', path: '/accessLogSettings/format', value: String(Format) } as const]),
  ];
}
