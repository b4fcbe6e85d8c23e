import { UserError } from '../../errors.ts';
import { engineError, engineLabel, unknownFailure } from './container-engine.ts';
import type { Engine } from './container-engine.ts';
import { remoteEndpoint } from './engine-place.ts';

/** What a command of an engine prints last when its own connection was cut. */
const CUT =
  /(?:^|[\s:])EOF$|connection reset|broken pipe|use of closed network connection|server did not provide an image ID/i;

/** Returns whether this output of a failed command says that its connection to the engine was cut. */
export function saysCut(output: string): boolean {
  return CUT.test(output.trimEnd().split('\n').at(-1)?.trim() ?? '');
}

/** The error for a connection to an engine on another machine that was lost. `during`: e.g. `docker push of …`. */
export function lostConnection({ name }: Pick<Engine, 'name'>, endpoint: string, during: string): UserError {
  return new UserError(`The connection to ${engineLabel(name)} at ${endpoint} was lost during ${during}`, {
    hint: 'Check the network and the engine, and run the command again: it repeats what was interrupted.',
  });
}

/** Returns the error if a command failed because its engine is on another machine and the connection was lost. */
export async function findLostConnection(
  engine: Engine,
  output: string,
  during: string,
): Promise<UserError | undefined> {
  const endpoint = await remoteEndpoint(engine);
  if (endpoint === undefined) return undefined;
  const isLost = saysCut(output) || (await engine.run(['network', 'ls', '--quiet'])).code !== 0;
  return isLost ? lostConnection(engine, endpoint, during) : undefined;
}

/** Explains why a command failed, with what it printed. `image`: the requested one. */
export async function engineFailure(
  engine: Engine,
  output: string,
  { image, during }: { image: string; during: string },
): Promise<UserError> {
  return (
    (await findLostConnection(engine, output, during)) ??
    engineError(engine.name, output, { image }) ??
    unknownFailure(engine.name, output)
  );
}
