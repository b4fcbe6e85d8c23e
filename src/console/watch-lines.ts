import { formatProblem } from '../errors.ts';
import type { RunProblem } from '../errors.ts';
import { formatDuration, formatTimeOfDay } from './format.ts';
import { createLines } from './lines.ts';
import type { Line, LineOptions } from './lines.ts';
import type { SyncEvent } from './reporter.ts';
import type { Look } from './style.ts';
import type { ShownFailure, WatchEvent } from './watch-events.ts';
import { WATCH_KEYS } from './watch-keys.ts';

/** Settings of the line renderer for a watch. */
export interface WatchLineOptions extends LineOptions {
  /** The time of day printed at the start of each line. */
  clock?: (() => Date) | undefined;
}

const err = (text: string): Line[] => text.split('\n').map((line) => ({ stream: 'stderr', text: line }));

/** Steps that set up and start the local cloud. */
const LOCAL_CLOUD = /^(?:setup|start):local-cloud$/;

/** Changed files that a line names; it counts the others. */
const FILES_NAMED = 3;

/**
 * Turns events of a watch into permanent lines: saved files (unless a live view shows them), syncs and failures. Prints the
 * same failure of a resource only once.
 */
export function createWatchLines(options: WatchLineOptions): (event: SyncEvent) => Line[] {
  const { debug, outStyle, errStyle, live, clock = () => new Date() } = options;
  const others = createLines(options);
  /** Resource (the stack: '') → the failure printed last. */
  const failures = new Map<string, string>();
  /** Resource → the printed reasons why it cannot run. */
  const problems = new Map<string, string>();
  const timed = (text: string): Line[] => err(`${errStyle('dim', formatTimeOfDay(clock()))} ${text}`);

  const failed = (subject: string, key: string, failure: ShownFailure): Line[] => {
    const { message, hint, output } = failure;
    if (failures.get(key) === message) return [];
    failures.set(key, message);
    return [
      // --debug printed the tool's output while it ran
      ...(output && !debug ? err(output.trimEnd()) : []),
      ...timed(`${subject} ${errStyle('red', 'failed')}: ${errStyle('red', message)}`),
      ...(hint ? err(`  ${hint.replaceAll('\n', '\n  ')}`) : []),
    ];
  };
  const synced = (
    name: string,
    key: string,
    { ms = 0, detail }: { ms?: number | undefined; detail?: string },
  ): Line[] => {
    failures.delete(key);
    const facts = [...(detail ? [detail] : []), formatDuration(ms)].join(', ');
    return timed(`${errStyle('green', 'Synced')} ${name} ${errStyle('dim', `(${facts})`)}`);
  };
  const recovered = (subject: string, key: string): Line[] =>
    failures.delete(key) ? timed(`${subject} ${errStyle('green', 'recovered')}`) : [];

  const cannotRun = (id: string, reasons: readonly RunProblem[] = []): Line[] => {
    const text = reasons.map(formatProblem).join('\n');
    if (text === (problems.get(id) ?? '')) return [];
    if (text === '') {
      problems.delete(id);
      return timed(`${errStyle('green', 'Fixed')} ${id}: it can run again`);
    }
    problems.set(id, text);
    return reasons.flatMap((problem) =>
      timed(`${errStyle('yellow', 'Warning')} ${id} cannot run: ${errStyle('yellow', formatProblem(problem))}`),
    );
  };

  return (event) => {
    switch (event.type) {
      case 'step-started':
      case 'step-finished':
        // a watch reports states instead of steps, but the set-up of the local cloud comes before it
        return debug || LOCAL_CLOUD.test(event.id) ? others(event) : [];
      case 'watch-ready':
        return timed(errStyle('bold', describeReady(event)));
      case 'watch-change':
        return live ? [] : timed(describeChange(event));
      case 'resource-state':
        if (event.state === 'failed' && event.failure) return failed(event.id, event.id, event.failure);
        if (event.state !== 'in-sync') return [];
        return [
          ...(event.changed
            ? synced(event.id, event.id, { ms: event.ms, ...(event.detail ? { detail: event.detail } : {}) })
            : recovered(event.id, event.id)),
          ...cannotRun(event.id, event.problems),
        ];
      case 'stack-state':
        if (event.state === 'failed' && event.failure) return failed('Stack', '', event.failure);
        if (event.state === 'updating') return live ? [] : timed('Updating the stack');
        if (event.state !== 'in-sync') return [];
        return event.changed ? synced('the stack', '', { ms: event.ms }) : recovered('Stack', '');
      case 'log-line':
        return event.text
          .split('\n')
          .map((text) => ({ stream: 'stdout', text: `${outStyle('cyan', event.id)} ${text}` }));
      case 'watch-logs':
        return timed(event.on ? 'Showing log lines' : 'Hiding log lines');
      case 'ui-opened':
        // a line of its own: terminals do not open a link that is wrapped
        return [...timed('Page of this session; the link works once:'), ...err(`  ${errStyle('cyan', event.url)}`)];
      case 'watch-help':
        return WATCH_KEYS.flatMap(({ key, help }) => err(`  ${errStyle('bold', key)}  ${help}`));
      case 'watch-stopped':
        return [...timed('Stopped watching'), ...(event.goingOn ? err(`  ${event.goingOn}`) : [])];
      case 'watch-resources':
        return [];
      default:
        return others(event);
    }
  };
}

function describeReady({ resources, folders, ms }: Extract<WatchEvent, { type: 'watch-ready' }>): string {
  const what = resources === 1 ? '1 resource' : `${resources} resources`;
  const where = folders === 1 ? '1 folder' : `${folders} folders`;
  return `Watching ${what} in ${where}, ready after ${formatDuration(ms)}. Press Ctrl-C to stop.`;
}

function describeChange({ files }: Extract<WatchEvent, { type: 'watch-change' }>): string {
  const more = files.length - FILES_NAMED;
  const named = files.slice(0, FILES_NAMED).join(', ');
  return `${named}${more > 0 ? ` and ${more} more` : ''} changed`;
}

/** Returns the text style of a state. */
export function lookOf(state: string): Look {
  if (state === 'failed') return 'red';
  return state === 'in-sync' ? 'green' : 'cyan';
}
