// npm run picture: writes docs/live-view.svg from a real session of `sam sync --watch` in a terminal (tmux), with the local cloud.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './install.mjs';

const COLUMNS = 90;
const ROWS = 19;
const ESCAPE = '\u001B[';
const socket = path.join(root, '.cache', 'picture.tmux');
const app = path.join(root, '.cache', 'picture', 'hello-world');
const samSync = path.join(root, 'bin', 'sam-sync.cjs');

fs.rmSync(app, { recursive: true, force: true });
fs.cpSync(path.join(root, 'examples', 'hello-world'), app, {
  recursive: true,
  filter: (source) => !/[\\/](?:\.aws-sam|node_modules)$/.test(source),
});
const env = { ...process.env, SAM_SYNC_CLOUD_PORT: String(await freePort()), CI: '' };
try {
  run(process.execPath, [samSync, 'sync', '--local'], { cwd: app, env });
  const watch = `clear; "${process.execPath}" "${samSync}" sync --local --watch; sleep 600`;
  tmux('new-session', '-d', '-x', `${COLUMNS}`, '-y', `${ROWS}`, '-c', app, ...variables(env), watch);
  await screenWith(/\? help\s*$/);
  change('hello-node/app.mjs');
  await screenWith(/Synced HelloNode/);
  change('hello-python/app.py');
  // the port is the default one on other machines
  const screen = (await screenWith(/HelloPython +updating/)).replaceAll(env.SAM_SYNC_CLOUD_PORT, '4566');
  fs.writeFileSync(path.join(root, 'docs', 'live-view.svg'), toSvg(screen));
} finally {
  tmux('kill-server');
  run(process.execPath, [samSync, 'cloud', 'stop'], { cwd: app, env });
}

function change(name) {
  const file = path.join(app, name);
  fs.appendFileSync(file, name.endsWith('.py') ? '\n# changed\n' : '\n// changed\n');
}

/** Returns the screen, with its colours, as soon as its text matches. */
async function screenWith(pattern) {
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(20)) {
    const screen = tmux('capture-pane', '-e', '-p');
    if (
      pattern.test(
        parse(screen)
          .map((line) => line.map(({ text }) => text).join(''))
          .join('\n'),
      )
    )
      return screen;
  }
  throw new Error(`the terminal never showed ${pattern}:\n${tmux('capture-pane', '-p')}`);
}

/** Splits a captured screen into lines of runs of one look. */
function parse(screen) {
  let look = {};
  return screen
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.split(ESCAPE).flatMap((part, index) => {
        const [, codes, text] = index === 0 ? [part, undefined, part] : /^([\d;]*)m([^]*)$/.exec(part);
        for (const code of codes?.split(';') ?? []) look = withCode(look, Number(code));
        return text === '' ? [] : [{ text, ...look }];
      }),
    );
}

function withCode(look, code) {
  const colours = { 31: '#f85149', 32: '#3fb950', 33: '#d29922', 36: '#39c5cf' };
  if (code === 0) return {};
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 22) return { ...look, bold: false, dim: false };
  return code >= 30 && code < 40 ? { ...look, colour: colours[code] } : look;
}

function toSvg(screen) {
  const [width, height, size] = [8.4, 19, 14];
  const lines = parse(screen).map((line, row) => {
    let column = 0;
    const runs = line.map(({ text, colour, bold, dim }) => {
      const x = (16 + column * width).toFixed(1);
      column += [...text].length;
      const fill = colour ?? (dim ? '#8b949e' : '#e6edf3');
      const length = ([...text].length * width).toFixed(1);
      const weight = bold ? ' font-weight="bold"' : '';
      return `<tspan x="${x}" fill="${fill}" textLength="${length}"${weight}>${escape(text)}</tspan>`;
    });
    return `<text y="${24 + row * height + size / 2}">${runs.join('')}</text>`;
  });
  const box = `${Math.ceil(32 + COLUMNS * width)} ${36 + lines.length * height}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${box}" role="img" aria-label="sam sync --watch in a terminal">`,
    '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="${size}" xml:space="preserve">`,
    ...lines,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function variables(values) {
  return Object.entries(values).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
}

function tmux(...args) {
  return spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' }).stdout;
}

function run(program, args, options) {
  const { status, stderr } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
