// Fails if a file of src/ imports a room that its own room must not know. Every pair that is not listed is refused.
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

const root = path.dirname(import.meta.dirname);
const EVERYWHERE = ['errors', 'support'];

/** What each room may import besides `errors` and `support`, from the lowest room to the highest. */
const ROOMS = {
  errors: [],
  support: [],
  console: [],
  ui: ['console'],
  template: [],
  files: [],
  aws: ['console'],
  model: ['template'],
  local: ['console'],
  deploy: ['aws', 'console', 'model', 'template'],
  builder: ['console', 'model', 'template'],
  package: ['aws', 'console', 'model', 'template'],
  'shared-cache': ['aws', 'builder', 'console', 'model', 'package'],
  cloud: ['aws', 'deploy', 'model', 'template'],
  services: ['aws', 'builder', 'cloud', 'console', 'deploy', 'model', 'package', 'template'],
  sync: ['aws', 'builder', 'cloud', 'console', 'deploy', 'model', 'package', 'services', 'shared-cache', 'template'],
  watch: ['aws', 'builder', 'cloud', 'console', 'deploy', 'files', 'model', 'sync', 'template', 'ui'],
  cli: ['aws', 'builder', 'cloud', 'console', 'local', 'model', 'shared-cache', 'sync', 'template', 'watch'],
  main: ['aws', 'cli', 'console', 'local', 'sync', 'watch'],
};

/** Files directly in `src/`. */
const FILES = {
  'errors.ts': 'errors',
  'system-errors.ts': 'errors',
  'failure-document.ts': 'errors',
  'run-sync.ts': 'main',
  'run-cache-task.ts': 'main',
  'main.ts': 'main',
  'process-io.ts': 'main',
};

const problems = [];
for (const name of await fs.readdir(path.join(root, 'src'), { recursive: true })) {
  if (!/\.tsx?$/.test(name)) continue;
  const file = name.split(path.sep).join('/');
  const text = await fs.readFile(path.join(root, 'src', name), 'utf8');
  for (const [, specifier] of text.matchAll(/\b(?:from|import)\b[\s(]*'(\.[^']*)'/g)) {
    const target = path.posix.join(path.posix.dirname(file), specifier);
    if (target.startsWith('../')) continue; // package.json
    const [from, to] = [roomOf(file), roomOf(target)];
    if (from === to || EVERYWHERE.includes(to) || ROOMS[from].includes(to)) continue;
    problems.push(`src/${file} imports src/${target}: ${from} must not know ${to} (scripts/check-rooms.mjs)`);
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function roomOf(file) {
  const [first, ...rest] = file.split('/');
  const room = rest.length > 0 ? first : FILES[first];
  if (!(room in ROOMS)) throw new Error(`src/${file} is in no room: add it to scripts/check-rooms.mjs`);
  return room;
}
