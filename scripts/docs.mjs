// npm run docs: writes the option table of docs/options.md from the program's own table.
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { build } from 'esbuild';
import { root } from './install.mjs';

const START = '<!-- options: written by npm run docs -->\n';
const END = '<!-- end of options -->';

const bundle = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/help.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  mainFields: ['module', 'main'],
});
const { optionsMarkdown } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
);
const page = path.join(root, 'docs', 'options.md');
const text = await fs.readFile(page, 'utf8');
const [before, rest] = text.split(START);
const after = rest?.slice(rest.indexOf(END));
if (after === undefined) throw new Error('docs/options.md has lost the marks of its option table');
await fs.writeFile(page, before + START + optionsMarkdown() + after);
