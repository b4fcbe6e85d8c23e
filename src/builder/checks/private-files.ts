import * as fs from 'node:fs';
import * as path from 'node:path';
import { exists } from '../../support/files.ts';
import { readForeignManifest } from '../workflows/node/manifest.ts';
import type { CacheEntry } from '../cache/build-cache.ts';
import type { BuildDefinition } from '../plan-build.ts';
import type { BuildContext } from '../workflows/workflow.ts';

/** Files whose names say that they hold secrets. Examples of `.env` files have none. */
const PRIVATE_NAME =
  /^(?:\.env(?:\.(?!example$|sample$|template$|dist$|defaults$)[\w.-]+)?|\.npmrc|\.yarnrc\.yml|\.pypirc|[._]netrc|\.git-credentials|\.dockercfg|id_(?:rsa|dsa|ecdsa|ed25519))$/;
/** Files that may name a registry or a repository by a URL with a login. Not package.json: npm always packs it. */
const WITH_URLS =
  /^(?:requirements[\w-]*\.txt|pip\.conf|uv\.toml|pyproject\.toml|(?:uv|poetry)\.lock|Pipfile(?:\.lock)?|Gemfile(?:\.lock)?|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock)$/;
/** Files that may hold secrets, and what they hold then. */
const PRIVATE_CONTENT: readonly { name: RegExp; content: RegExp }[] = [
  { name: /\.(?:pem|key)$/, content: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { name: WITH_URLS, content: /\b[a-z+]+:\/\/(?!git@)[^\s/@]+@/ },
  { name: /^credentials$/, content: /aws_secret_access_key/i },
];
/** Packages of others, which need no look. */
const INSTALLED = /^(?:node_modules|vendor)$|\.dist-info$/;
const LARGEST = 5_000_000;
/** More names say no more. */
const NAMED = 3;

/** Warns of files with secrets that a new artifact holds because SAM CLI packs them too. */
export async function notePrivateFiles(
  { codeDir, workflow }: BuildDefinition,
  artifact: Pick<CacheEntry, 'path' | 'cached'>,
  note: BuildContext['note'],
): Promise<void> {
  if (artifact.cached) return;
  const all = await ownPrivateFiles(codeDir, artifact.path);
  if (all.length === 0) return;
  const manifest = await readForeignManifest(codeDir).catch(() => undefined);
  // what package.json names is meant
  const found = all.filter((name) => !manifest?.files?.includes(name));
  if (found.length === 0) return;
  const names = found.length > NAMED ? [...found.slice(0, NAMED), `${found.length - NAMED} more`] : found;
  const how =
    workflow === 'nodejs' && manifest !== undefined
      ? 'list it in .npmignore, or list in files of package.json what belongs to the function'
      : 'keep it outside of CodeUri';
  note('warning', `packs ${names.join(', ')}, which may hold secrets; to leave it out, ${how}`);
}

/** Finds files with secrets in an artifact that come from its source, not from a package. */
export async function ownPrivateFiles(codeDir: string, artifactDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of privateFiles(artifactDir)) if (await exists(path.join(codeDir, name))) found.push(name);
  return found;
}

/** Files of the user's own that hold secrets, as seen from the folder, in order. */
function privateFiles(root: string, prefix = ''): string[] {
  const found: string[] = [];
  for (const item of fs.readdirSync(path.join(root, prefix), { withFileTypes: true })) {
    const name = prefix + item.name;
    if (item.isDirectory() && !INSTALLED.test(item.name)) found.push(...privateFiles(root, `${name}/`));
    else if (item.isFile() && isPrivate(path.join(root, name))) found.push(name);
  }
  return found.sort();
}

function isPrivate(file: string): boolean {
  const name = path.basename(file);
  if (PRIVATE_NAME.test(name)) return true;
  const rule = PRIVATE_CONTENT.find((one) => one.name.test(name));
  if (rule === undefined || fs.statSync(file).size > LARGEST) return false;
  return rule.content.test(fs.readFileSync(file, 'utf8'));
}
