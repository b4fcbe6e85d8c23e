import * as path from 'node:path';
import type { Tools } from '../builder/tools/tools.ts';

/** What made a build. */
export interface Maker {
  /** Of sam-sync. */
  version: string;
  /** As `process.platform`: `linux`, `darwin`, `win32`. */
  platform: string;
  /** As `process.arch`. */
  architecture: string;
  /** E.g. `glibc 2.36`; undefined where there is no choice. */
  libc: string | undefined;
  /** The container that the tools ran in, which then is the platform. */
  image: string | undefined;
  /** The first line of each tool's version, by its name. */
  tools: Readonly<Record<string, string>>;
}

/** Returns the C library of this machine. */
export function currentLibc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const report = process.report as (typeof process.report & { excludeNetwork?: boolean }) | undefined;
  if (report === undefined) return undefined;
  // else it looks up the names of open connections
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

/** Describes the platform of a build: `linux x64 (glibc 2.36)`, or the container's image. */
export function platformOf({ platform, architecture, libc, image }: Omit<Maker, 'tools' | 'version'>): string {
  return image ?? `${platform} ${architecture}${libc === undefined ? '' : ` (${libc})`}`;
}

const LONGEST_VERSION = 100;

/** Asks programs for their versions, by name. */
export async function toolVersions(tools: Tools, programs: readonly string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const program of [...programs].sort()) {
    const name = path.basename(program).replace(/\.(?:exe|cmd|bat)$/i, '');
    // a wrapper of the project installs what the project says
    if (/^(?:mvnw|gradlew)$/.test(name)) continue;
    const result = await tools.probe(program, [name === 'go' ? 'version' : '--version']);
    const line = result?.stdout.trim().split(/\r?\n/)[0]?.slice(0, LONGEST_VERSION);
    if (result?.code === 0 && line) versions[name] = line;
  }
  return versions;
}
