import cliTruncate from 'cli-truncate';
import { createLogUpdate } from 'log-update';
import { formatDuration } from './format.ts';
import { doing } from './lines.ts';
import type { LiveView } from './live-view.ts';
import type { Style } from './style.ts';
import { WATCH_KEYS } from './watch-keys.ts';
import { lookOf } from './watch-lines.ts';
import { currentStep, emptyWatchModel, updateWatchModel } from './watch-model.ts';
import type { WatchedRow, WatchModel } from './watch-model.ts';
import { textWidth } from './text-width.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Redraw interval (ms) while work runs, and while only the times change. */
const BUSY_MS = 80;
const IDLE_MS = 1_000;
/** The most resources of a deployment to show. */
const IN_PROGRESS_SHOWN = 5;
/** The most resources to list if nothing happened to them; the view counts the others. */
const LISTED = 12;

/** Draws the watched resources at the bottom of the terminal, below the permanent lines. */
export function createWatchView(terminal: NodeJS.WriteStream, style: Style): LiveView {
  const draw = createLogUpdate(terminal, { showCursor: true });
  const model = emptyWatchModel(performance.now());
  let frame = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let drawn: readonly string[] = [];
  const render = (): void => {
    if (closed) return;
    const size = { columns: terminal.columns ?? 80, rows: terminal.rows ?? 24 };
    const spinner = FRAMES[frame % FRAMES.length] ?? '';
    drawn = renderWatch(model, { ...size, now: performance.now(), wallClock: Date.now(), spinner, style });
    draw(drawn.join('\n'));
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        frame++;
        render();
      },
      isBusy(model) ? BUSY_MS : IDLE_MS,
    ).unref();
  };
  const resized = (): void => {
    // the terminal has wrapped lines that are now too wide
    const columns = terminal.columns ?? 80;
    const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
    terminal.write(`\u001B[${height}A\r\u001B[J`);
    draw.done();
    render();
  };
  terminal.on('resize', resized);
  render();
  return {
    update(event) {
      const was = isBusy(model);
      updateWatchModel(model, event, performance.now());
      if (event.type === 'watch-stopped') {
        closed = true;
        clearTimeout(timer);
        draw.clear();
      } else if (isBusy(model) !== was || event.type === 'resource-state' || event.type === 'stack-state') render();
    },
    print(write) {
      draw.clear();
      write();
      render();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      terminal.off('resize', resized);
      draw.clear();
    },
  };
}

/** Everything a frame depends on besides the model. */
export interface Picture {
  columns: number;
  rows: number;
  /** Time of the model's clock (ms). */
  now: number;
  /** Milliseconds since the epoch, the clock of CloudFormation's events. */
  wallClock: number;
  spinner: string;
  style: Style;
}

/** Renders the lines of the view, cut to the terminal's width and height. Pure. */
export function renderWatch(model: WatchModel, picture: Picture): string[] {
  const { style, columns, rows } = picture;
  const foot = ['', stackLine(model, picture), ...progressLines(model, picture), keyLine(model, style)];
  const room = Math.max(1, rows - foot.length - 2);
  const all = [...model.rows.values()].sort(byInterest);
  const shown = chooseRows(all, room);
  const width = Math.min(40, Math.max(0, ...shown.map(({ id }) => textWidth(id))));
  const body = shown.map((row) => resourceLine(model, row, { ...picture, width }));
  const rest = all.length - shown.length;
  if (rest > 0) body.push(style('dim', `  and ${rest} more, ${describeStates(all.slice(shown.length))}`));
  return [...body, ...foot].map((line) => cliTruncate(line, Math.max(10, columns - 1)));
}

/** Sorts failed resources first, then busy ones, then the latest sync. */
function byInterest(a: WatchedRow, b: WatchedRow): number {
  return rankOf(a) - rankOf(b) || (b.lastSync?.at ?? 0) - (a.lastSync?.at ?? 0);
}

function rankOf({ state, problem }: WatchedRow): number {
  if (state === 'failed') return 0;
  if (!isResting(state)) return 1;
  return problem === undefined ? 3 : 2;
}

function isResting(state: string): boolean {
  return state === 'in-sync' || state === 'failed';
}

function chooseRows(rows: readonly WatchedRow[], room: number): WatchedRow[] {
  const limit = rows.length <= room ? rows.length : Math.max(0, room - 1);
  const eventful = rows.filter(
    ({ state, lastSync, problem }) => state !== 'in-sync' || lastSync !== undefined || problem !== undefined,
  ).length;
  return rows.slice(0, Math.min(limit, Math.max(eventful, LISTED)));
}

function resourceLine(model: WatchModel, row: WatchedRow, picture: Picture & { width: number }): string {
  const { style, width, now, spinner } = picture;
  const warns = row.state === 'in-sync' && row.problem !== undefined;
  const look = warns ? 'yellow' : lookOf(row.state);
  const icons: Partial<Record<WatchedRow['state'], string>> = {
    'in-sync': warns ? '!' : '✓',
    failed: '✗',
    waiting: '·',
  };
  const name = cliTruncate(row.id, width).padEnd(width);
  const state = style(look, row.state.replace('-', ' ').padEnd(8));
  const last = row.lastSync && `${formatAgo(now - row.lastSync.at)}, took ${formatDuration(row.lastSync.ms)}`;
  const facts: Record<WatchedRow['state'], string | undefined> = {
    'in-sync': warns ? row.problem && style('yellow', row.problem) : last,
    failed: row.failure && style('red', row.failure),
    waiting: last,
    building: [formatDuration(now - row.since), currentStep(model, row.id)].filter(Boolean).join('  '),
    updating: [formatDuration(now - row.since), currentStep(model, row.id)].filter(Boolean).join('  '),
  };
  const fact = facts[row.state] ?? '';
  return `${style(look, icons[row.state] ?? spinner)} ${name}  ${state}  ${row.state === 'failed' || warns ? fact : style('dim', fact)}`;
}

function stackLine({ stack, stackName }: WatchModel, { style, now, spinner }: Picture): string {
  const name = style('bold', stackName === '' ? 'stack' : `stack ${stackName}`);
  const state = style(lookOf(stack.state), stack.state.replace('-', ' '));
  const icon = stack.state === 'in-sync' ? '✓' : stack.state === 'failed' ? '✗' : spinner;
  const last =
    stack.lastSync && `deployed ${formatAgo(now - stack.lastSync.at)}, took ${formatDuration(stack.lastSync.ms)}`;
  const fact =
    stack.state === 'failed'
      ? style('red', stack.failure ?? '')
      : style('dim', stack.state === 'in-sync' ? (last ?? '') : formatDuration(now - stack.since));
  return `${style(lookOf(stack.state), icon)} ${name}  ${state}  ${fact}`;
}

function progressLines(model: WatchModel, picture: Picture): string[] {
  const { style, wallClock, now } = picture;
  const local = [...model.steps.values()].filter(({ kind }) => kind === 'set-up' || kind === 'start');
  if (local.length > 0)
    return local.map((step) => `    ${doing(step)}  ${style('dim', formatDuration(now - step.since))}`);
  if (model.stack.state !== 'updating') return [];
  const all = [...model.inProgress.values()];
  const lines = all.slice(0, IN_PROGRESS_SHOWN).map(({ stackPath, logicalId, status, timestamp }) => {
    const name = stackPath === '' ? logicalId : `${stackPath}/${logicalId}`;
    return `    ${status.padEnd(28)} ${name}  ${style('dim', formatDuration(Math.max(0, wallClock - timestamp.getTime())))}`;
  });
  if (all.length > lines.length) lines.push(style('dim', `    and ${all.length - lines.length} more`));
  return lines;
}

function keyLine({ ready, logs }: WatchModel, style: Style): string {
  if (!ready) return style('dim', '  Press Ctrl-C to stop');
  const keys = WATCH_KEYS.map(({ key, short }) => `${key} ${key === 'l' && logs ? 'hide logs' : short}`);
  return style('dim', `  ${keys.join('   ')}`);
}

function describeStates(rows: readonly WatchedRow[]): string {
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(
    ([state, count]) => `${counts.size === 1 ? '' : `${count} `}${state.replace('-', ' ')}`,
  );
  return parts.join(', ');
}

function isBusy({ stack, rows, steps }: WatchModel): boolean {
  return !isResting(stack.state) || steps.size > 0 || [...rows.values()].some(({ state }) => !isResting(state));
}

/** Formats an age: `just now`, `12 s ago`, `3 min ago`, `2 h ago`. */
function formatAgo(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
