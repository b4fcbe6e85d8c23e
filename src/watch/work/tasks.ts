import { isDeployed, requireResources } from '../application-snapshot.ts';
import type { WatchTasks } from '../loop/watch-tasks.ts';
import { reconnect } from '../watch-tools.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { deployChanges } from './deploy-task.ts';
import { readChanges, setsDirectly } from './read-task.ts';
import { syncResources } from './sync-task.ts';
import { describeFailure } from './watch-failures.ts';

/** Gives the loop its tasks, and the facts it needs of the application. */
export function createTasks(application: WatchedApplication): WatchTasks {
  return {
    sync: (ids, context) => syncResources(application, ids, context),
    read: () => readChanges(application),
    setsDirectly: () => setsDirectly(application.snapshot),
    deploy: (how, context) => deployChanges(application, how, context),
    touchedBy: (id) => requireResources(application.snapshot).touchedBy(id),
    isDeployed: (id) => isDeployed(application.snapshot, id),
    renew: (kinds) => {
      if (!kinds.has('credentials')) return;
      application.snapshot.run.aws.renew();
      application.replace((now) => ({ ...now, tools: reconnect(now.tools, now.run) }));
    },
    describeError: describeFailure,
  };
}
