import { statSync } from 'node:fs';
import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import { listTree } from '../../file-tree.ts';

/** A dependency or plugin of a pom, and a version in it that a repository decides. */
const BLOCK = /<(dependency|plugin|extension)>[\s\S]*?<\/\1>/g;
const FLOATING_VERSION = /<version>\s*((?:[[(]|LATEST\b|RELEASE\b)[^<]*|[^<$]*-SNAPSHOT)\s*</;

/** Returns why Maven may find other jars for the same poms: ranges, snapshots and their like; undefined if there are none. */
export async function floatingInPoms(poms: readonly string[]): Promise<string | undefined> {
  for (const pom of poms) {
    for (const [block] of ((await readTextIfExists(pom)) ?? '').matchAll(BLOCK)) {
      const version = FLOATING_VERSION.exec(block)?.[1];
      if (version !== undefined) return floating(pom, version);
    }
  }
  return undefined;
}

const BUILD_FILE = /(?:\.gradle(?:\.kts)?|\.versions\.toml)$/;
const FLOATING_TEXT = /["'](?:[^"'\s]*:)?(\+|\d[\w.]*\.\+|latest\.\w+|[[(\]]\d[^"']*|[\w.]+-SNAPSHOT)["']/;

/** Returns the same for Gradle's files below folders. A lock file fixes what they leave open. */
export async function floatingInGradle(
  roots: readonly string[],
  excludes: readonly string[],
): Promise<string | undefined> {
  const folders = roots.filter((root) => statSync(root, { throwIfNoEntry: false })?.isDirectory());
  const files = folders.flatMap((root) => listTree(root, excludes).files);
  if (files.some(({ path: name }) => path.basename(name) === 'gradle.lockfile')) return undefined;
  for (const { absolute } of files.filter(({ path: name }) => BUILD_FILE.test(name))) {
    const text = ((await readTextIfExists(absolute)) ?? '').replace(/^\s*version\s*=.*$/gm, '');
    const version = FLOATING_TEXT.exec(text)?.[1];
    if (version !== undefined) return floating(absolute, version);
  }
  return undefined;
}

function floating(file: string, version: string): string {
  return `${path.basename(file)} asks for version ${version.trim()}, which a repository decides`;
}
