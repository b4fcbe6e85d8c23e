import type { SyncEvent } from './reporter.ts';

/** An event, and when it was reported (ms since the epoch). */
export interface TimedEvent {
  at: number;
  event: SyncEvent;
}

/** The events of a session, for a reader that joins later. */
export interface EventHistory {
  add(event: SyncEvent): void;
  /** Passes on what is remembered, then each new event; returns a function that stops this. */
  follow(onEvent: (event: TimedEvent) => void): () => void;
}

/** Events that are remembered beside the last state of each subject. */
const MOST_EVENTS = 4_000;

/**
 * Creates the history of a session. It keeps the newest events, and of older ones the last state of each resource, so that it
 * stays small in a session of days.
 */
export function createEventHistory(): EventHistory {
  const states = new Map<string, TimedEvent>();
  const listeners = new Set<(event: TimedEvent) => void>();
  let recent: TimedEvent[] = [];
  return {
    add(event) {
      if (event.type === 'tool-output' || event.type === 'step-progress' || event.type === 'log-line') return;
      const timed = { at: Date.now(), event };
      recent.push(timed);
      for (const listener of listeners) listener(timed);
      if (recent.length < MOST_EVENTS) return;
      const older = recent.slice(0, MOST_EVENTS / 2);
      recent = recent.slice(MOST_EVENTS / 2);
      for (const one of older) {
        const subject = subjectOf(one.event);
        if (subject === undefined) continue;
        // the order is that of the last states
        states.delete(subject);
        states.set(subject, one);
      }
    },
    follow(onEvent) {
      for (const one of [...inOrder(states), ...recent]) onEvent(one);
      listeners.add(onEvent);
      return () => void listeners.delete(onEvent);
    },
  };
}

/** The list of resources comes before their states. */
function inOrder(states: ReadonlyMap<string, TimedEvent>): TimedEvent[] {
  const all = [...states.values()];
  const isList = ({ event }: TimedEvent): boolean => event.type === 'watch-resources';
  return [...all.filter(isList), ...all.filter((one) => !isList(one))];
}

/** Names what the event is the state of; undefined: it is no state. */
function subjectOf(event: SyncEvent): string | undefined {
  switch (event.type) {
    case 'resource-state':
      return `${event.type} ${event.id}`;
    case 'watch-resources':
    case 'watch-ready':
    case 'stack-state':
    case 'outputs':
      return event.type;
    default:
      return undefined;
  }
}
