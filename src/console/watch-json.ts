import { offerDocument } from './offer.ts';
import type { SyncEvent } from './reporter.ts';
import type { ShownFailure } from './watch-events.ts';

/**
 * Converts an event to the document that `--watch --output json` prints; undefined if it prints none. Editors and scripts
 * depend on docs/watch-events.md: add fields, never change or remove one.
 */
export function watchDocument(event: SyncEvent, time: Date): object | undefined {
  const document = describe(event);
  return document && { time: time.toISOString(), ...document };
}

function describe(event: SyncEvent): object | undefined {
  switch (event.type) {
    case 'watch-resources':
      return { event: 'watching', stackName: event.stackName, resources: event.ids };
    case 'watch-ready':
      return { event: 'ready', resources: event.resources, folders: event.folders, ms: Math.round(event.ms) };
    case 'watch-change':
      return {
        event: 'changed',
        files: event.files,
        resources: event.ids,
        templates: event.templates,
        options: event.options,
      };
    case 'resource-state':
      return {
        event: 'resource',
        resource: event.id,
        state: event.state,
        changed: event.changed,
        detail: event.detail,
        ms: rounded(event.ms),
        warnings: event.problems,
        error: failureOf(event.failure),
      };
    case 'stack-state':
      return {
        event: 'stack',
        state: event.state,
        changed: event.changed,
        ms: rounded(event.ms),
        error: failureOf(event.failure),
      };
    case 'stack-event': {
      const { stackPath, logicalId, resourceType, status, reason, timestamp } = event.event;
      return { event: 'stack-event', stackPath, logicalId, resourceType, status, reason, timestamp };
    }
    case 'outputs':
      return { event: 'outputs', stackName: event.stackName, ...offerDocument(event) };
    case 'log-line':
      return { event: 'log', resource: event.id, timestamp: event.time.toISOString(), text: event.text };
    case 'ui-opened':
      return { event: 'ui', url: event.url };
    case 'note':
      return event.level === 'debug'
        ? undefined
        : { event: 'note', level: event.level, text: event.text, hint: event.hint };
    case 'result':
      // the command ended before it watched anything
      return { event: 'result', ...(event.document as object) };
    case 'watch-stopped':
      return { event: 'stopped', goingOn: event.goingOn };
    default:
      return undefined;
  }
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}

function failureOf(failure: ShownFailure | undefined): object | undefined {
  if (failure === undefined) return undefined;
  const { message, hint, output, file, line, column } = failure;
  return { message, hint, output, file, line, column };
}
