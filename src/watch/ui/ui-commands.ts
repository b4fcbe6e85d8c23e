import { UserError } from '../../errors.ts';
import type { UiCommands } from '../../ui/commands.ts';
import { followLogs } from '../logs/follow-logs.ts';
import { listLogSources } from '../logs/log-switch.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { callEndpoint } from './call-endpoint.ts';
import { invokeFunction } from './invoke-function.ts';
import { readRemembered, rememberEvent } from './remembered-events.ts';
import { describeExecution, runStateMachine } from './run-state-machine.ts';
import { locate, readFacts } from './session-facts.ts';

/** Earlier lines to show when the page opens its logs (ms). */
const LOGS_SINCE = 15 * 60_000;

/** The commands of the page, through the services: the same on AWS and on the local cloud. */
export function createUiCommands(
  application: Pick<WatchedApplication, 'snapshot'>,
  loop: Pick<UiCommands, 'sync' | 'deploy'>,
): UiCommands {
  const run = (): typeof application.snapshot.run => application.snapshot.run;
  const requireDeployed = async (id: string): Promise<string> => {
    const physicalId = await locate(application.snapshot, id);
    if (physicalId !== undefined) return physicalId;
    throw new UserError(`${id} is not deployed yet`, { hint: 'Wait for the deployment, or start one.' });
  };
  return {
    ...loop,
    facts: () => readFacts(application.snapshot),
    invoke: async ({ id, event }) => invokeFunction(run().aws, await requireDeployed(id), event),
    call: (request) => callEndpoint(application.snapshot.offer?.endpoints ?? [], request, run().environment.env),
    run: async ({ id, input }) => runStateMachine(run().aws, await requireDeployed(id), input),
    execution: ({ arn }) => describeExecution(run().aws, arn),
    followLogs: (onLine, signal) =>
      followLogs({
        aws: run().aws,
        sources: () => listLogSources(application.snapshot),
        onLine: ({ id, time, text }) => onLine({ id, time: time.getTime(), text }),
        since: Date.now() - LOGS_SINCE,
        signal,
      }),
    remembered: () => readRemembered(run().options),
    remember: ({ name, text }) => rememberEvent(run().options, name, text),
  };
}
