import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing, writeFileAtomic } from '../../support/files.ts';
import { count, fields, parseJson, recordOf, text } from '../../support/shapes.ts';
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

/** In an entry of the cache, beside its content. */
const FILE = 'checks.json';

/** Creates records that are read once for each artifact. */
export function createRecords(): CheckRecords {
  const byArtifact = new Map<string, Map<string, CheckResult>>();
  const changed = new Set<string>();
  const ofArtifact = (artifact: string): Map<string, CheckResult> => {
    const records = byArtifact.get(artifact) ?? readRecords(artifact);
    byArtifact.set(artifact, records);
    return records;
  };
  return {
    find: (artifact, key) => ofArtifact(artifact).get(key),
    set: (artifact, key, finding) => {
      ofArtifact(artifact).set(key, finding);
      changed.add(artifact);
    },
    save: async () => {
      const artifacts = [...changed];
      changed.clear();
      for (const artifact of artifacts) {
        const content = JSON.stringify(Object.fromEntries(ofArtifact(artifact)));
        // the artifact may be gone, or the disk read-only
        if (existsSync(artifact)) await writeFileAtomic(fileOf(artifact), content).catch(() => {});
      }
      // a long session builds an artifact on each save
      if (byArtifact.size > MAX_ARTIFACTS) byArtifact.clear();
    },
  };
}

const MAX_ARTIFACTS = 2_000;

function fileOf(artifact: string): string {
  return path.join(path.dirname(artifact), FILE);
}

const readProblem: Reader<CheckResult> = (value) => {
  if (value === 'none') return value;
  const map = fields(value);
  const message = text(map?.['message']);
  if (map === undefined || message === undefined) return undefined;
  const property = map['property'] === 'handler' ? 'handler' : undefined;
  return { message, property, file: text(map['file']), line: count(map['line']), column: count(map['column']) };
};
const readAll = recordOf(readProblem);

function readRecords(artifact: string): Map<string, CheckResult> {
  try {
    return new Map(Object.entries(readAll(parseJson(readFileSync(fileOf(artifact), 'utf8'))) ?? {}));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}
