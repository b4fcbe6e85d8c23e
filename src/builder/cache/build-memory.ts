import { writeFileAtomic } from '../../support/files.ts';
import { readFolderLines } from '../../support/folder-lines.ts';
import { PROGRAM_VERSION } from '../../support/program-version.ts';
import { either, fields, flag, listOf, parseJson, recordOf, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';
import { keyOf } from '../build-key.ts';
import type { KeyPart } from '../build-key.ts';
import type { BuildInput } from '../build-result.ts';
import type { BuildDefinition } from '../plan-build.ts';
import type { KnownEntry } from './build-cache.ts';
import { HOUR_MS } from './cache-entries.ts';
import { isSettled, stampOf } from './input-stamp.ts';
import type { BuildStart } from './input-stamp.ts';

/** What a build found in its inputs, and the entries of the cache that follow from it. */
export interface RememberedBuild {
  artifact: KnownEntry;
  /** Installed packages. */
  installed: KnownEntry | undefined;
  /** They become a dependency layer. */
  hasLayer: boolean;
  inputs: readonly BuildInput[];
  label: string;
  layerSkipped: { level: 'debug' | 'info'; reason: string } | undefined;
}

/** All that decides a build besides its definition and its inputs. */
export type BuildSettings = readonly KeyPart[];

/**
 * Remembers builds that only their definition, inputs and settings decide. As long as these are the same, nothing is prepared or
 * hashed again: each file is looked at once.
 */
export interface BuildMemory {
  /**
   * Returns what an earlier build made of the same inputs, which are looked at now. `isRecent`: its entries were found within this hour.
   */
  find(definition: BuildDefinition, settings: BuildSettings): (RememberedBuild & { isRecent: boolean }) | undefined;
  /** Remembers a build, unless its inputs have changed since shortly before its start. */
  add(definition: BuildDefinition, settings: BuildSettings, build: RememberedBuild & { start: BuildStart }): void;
  /** Says that the entries of a remembered build were found now. */
  touch(definition: BuildDefinition): void;
  /** Saves what was added for the next run. */
  save(): Promise<void>;
}

/** Raised when the form of the file changes. */
const VERSION = 1;
/** Builds that were not looked for during this many days are forgotten. */
const KEEP_DAYS = 30;
const DAY_HOURS = 24;
/** Hour, hash of the settings, stamp of the inputs, and the build as JSON. */
const LINE = /^(\d+) (\w+) (\w+) (.+)$/s;

/** Between the patterns of an input: together they are one text, equal for all builds of a workflow. */
const BETWEEN = '\n';

/** The day of a line. */
function dayOf(line: string): number {
  return Math.floor(Number(line.split(' ', 1)[0]) / DAY_HOURS);
}

function hourNow(): number {
  return Math.floor(Date.now() / HOUR_MS);
}

/** Opens the memory in a file. A missing or damaged one only costs time. */
export function openBuildMemory(file: string): BuildMemory {
  const lines = readFolderLines(file, { version: VERSION, dayOf });
  const readBuild = createReader();
  const hashOf = createSettingsHash();
  let isChanged = false;
  const put = ({ codeDir, key }: BuildDefinition, rest: string): void => {
    lines.set(codeDir, key, `${hourNow()} ${rest}`);
    isChanged = true;
  };
  const lineOf = ({ codeDir, key }: BuildDefinition): string => lines.get(codeDir, key) ?? '';
  return {
    find: (definition, settings) => {
      const [, hour, decided, stamp, json = ''] = LINE.exec(lineOf(definition)) ?? [];
      if (decided !== hashOf(settings)) return undefined;
      const build = readBuild(json);
      if (build === undefined || stampOf(build.inputs) !== stamp) return undefined;
      return { ...build, isRecent: Number(hour) === hourNow() };
    },
    add: (definition, settings, { start, ...build }) => {
      const stamp = stampOf(build.inputs);
      if (stamp === undefined || !isSettled(build.inputs, start)) return;
      put(definition, `${hashOf(settings)} ${stamp} ${toJson(build)}`);
    },
    touch: (definition) => {
      const line = lineOf(definition);
      put(definition, line.slice(line.indexOf(' ') + 1));
    },
    save: async () => {
      if (!isChanged) return;
      isChanged = false;
      const firstDay = Math.floor(hourNow() / DAY_HOURS) - KEEP_DAYS + 1;
      // a full or read-only disk: the next run prepares more
      await writeFileAtomic(file, lines.toText(firstDay)).catch(() => {});
    },
  };
}

/** Creates a function that hashes settings with the program's version, the same ones once. */
function createSettingsHash(): (settings: BuildSettings) => string {
  const hashes = new WeakMap<BuildSettings, string>();
  return (settings) => {
    const hash = hashes.get(settings) ?? keyOf(PROGRAM_VERSION, settings);
    hashes.set(settings, hash);
    return hash;
  };
}

function toJson({ inputs, ...build }: RememberedBuild): string {
  return JSON.stringify({ ...build, inputs: inputs.map((input) => [input.path, input.excludes.join(BETWEEN)]) });
}

/** Creates a reader of builds. Those of a workflow leave out the same names: they share one list. */
function createReader(): (json: string) => RememberedBuild | undefined {
  const lists = new Map<string, readonly string[]>();
  const readInput: Reader<BuildInput> = (value) => {
    const [place, joined] = listOf(text)(value) ?? [];
    if (place === undefined || joined === undefined) return undefined;
    const excludes = lists.get(joined) ?? joined.split(BETWEEN).filter((pattern) => pattern !== '');
    lists.set(joined, excludes);
    return { path: place, excludes };
  };
  return (json) => {
    const saved = fields(parseJson(json)) ?? {};
    const [artifact, installed] = [readKnown(saved['artifact']), readKnown(saved['installed'])];
    const [label, hasLayer] = [text(saved['label']), flag(saved['hasLayer'])];
    const inputs = listOf(readInput)(saved['inputs']);
    if (artifact === undefined || label === undefined || inputs === undefined || hasLayer === undefined)
      return undefined;
    if (installed === undefined && (hasLayer || saved['installed'] !== undefined)) return undefined;
    return { artifact, installed, hasLayer, inputs, label, layerSkipped: readSkip(saved['layerSkipped']) };
  };
}

const readFacts = recordOf(either(text, flag));

const readKnown: Reader<KnownEntry> = (value) => {
  const known = fields(value);
  const [key, made, facts] = [text(known?.['key']), text(known?.['made']), readFacts(known?.['facts'])];
  const isKey = key !== undefined && /^[0-9a-f]{32}$/.test(key);
  return isKey && made !== undefined && facts !== undefined ? { key, made, facts } : undefined;
};

function readSkip(value: unknown): RememberedBuild['layerSkipped'] {
  const skip = fields(value);
  const reason = text(skip?.['reason']);
  if (reason === undefined) return undefined;
  return { level: skip?.['level'] === 'info' ? 'info' : 'debug', reason };
}
