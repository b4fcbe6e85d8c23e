// node scripts/docker-engine.mjs: starts a container engine and an image registry for tests on a Debian machine without
// them. Installs docker.io and docker-registry if missing (as root). Both end with the standard input.
//
// Prints one line of JSON when both respond: {"dockerHost": "unix:///…", "registry": "127.0.0.1:PORT"}, or
// {"unavailable": "why"}.
//
// --remote: the engine listens on TCP, and does not see the machine's folder for temporary files.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { installPackages, isOnPath } from './debian-packages.mjs';

/** Runs a command without output. Returns whether it succeeded. */
function succeeds(program, args, options = {}) {
  return spawnSync(program, args, { stdio: 'ignore', ...options }).status === 0;
}

function unavailable(why) {
  console.log(JSON.stringify({ unavailable: why }));
  process.exit(0);
}

if (process.platform !== 'linux') unavailable('tests start a Docker engine only on Linux');
if (process.getuid() !== 0) unavailable('starting a Docker engine needs root');
const packages = [
  ...(isOnPath('dockerd') && isOnPath('docker') ? [] : ['docker.io']),
  ...(isOnPath('docker-registry') ? [] : ['docker-registry']),
];
if (packages.length > 0) {
  const failure = installPackages(packages);
  if (failure !== undefined) unavailable(`there is no Docker engine, and ${failure}`);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sam-sync-engine-'));
const isRemote = process.argv.includes('--remote');
const dockerHost = isRemote ? `tcp://127.0.0.1:${await freePort()}` : `unix://${folder}/docker.sock`;
const port = await freePort();
const registryConfig = path.join(folder, 'registry.yml');
fs.writeFileSync(
  registryConfig,
  `version: 0.1
storage:
  filesystem:
    rootdirectory: ${folder}/registry
http:
  addr: 127.0.0.1:${port}
`,
);
const logs = fs.openSync(path.join(folder, 'log.txt'), 'a');
// the machine's network: a bridge would need iptables
const elsewhere = `mount --make-rprivate / && mount --bind "$0" /mnt && mount -t tmpfs tmpfs "$(dirname "$0")" &&
  mkdir "$0" && mount --move /mnt "$0" && exec "$@"`;
const before = isRemote ? ['unshare', '--mount', 'sh', '-c', elsewhere, folder] : [];
const [program, ...programArgs] = [...before, 'dockerd'];
const engine = spawn(
  program,
  [
    ...programArgs,
    '--iptables=false',
    '--bridge=none',
    `--host=${dockerHost}`,
    `--data-root=${folder}/data`,
    `--exec-root=${folder}/run`,
    `--pidfile=${folder}/docker.pid`,
  ],
  { stdio: ['ignore', logs, logs] },
);
const registry = spawn('docker-registry', ['serve', registryConfig], { stdio: ['ignore', logs, logs] });

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  const ended = [engine, registry].map(
    (child) => new Promise((resolve) => (child.exitCode === null ? child.on('exit', resolve) : resolve())),
  );
  engine.kill('SIGTERM');
  registry.kill('SIGTERM');
  await Promise.all(ended);
  // the network namespace of containers stays mounted
  const mounts = fs
    .readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((place) => place.startsWith(folder)).reverse())
    succeeds('umount', ['--lazy', mount]);
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(0);
}
process.stdin.resume();
process.stdin.on('end', stop);
process.stdin.on('error', stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

const deadline = Date.now() + 60_000;
const env = { ...process.env, DOCKER_HOST: dockerHost };
while (!succeeds('docker', ['version'], { env }) || !(await answers(port))) {
  if (Date.now() > deadline || engine.exitCode !== null || registry.exitCode !== null) {
    const log = fs.readFileSync(path.join(folder, 'log.txt'), 'utf8').trim().split('\n').at(-1);
    console.log(JSON.stringify({ unavailable: `the Docker engine could not be started: ${log}` }));
    await stop();
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
console.log(JSON.stringify({ dockerHost, registry: `127.0.0.1:${port}` }));

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port: found } = server.address();
      server.close(() => resolve(found));
    });
  });
}

function answers(number) {
  return new Promise((resolve) => {
    const socket = net.connect(number, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
