import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BEHAVIOUR = 'docs/sam-cli-behaviour.md';
const SOURCES = ['src', 'test', 'bench', 'scripts', 'docs'];
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Everything below a folder, by path from the root, with slashes. */
function listFiles(folder: string): string[] {
  const names = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`);
}

/** The texts of the project, by path. */
function readTexts(): { file: string; text: string }[] {
  const below = SOURCES.flatMap((folder) => listFiles(folder)).filter((name) => /\.(?:ts|mjs|py|md)$/.test(name));
  return [...below, ...PAGES].map((file) => ({ file, text: read(file) }));
}

/** What a link can lead to on a page: its headings, by GitHub's rule, and its `<a id>`. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...page.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id)]);
}

it('every citation of docs/sam-cli-behaviour.md leads to a heading or a defect of it', () => {
  const anchors = anchorsOf(read(BEHAVIOUR));
  const cited = readTexts().flatMap(({ file, text }) => {
    const own = file === BEHAVIOUR ? [...text.matchAll(/\]\(#([\w-]+)\)/g)] : [];
    const numbers = [...text.matchAll(/\bdefects? (\d+(?:(?:, | and )\d+)*)/g)].flatMap(([, list = '']) =>
      (list.match(/\d+/g) ?? []).map((number) => `defect-${number}`),
    );
    const links = [...text.matchAll(/sam-cli-behaviour\.md#([\w-]+)/g), ...own].map(([, anchor = '']) => anchor);
    return [...links, ...numbers].map((anchor) => ({ file, anchor }));
  });
  expect(cited.length).toBeGreaterThan(50);
  expect(cited.filter(({ anchor }) => !anchors.has(anchor))).toEqual([]);
});

it('links of the Markdown pages lead to files and headings that exist', () => {
  const pages = readTexts().filter(({ file }) => file.endsWith('.md') && !file.startsWith('test'));
  const broken = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, target = '', anchor]) => {
        const to = target === '' ? file : path.join(path.dirname(file), target);
        if (!existsSync(path.join(ROOT, to))) return true;
        return anchor !== undefined && !anchorsOf(read(to)).has(anchor);
      })
      .map(([link]) => `${file}: ${link}`),
  );
  expect(broken).toEqual([]);
});

/** Folders at the root of the repository whose files a page may name. */
const NAMED = ['src', 'test', 'scripts', 'bench', 'docs', 'examples', 'bin'];

it.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('files and folders that %s names exist', (page) => {
  const names = [...read(page).matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name);
  // a file may be named by the end of its path, a folder by its whole path
  const files = new Set(NAMED.flatMap((folder) => listFiles(folder)));
  const isFile = (name: string): boolean => [...files].some((file) => `/${file}`.endsWith(`/${name}`));
  const missing = names.filter((name) =>
    /\.(?:ts|mjs|cjs|py)$/.test(name)
      ? !isFile(name)
      : NAMED.includes(name.split('/')[0] ?? '') && !existsSync(path.join(ROOT, name)),
  );
  expect(missing).toEqual([]);
});
