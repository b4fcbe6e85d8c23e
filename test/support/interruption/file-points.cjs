// Loaded into the command (`node --require`): sends it a signal at one of its writes, or lists them (file-points.ts).
'use strict';
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const path = require('node:path');

const settings = process.env.SAM_SYNC_TEST_FILE_POINTS;
if (settings !== undefined && (process.argv[1] ?? '').endsWith('sam-sync.cjs')) instrument(JSON.parse(settings));

function instrument({ control, roots }) {
  const { readFileSync, appendFileSync } = fs;
  const counts = new Map();
  const armed = () => {
    try {
      return JSON.parse(readFileSync(control, 'utf8'));
    } catch {
      return undefined;
    }
  };
  const at = (operation, target) => {
    if (typeof target !== 'string') return;
    const place = path.resolve(target);
    const root = Object.keys(roots).find((name) => place.startsWith(roots[name] + path.sep));
    if (root === undefined) return;
    const now = armed();
    if (now === undefined) return;
    const name = path.relative(roots[root], place).split(path.sep).join('/');
    const label = `${operation} ${root}/${name}`
      .replace(/\.tmp-\d+-[0-9a-f]+-[0-9a-f]+/g, '.tmp')
      .replace(/[0-9a-f]{12,}/g, '#');
    const nth = counts.get(label) ?? 0;
    counts.set(label, nth + 1);
    if (now.record !== undefined) appendFileSync(now.record, `${JSON.stringify({ label, nth })}\n`);
    if (now.label === label && now.nth === nth) {
      appendFileSync(now.hit, 'hit');
      process.kill(process.pid, now.signal);
    }
  };
  const targetOf = (operation, args) => (/^(rename|copyFile|link|symlink|cp)/.test(operation) ? args[1] : args[0]);
  const writes = [
    'writeFile',
    'appendFile',
    'rename',
    'mkdir',
    'rm',
    'rmdir',
    'unlink',
    'copyFile',
    'symlink',
    'link',
    'cp',
  ];
  const wrap = (holder, key, operation) => {
    const real = holder[key];
    holder[key] = function (...args) {
      at(operation, targetOf(operation, args));
      return real.apply(this, args);
    };
  };
  for (const name of writes) {
    wrap(fs.promises, name, name);
    wrap(fs, `${name}Sync`, name);
  }
  const opens = (holder, key) => {
    const real = holder[key];
    holder[key] = function (file, flags, ...rest) {
      if (typeof flags === 'string' && /[wa]/.test(flags)) at('open', file);
      return real.call(this, file, flags, ...rest);
    };
  };
  opens(fs, 'open');
  opens(fs.promises, 'open');
  syncBuiltinESMExports();
}
