import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import type { LaunchedCloud, LaunchOptions } from '../../../src/local/launch.ts';
import { launchCommand, makeFolders } from '../../../src/local/launch.ts';
import { isRunning } from '../../../src/support/process/running.ts';

/** The variable that has the socket to ask for the server's. */
export const FORKS = 'SAM_SYNC_TEST_CLOUD_FORKS';

/** Starts a cloud as `launch` does, in 0.7 s less of processor time. undefined if nothing here forks clouds. */
export async function forkCloud(options: LaunchOptions): Promise<LaunchedCloud | undefined> {
  const asked = process.env[FORKS];
  if (asked === undefined) return undefined;
  const server = await text(net.connect(asked));
  if (server === '') return undefined;
  await makeFolders(options.files);
  const connection = net.connect(server);
  let ended: number | undefined;
  const closed = new Promise<undefined>((resolve) => {
    connection
      .on('error', () => {})
      .on('close', () => {
        ended = 1;
        resolve(undefined);
      });
  });
  // it ends with the connection, not with standard input
  const { args, cwd, env } = launchCommand({ ...options, detached: true });
  connection.write(`${JSON.stringify({ env, cwd, log: options.files.log, argv: args })}\n`);
  const answer = new Promise<string>((resolve) => connection.setEncoding('utf8').once('data', resolve));
  const pid = Number(await Promise.race([answer, closed]));
  // what lies open here must not keep this process alive
  connection.unref();
  return {
    pid,
    exitCode: () => ended,
    kill: () => {
      if (ended === undefined && isRunning(pid)) process.kill(pid, 'SIGKILL');
    },
    release: () => {},
  };
}
