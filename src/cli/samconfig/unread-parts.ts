import { nearestName } from '../../support/nearest-name.ts';
import { ownValue } from '../../support/own-value.ts';
import { OPTION_ENTRIES } from '../options/options.ts';
import type { Notice } from '../notice.ts';
import { isConfigMap } from './config-value.ts';
import type { ConfigMap, ConfigValue } from './config-value.ts';
import { COMMANDS, KEYS_OF_OTHER_COMMANDS } from './sam-cli-names.ts';

/** A warning of a part of a samconfig that has no effect. */
export interface UnreadPart extends Notice {
  /** The keys of sync that therefore have no value: `stack_name`. */
  keys: readonly string[];
}

/** Returns what to do about a key that only sections have which sync does not read; undefined if none has it. */
export function keyElsewhere(top: ConfigMap, key: string, { label, environment }: Reading): string | undefined {
  const places = Object.entries(top).flatMap(([name, commands]) =>
    Object.entries(mapOf(commands))
      .filter(([, section]) => namesIn(mapOf(section)[PARAMETERS]).includes(key))
      .map(([command]) => ({ name, command })),
  );
  const own = places.find(({ name }) => name === environment);
  if (own !== undefined) {
    const { command } = own;
    return `${label} has ${key} in [${environment}.${command}.parameters], which sync does not read: move it to [${environment}.global.parameters] for all commands.`;
  }
  const other = places.find(({ command }) => command === 'sync' || command === 'global');
  if (other === undefined) return undefined;
  const { name, command } = other;
  return `${label} has ${key} in [${name}.${command}.parameters]: choose that environment with --config-env ${name}.`;
}

/** Where a samconfig is read. */
interface Reading {
  label: string;
  environment: string;
}

const SYNC_KEYS = OPTION_ENTRIES.flatMap(([, spec]) => spec.configKeys);
/** The key with the options of a command. */
const PARAMETERS = 'parameters';

/** Finds environments, sections and keys that no command reads, with the name that was probably meant. */
export function findUnreadParts(top: ConfigMap, reading: Reading): UnreadPart[] {
  const own = mapOf(ownValue(top, reading.environment));
  return [
    ...environments(top, reading),
    ...misplaced(top, '', { ...reading, inside: `${reading.environment}.sync` }),
    ...misplaced(own, reading.environment, { ...reading, inside: `${reading.environment}.sync` }),
    ...sections(own, reading),
    ...['global', 'sync'].flatMap((command) => {
      const section = mapOf(own[command]);
      const name = `${reading.environment}.${command}`;
      return [
        ...misplaced(section, name, { ...reading, inside: name }),
        ...tables(section, name, reading),
        ...unknownKeys(mapOf(section[PARAMETERS]), command, { ...reading, name }),
      ];
    }),
  ];
}

function environments(top: ConfigMap, { label, environment }: Reading): UnreadPart[] {
  const parts: UnreadPart[] = [];
  for (const [name, value] of Object.entries(top)) {
    // [sync.parameters] instead of [default.sync.parameters]
    if (name === environment || !isConfigMap(value) || !isConfigMap(value[PARAMETERS])) continue;
    const command = isCommand(name) ? name : 'sync';
    parts.push({
      level: 'warning',
      text: `${label}: [${name}.parameters] has no effect`,
      hint: `Write [${environment}.${command}.parameters].`,
      keys: command === 'sync' || command === 'global' ? namesIn(value[PARAMETERS]) : [],
    });
  }
  if (Object.hasOwn(top, environment)) return parts;
  const names = Object.keys(top).filter((name) => isConfigMap(top[name]) && !isCommand(name));
  const near = nearestName(environment, names);
  // a samconfig for named environments alone has no `default`
  if (environment === 'default' && near === undefined) return parts;
  const others = names.length === 0 ? undefined : `It has ${names.join(', ')}.`;
  const hint =
    near === undefined
      ? others
      : environment === 'default'
        ? `Did you mean [default …] instead of [${near} …]?`
        : `Did you mean ${near}?`;
  const keys = near === undefined ? [] : keysOfEnvironment(mapOf(top[near]));
  return [...parts, { level: 'warning', text: `${label} has no environment \`${environment}\``, hint, keys }];
}

/** Options outside a table `parameters`. */
function misplaced(table: ConfigMap, name: string, { label, inside }: Reading & { inside: string }): UnreadPart[] {
  const keys = Object.keys(table).filter((key) => !isConfigMap(table[key]) && SYNC_KEYS.includes(underscored(key)));
  if (keys.length === 0) return [];
  const one = keys.length === 1;
  const where = name === '' ? 'outside any section' : `in [${name}]`;
  return [
    {
      level: 'warning',
      text: `${label}: ${keys.join(', ')} ${where} ${one ? 'has' : 'have'} no effect`,
      hint: `Move ${one ? 'it' : 'them'} to [${inside}.parameters].`,
      keys: keys.map(underscored),
    },
  ];
}

/** Sections of the environment that no command of SAM CLI reads. */
function sections(own: ConfigMap, { label, environment }: Reading): UnreadPart[] {
  return Object.entries(own).flatMap(([name, value]): UnreadPart[] => {
    if (!isConfigMap(value) || isCommand(name)) return [];
    if (name === PARAMETERS) {
      const text = `${label}: [${environment}.parameters] has no effect`;
      return [{ level: 'warning', text, hint: `Write [${environment}.sync.parameters].`, keys: namesIn(value) }];
    }
    const near = nearestName(underscored(name), [...COMMANDS, 'global']);
    const text = `${label}: [${environment}.${name}] has no effect: SAM CLI has no such command`;
    const hint = near === undefined ? undefined : `Did you mean [${environment}.${near}.parameters]?`;
    return [
      { level: 'warning', text, hint, keys: near === 'sync' || near === 'global' ? namesIn(value[PARAMETERS]) : [] },
    ];
  });
}

/** Tables beside `parameters`, which may be misspelt. */
function tables(section: ConfigMap, name: string, { label }: Reading): UnreadPart[] {
  return Object.entries(section).flatMap(([key, value]): UnreadPart[] => {
    if (key === PARAMETERS || !isConfigMap(value)) return [];
    const isSlip = nearestName(key, [PARAMETERS]) !== undefined;
    const text = `${label}: [${name}.${key}] has no effect`;
    return [
      {
        level: 'warning',
        text,
        hint: isSlip ? `Did you mean [${name}.parameters]?` : undefined,
        keys: isSlip ? namesIn(value) : [],
      },
    ];
  });
}

function unknownKeys(
  parameters: ConfigMap,
  command: string,
  { label, name }: Reading & { name: string },
): UnreadPart[] {
  return Object.keys(parameters).flatMap((written): UnreadPart[] => {
    const key = underscored(written);
    if (SYNC_KEYS.includes(key)) return [];
    const place = `${label}, [${name}.parameters] ${written}`;
    if (KEYS_OF_OTHER_COMMANDS.has(key)) {
      if (command === 'global') return [];
      const text = `${place} is an option of other SAM CLI commands, not of sync, and has no effect`;
      return [{ level: 'info', text, keys: [] }];
    }
    const near = nearestName(key, SYNC_KEYS);
    const text = `${place} is not an option of sync and has no effect`;
    const hint = near === undefined ? undefined : `Did you mean ${near}?`;
    return [{ level: 'warning', text, hint, keys: near === undefined ? [] : [near] }];
  });
}

function isCommand(name: string): boolean {
  const section = underscored(name);
  return section === 'global' || COMMANDS.has(section) || section.startsWith('local_generate_event_');
}

function keysOfEnvironment(environment: ConfigMap): string[] {
  return ['global', 'sync'].flatMap((command) => namesIn(mapOf(environment[command])[PARAMETERS]));
}

function namesIn(value: ConfigValue | undefined): string[] {
  return Object.keys(mapOf(value)).map(underscored);
}

function mapOf(value: ConfigValue | undefined): ConfigMap {
  return isConfigMap(value) ? value : {};
}

function underscored(key: string): string {
  return key.replaceAll('-', '_');
}
