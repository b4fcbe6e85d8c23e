import * as fs from 'node:fs/promises';
import { formatBytes } from '../console/format.ts';

/** What an installation of packages does now, and how far it is. */
export interface InstallActivity {
  text: string;
  /** Worth a line where there is no live view. */
  milestone: boolean;
}

/** Follows an installation of Python packages by pip's output, and by the packages that are there while pip prints nothing. */
export interface InstallProgress {
  /** Reads a line of pip. */
  readLine(line: string): InstallActivity | undefined;
  /** Counts the packages that are there; call it now and then. */
  count(): Promise<InstallActivity | undefined>;
}

/** Packages between two milestones. */
const MILESTONE = 10;
const UNITS: Readonly<Record<string, number>> = { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** `requirements`: the text of the file that pip is about to install; `sitePackages`: the folder it installs to. */
export async function followInstall(requirements: string, sitePackages: string): Promise<InstallProgress> {
  const before = await countPackages(sitePackages);
  const ignored = new Set<string>();
  const wanted = requirements.split('\n').filter((line) => /^[a-z]/i.test(line)).length;
  let found = 0;
  let bytes = 0;
  /** Set once pip installs: how many, and how many are there. */
  let installing: { total: number; counted: number } | undefined;
  return {
    readLine(line) {
      const skipped = /^Ignoring ([^:]+):/.exec(line)?.[1];
      if (skipped !== undefined) ignored.add(skipped);
      const size = /^\s*(?:Downloading|Using cached) \S+ \(([\d.]+) (\w+)\)/.exec(line);
      if (size) {
        found++;
        bytes += Number(size[1]) * (UNITS[size[2] ?? ''] ?? 0);
        const total = wanted - ignored.size;
        const text = `downloading packages (${found} of ${total}, ${formatBytes(bytes)})`;
        return { text, milestone: found % MILESTONE === 0 || found === total };
      }
      const names = /^Installing collected packages: (.+)/.exec(line)?.[1];
      if (names === undefined) return undefined;
      const total = names.split(', ').length;
      installing = { total, counted: 0 };
      return { text: `installing packages (0 of ${total})`, milestone: true };
    },
    async count() {
      if (installing === undefined) return undefined;
      const counted = Math.min((await countPackages(sitePackages)) - before, installing.total);
      if (counted <= installing.counted) return undefined;
      const passed = Math.floor(counted / MILESTONE) > Math.floor(installing.counted / MILESTONE);
      installing.counted = counted;
      return { text: `installing packages (${counted} of ${installing.total})`, milestone: passed };
    },
  };
}

async function countPackages(folder: string): Promise<number> {
  const names = await fs.readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.dist-info')).length;
}
