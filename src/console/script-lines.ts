import { formatTimeOfDay } from './format.ts';
import type { SyncEvent } from './reporter.ts';

/** SAM CLI's words for the flows that update a resource (`sync` in the table of resource kinds). */
const NOUNS: Readonly<Record<string, string>> = {
  function: 'Lambda Function',
  layer: 'Layer',
  'rest-api': 'RestApi',
  'http-api': 'HttpApi',
  'state-machine': 'StepFunctions',
};

/**
 * Turns events into the lines of SAM CLI that scripts and editors wait for (docs/sam-cli-behaviour.md#messages). Pipes get
 * them beside our own lines. Keeps only running deployments as state.
 */
export function createScriptLines(clock: () => Date = () => new Date()): (event: SyncEvent) => string[] {
  const deployments = new Map<string, 'creation' | 'update'>();
  return (event) => {
    switch (event.type) {
      case 'step-started':
        if (event.kind === 'create' && event.id.startsWith('deploy:')) deployments.set(event.id, 'creation');
        if (event.kind === 'update' && event.id.startsWith('deploy:')) deployments.set(event.id, 'update');
        return [];
      case 'step-finished': {
        const deployment = deployments.get(event.id);
        if (deployment === undefined || event.outcome !== 'done') return [];
        return [`Stack ${deployment} succeeded. Sync infra completed.`];
      }
      case 'code-synced':
        return [`${timestamp(clock())}: Finished syncing ${NOUNS[event.flow] ?? event.flow} ${event.id}.`];
      case 'stack-state':
        if (event.state !== 'in-sync') return [];
        return [
          event.changed
            ? 'Infra sync completed.'
            : 'Skipped infra sync as the local template is in sync with the cloud template.',
        ];
      case 'watch-ready':
        return ['Sync watch started.'];
      default:
        return [];
    }
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `26/Nov/2026:20:13:13`, in local time. */
function timestamp(time: Date): string {
  const day = String(time.getDate()).padStart(2, '0');
  return `${day}/${MONTHS[time.getMonth()]}/${time.getFullYear()}:${formatTimeOfDay(time)}`;
}
