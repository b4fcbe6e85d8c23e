import { execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from './at-end.ts';
import { poll } from './cloud.ts';
import { tempFolder, writeFiles } from './temp-folder.ts';
import { haveTools } from './toolchains.ts';

const run = promisify(execFile);

/** An SSH server on this machine with keys of its own. */
export interface SshServer {
  port: number;
  /** A program to be `ssh` on PATH, with the user's key. `isTrusted`: it knows the server's key, else another one. */
  client(isTrusted: boolean): Promise<string>;
}

/** Why there can be none on this machine; undefined: `startSshServer` starts one. Installs Debian's OpenSSH if it is missing. */
export function sshUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'tests start an SSH server only on Linux';
  if (haveTools(['sshd', 'ssh', 'ssh-keygen'], ['openssh-server', 'openssh-client'])) return undefined;
  return 'there is no OpenSSH server, and apt-get could not install one';
}

/** Starts one whose sessions have these variables. It ends with the test. */
export async function startSshServer(env: Readonly<Record<string, string>>): Promise<SshServer> {
  const folder = await tempFolder();
  const [host, user, port] = [path.join(folder, 'host'), path.join(folder, 'user'), await freePort()];
  for (const key of [host, user]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  await writeFiles(folder, {
    sshd_config: `ListenAddress 127.0.0.1:${port}
HostKey ${host}
AuthorizedKeysFile ${user}.pub
PidFile none
StrictModes no
UsePAM no
AuthenticationMethods publickey
SetEnv ${Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}
`,
  });
  // where Debian's sshd separates privileges; its service would make it
  await fs.mkdir('/run/sshd', { recursive: true });
  const { stdout } = await run('sh', ['-c', 'command -v sshd']);
  const args = ['-D', '-e', '-f', path.join(folder, 'sshd_config')];
  const server = spawn(stdout.trim(), args, { stdio: 'ignore' });
  atEnd(() => server.kill());
  await poll(async () => ((await answers(port)) ? true : undefined));
  return {
    port,
    client: async (isTrusted) => {
      const key = (await fs.readFile(`${isTrusted ? host : user}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
      const place = await tempFolder({ known: `* ${key}\n` });
      const options = {
        IdentityFile: user,
        IdentitiesOnly: 'yes',
        UserKnownHostsFile: path.join(place, 'known'),
        // one login for all commands, which ends with the connection
        ControlMaster: 'auto',
        ControlPath: path.join(place, 'master'),
        ControlPersist: '60',
      };
      const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
      const script = `#!/bin/sh\nexec /usr/bin/ssh -F none ${words.join(' ')} "$@"\n`;
      await fs.writeFile(path.join(place, 'ssh'), script, { mode: 0o755 });
      return path.join(place, 'ssh');
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
