import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { namesIn, writeFileAtomic } from '../../support/files.ts';
import { count, fields, parseJson, recordOf, text } from '../../support/shapes.ts';
import { ownValue } from '../../support/own-value.ts';
import { withSlashes } from '../../support/places.ts';
import type { Reader } from '../../support/shapes.ts';

/** Why a function cannot run, before it is located in the project. */
export interface CheckProblem {
  message: string;
  /** The property of the template that is wrong; else the position is in `file`, relative to the artifact. */
  property?: 'handler' | 'runtime' | undefined;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

/** The result of a check; `none`: no problem. */
export type CheckResult = CheckProblem | 'none';

/** Results of the checks of each artifact, by the key of the check. */
export interface CheckRecords {
  find(artifact: string, key: string): CheckResult | undefined;
  set(artifact: string, key: string, finding: CheckResult): void;
  /** Saves the results for the next run. */
  save(): Promise<void>;
}

/** Beside the entries of the cache: one file, because one for each entry takes longer than the checks. */
const FILE = 'checks.json';

/** Results by the key of the check. */
type Results = Readonly<Record<string, CheckResult>>;

/** Opens the records of a build cache (absolute). They are read once: what two syncs find at the same time may be found again. */
export function openCheckRecords(storeDir: string): CheckRecords {
  const file = path.join(storeDir, FILE);
  /** By artifact, not validated yet: a sync of one function needs one of thousands. */
  let known: Map<string, unknown> | undefined;
  let isChanged = false;
  const all = (): Map<string, unknown> => (known ??= readRecords(file));
  const nameOf = (artifact: string): string => withSlashes(path.relative(storeDir, path.dirname(artifact)));
  const resultsOf = (name: string): Results => readResults(all().get(name)) ?? {};
  return {
    find: (artifact, key) => ownValue(resultsOf(nameOf(artifact)), key),
    set: (artifact, key, finding) => {
      const name = nameOf(artifact);
      all().set(name, { ...resultsOf(name), [key]: finding });
      isChanged = true;
    },
    save: async () => {
      if (!isChanged) return;
      isChanged = false;
      known = withoutRemoved(all(), storeDir);
      // the disk may be read-only
      await writeFileAtomic(file, JSON.stringify(Object.fromEntries(known))).catch(() => {});
    },
  };
}

const readProblem: Reader<CheckResult> = (value) => {
  if (value === 'none') return value;
  const map = fields(value);
  const message = text(map?.['message']);
  if (map === undefined || message === undefined) return undefined;
  const property = map['property'] === 'handler' ? 'handler' : undefined;
  return { message, property, file: text(map['file']), line: count(map['line']), column: count(map['column']) };
};
const readResults = recordOf(readProblem);

/** Reads the results. What cannot be read is found again. */
function readRecords(file: string): Map<string, unknown> {
  try {
    return new Map(Object.entries(fields(parseJson(readFileSync(file, 'utf8'))) ?? {}));
  } catch {
    return new Map();
  }
}

/** Returns the results of artifacts that still exist: a long session builds an artifact on each save. */
function withoutRemoved<T>(known: ReadonlyMap<string, T>, storeDir: string): Map<string, T> {
  // to list a folder of the store costs less than a look at each of its artifacts
  const listed = new Map<string, ReadonlySet<string>>();
  const isThere = (name: string): boolean => {
    const folder = path.posix.dirname(name);
    const names = listed.get(folder) ?? new Set(namesNow(path.join(storeDir, folder)));
    listed.set(folder, names);
    return names.has(path.posix.basename(name));
  };
  return new Map([...known].filter(([name]) => isThere(name)));
}

function namesNow(folder: string): string[] {
  try {
    return namesIn(folder);
  } catch {
    return []; // not readable, like its artifacts
  }
}
