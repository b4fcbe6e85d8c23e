import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isMissing, statIfExists } from '../../support/files.ts';
import { assertReadable } from '../../support/regular-file.ts';
import { listTree } from '../file-tree.ts';
import type { TreeFile } from '../file-tree.ts';
import { openStatIndex } from './stat-index.ts';
import { spend } from './work-budget.ts';
import type { WorkBudget } from './work-budget.ts';

/** Hashes files and folders by content, and remembers the hashes between runs. With a budget it throws `BudgetSpentError` beyond it. */
export interface SourceHasher {
  /**
   * Hashes the sorted relative paths, contents and executable bits of the files below a folder, without names that match
   * `excludes`. Links count as their targets, but not as equal files: npm packs no links, and Go embeds none.
   */
  hashTree(root: string, excludes?: readonly string[], budget?: WorkBudget): Promise<string>;
  /** Hashes the same of these files. */
  hashFiles(files: readonly TreeFile[], budget?: WorkBudget): Promise<string>;
  /** Hashes one file's content; undefined if there is no such file. */
  hashFile(file: string, budget?: WorkBudget): Promise<string | undefined>;
  /** Hashes a file or a folder; undefined if neither exists. */
  hashPath(place: string, excludes?: readonly string[], budget?: WorkBudget): Promise<string | undefined>;
  /** Saves the hashes for the next run. */
  save(): Promise<void>;
}

const MAX_TRIES = 5;
/** Larger files are streamed (bytes). */
const STREAM_ABOVE = 4 * 1024 * 1024;

/** Opens a hasher that remembers hashes in `indexFile`; a missing or damaged index only makes it slower. `clock`: ms since the epoch. */
export function openSourceHasher(indexFile: string, clock: () => number = Date.now): SourceHasher {
  const index = openStatIndex(indexFile);

  const contentHash = async (file: string, budget?: WorkBudget): Promise<{ hash: string; executable: boolean }> => {
    const readAt = clock();
    const stat = fs.statSync(file, { bigint: true });
    assertReadable(file, stat);
    const executable = process.platform !== 'win32' && (stat.mode & 0o111n) !== 0n;
    const remembered = index.get(file, stat);
    if (remembered !== undefined) return { hash: remembered, executable };
    spend(budget, { bytes: Number(stat.size) });
    const hash = await readHash(file, stat.size);
    index.set(file, { stat, readAt, hash });
    return { hash, executable };
  };

  const hashFiles: SourceHasher['hashFiles'] = async (files, budget) => {
    const hash = createHash('sha256');
    for (const file of files) {
      if (file.link !== undefined) {
        hash.update(`${file.path}\0l${file.link}\n`);
        continue;
      }
      const content = await contentHash(file.absolute, budget);
      const linked = file.isLinked ? ' linked' : '';
      hash.update(`${file.path}\0${content.executable ? 'x' : '-'}${content.hash}${linked}\n`);
    }
    return hash.digest('hex');
  };

  const hashTree: SourceHasher['hashTree'] = async (root, excludes = [], budget) => {
    for (let tries = 1; ; tries++) {
      try {
        const tree = listTree(root, excludes, budget);
        const files = await hashFiles(tree.files, budget);
        return tree.dangling.length === 0 ? files : sha256(JSON.stringify([files, tree.dangling]));
      } catch (error) {
        // editors create and remove files all the time: a listed one may be gone
        if (!isMissing(error) || tries === MAX_TRIES || !fs.existsSync(root)) throw error;
      }
    }
  };

  const hashFile: SourceHasher['hashFile'] = async (file, budget) => {
    try {
      return (await contentHash(file, budget)).hash;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    hashFiles,
    hashTree,
    hashFile,
    hashPath: async (place, excludes, budget) => {
      const stat = await statIfExists(place);
      if (stat === undefined) return undefined;
      return stat.isDirectory() ? hashTree(place, excludes, budget) : hashFile(place, budget);
    },
    save: () => index.save(),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readHash(file: string, size: bigint): Promise<string> {
  const hash = createHash('sha256');
  // for many small files synchronous reads are several times faster than promises
  if (size <= STREAM_ABOVE) hash.update(fs.readFileSync(file));
  else await pipeline(createReadStream(file), hash);
  return hash.digest('base64url');
}
