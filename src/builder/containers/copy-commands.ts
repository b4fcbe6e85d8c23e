import { UserError } from '../../errors.ts';
import { engineError, engineLabel, unknownFailure } from '../../support/engine/container-engine.ts';
import { lostConnection, saysCut } from '../../support/engine/engine-failure.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import type { ContainerRequest, LaunchedContainer } from './launch-container.ts';

/** How files get to a container on another machine, and from it. Each throws if it fails. */
export interface CopyCommands {
  /** The engine's `cp`. */
  copy(from: string, to: string): Promise<void>;
  /** Runs lines of shell in the container as root, to the end. */
  script(lines: readonly string[]): Promise<void>;
  /** Lines of shell that give folders of the container to the image's user. */
  ownedBy(folders: readonly string[]): string[];
  /** The container's name. */
  name: string;
}

/** Opens them for a container. `endpoint`: the engine's address, for messages. */
export async function createCopyCommands(
  request: ContainerRequest,
  endpoint: string,
  container: LaunchedContainer,
): Promise<CopyCommands> {
  const { engine } = request;
  const { stdout } = await engine.run(['container', 'inspect', '--format', '{{.Config.User}}', container.name]);
  const user = stdout.trim();
  const check = async ({ code, output }: SpawnResult): Promise<void> => {
    if (code === 0 && !container.hasEnded()) return;
    const isLost = container.hasEnded() || saysCut(output) || !(await isRunning(request, container));
    throw isLost ? await containerLost(request, endpoint, container) : engineFailed(request, endpoint, output);
  };
  return {
    name: container.name,
    ownedBy: (folders) =>
      ROOT.test(user) ? [] : [`chown -R -h ${shellWord(user)} ${folders.map((folder) => shellWord(folder)).join(' ')}`],
    copy: async (from, to) => check(await engine.run(['cp', from, to])),
    script: async (lines) => {
      if (lines.length === 0) return;
      // a shell that has not got all of it runs none of it, and a command whose connection is cut may report success
      const input = `{ set -e\n${lines.join('\n')}\necho ${DONE}\nexit\n}\n`;
      const result = await container.call('sh', [], { input, isRoot: true });
      await check(result);
      if (result.stdout.trim() !== DONE) throw await containerLost(request, endpoint, container);
    },
  };
}

/** The users of images that may write anything. */
const ROOT = /^(?:(?:root|0)(?::.*)?)?$/;

const DONE = 'done';

/** A word for a shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Whether the engine has the container, and it runs. */
export async function isRunning({ engine }: ContainerRequest, { name }: LaunchedContainer): Promise<boolean> {
  const { code, stdout } = await engine.run(['container', 'inspect', '--format', '{{.State.Running}}', name]);
  return code === 0 && stdout.trim() === 'true';
}

/** The error for a failure of the engine itself. */
export function engineFailed({ engine, image }: ContainerRequest, endpoint: string, output: string): Error {
  return engineError(engine.name, output, { image, endpoint }) ?? unknownFailure(engine.name, output);
}

/** The error for a container that is gone, or out of reach. */
export async function containerLost(
  { engine, image }: ContainerRequest,
  endpoint: string,
  container: LaunchedContainer,
): Promise<Error> {
  // an engine that stops kills it, too
  const wasKilled = (await container.wasKilled()) && (await engine.run(['network', 'ls', '--quiet'])).code === 0;
  if (!wasKilled) return lostConnection(engine, endpoint, `a build in ${image}`);
  return new UserError(`${engineLabel(engine.name)} at ${endpoint} ended the container of a build in ${image}`, {
    hint: 'It was removed, or its machine has too little memory or was restarted. Run the command again.',
  });
}
