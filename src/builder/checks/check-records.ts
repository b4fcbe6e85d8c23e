import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing, writeFileAtomic } from '../../support/files.ts';
import { count, fields, parseJson, recordOf, text } from '../../support/shapes.ts';
import type { Reader } from '../../support/shapes.ts';

/** Why a function cannot run, before its place in the project is looked for. */
export interface CheckProblem {
  message: string;
  /** The property of the template that it is about; else `file` is where it is, relative to the artifact. */
  property?: 'handler' | 'runtime' | undefined;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

/** What was found of each artifact, by the key of the check. `none`: nothing is wrong. */
export interface CheckRecords {
  find(artifact: string, key: string): CheckProblem | 'none' | undefined;
  set(artifact: string, key: string, finding: CheckProblem | 'none'): void;
  /** Keeps what was found for the next run. */
  save(): Promise<void>;
}

/** In an entry of the cache, beside its content. */
const FILE = 'checks.json';

/** The records of artifacts, each read once. */
export function createRecords(): CheckRecords {
  const known = new Map<string, Map<string, CheckProblem | 'none'>>();
  const changed = new Set<string>();
  const ofArtifact = (artifact: string): Map<string, CheckProblem | 'none'> => {
    const records = known.get(artifact) ?? readRecords(artifact);
    known.set(artifact, records);
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
        // it may have been removed meanwhile, and a cache on a disk that we may only read works as well
        if (existsSync(artifact)) await writeFileAtomic(fileOf(artifact), content).catch(() => {});
      }
      // a long session builds an artifact for each save
      if (known.size > MOST_KNOWN) known.clear();
    },
  };
}

const MOST_KNOWN = 2_000;

function fileOf(artifact: string): string {
  return path.join(path.dirname(artifact), FILE);
}

const readProblem: Reader<CheckProblem | 'none'> = (value) => {
  if (value === 'none') return value;
  const map = fields(value);
  const message = text(map?.['message']);
  if (map === undefined || message === undefined) return undefined;
  const property = map['property'] === 'handler' ? 'handler' : undefined;
  return { message, property, file: text(map['file']), line: count(map['line']), column: count(map['column']) };
};
const readAll = recordOf(readProblem);

function readRecords(artifact: string): Map<string, CheckProblem | 'none'> {
  try {
    return new Map(Object.entries(readAll(parseJson(readFileSync(fileOf(artifact), 'utf8'))) ?? {}));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}
