import cliTruncate from 'cli-truncate';
import wrapAnsi from 'wrap-ansi';
import { formatDuration } from './format.ts';
import type { Style } from './style.ts';
import { textWidth } from './text-width.ts';
import { lookOf } from './watch-lines.ts';
import { buildingSince, currentStep } from './watch-model.ts';
import type { WatchedRow, WatchModel } from './watch-model.ts';

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

/** The most resources to list if nothing happened to them; the view counts the others. */
const LISTED = 12;
/** The share of the width that names take at most. */
const NAME_SHARE = 0.4;
const REASON_INDENT = '    ';

/** The width of the column of names. */
export function nameWidth(names: readonly string[], { columns }: Picture): number {
  return Math.min(Math.floor(columns * NAME_SHARE), Math.max(0, ...names.map(textWidth)));
}

/** Cuts a name in the middle: nested stacks begin, and similar functions end, with what tells them apart. */
export function fitName(name: string, width: number): string {
  const cut = cliTruncate(name, width, { position: 'middle' });
  return cut + ' '.repeat(Math.max(0, width - textWidth(cut)));
}

/** A line with a reason: below it where it does not fit beside it, since a reason is never cut. */
export function withReason(line: string, reason: string, { columns }: Picture): string[] {
  if (reason === '') return [line.trimEnd()];
  if (textWidth(line) + 2 + textWidth(reason) < columns) return [`${line}  ${reason}`];
  const wrapped = wrapAnsi(reason, Math.max(10, columns - 1 - REASON_INDENT.length), { hard: true });
  return [line.trimEnd(), ...wrapped.split('\n').map((part) => REASON_INDENT + part)];
}

/** Renders the resources in at most `room` lines: the most important ones first, and the count of the others. */
export function resourceLines(model: WatchModel, picture: Picture, room: number): string[] {
  const ranks = new Map([...model.rows.values()].map((row) => [row, rankOf(model, row)]));
  const all = [...ranks]
    .sort(([a, rankA], [b, rankB]) => rankA - rankB || (b.lastSync?.at ?? 0) - (a.lastSync?.at ?? 0))
    .map(([row]) => row);
  const eventful = all.filter((row) => row.state !== 'in-sync' || row.lastSync || row.problem || row.deploying).length;
  const candidates = all.slice(0, Math.max(eventful, LISTED));
  const width = nameWidth(
    candidates.slice(0, room).map(({ id }) => id),
    picture,
  );
  const blocks = candidates.map((row) => resourceBlock(model, row, { ...picture, width }));
  const shown = countThatFit(blocks, { room, total: all.length });
  const lines = blocks.slice(0, shown).flat().slice(0, Math.max(1, room));
  const rest = all.slice(shown);
  return rest.length === 0
    ? lines
    : [...lines, picture.style('dim', `  and ${rest.length} more, ${describeStates(model, rest)}`)];
}

/** Counts the blocks that fit; a line is kept for the count of those that do not. The first one is always shown. */
function countThatFit(
  blocks: readonly (readonly string[])[],
  { room, total }: { room: number; total: number },
): number {
  let used = 0;
  for (const [index, block] of blocks.entries()) {
    used += block.length;
    const needed = used + (index + 1 < total ? 1 : 0);
    if (needed > room) return room > 1 ? Math.max(index, 1) : index;
  }
  return blocks.length;
}

/** Ranks failed resources first, then those that are worked on, then waiting ones. */
function rankOf(model: WatchModel, row: WatchedRow): number {
  const { state, problem, deploying } = row;
  if (state === 'failed' || deploying?.failed) return 0;
  if (buildingSince(model, row) !== undefined || state === 'updating' || deploying?.busy) return 1;
  if (state === 'waiting') return deploying ? 3 : 2;
  return problem === undefined ? 5 : 4;
}

/** The lines of a resource: its row, and a reason that does not fit into it. */
function resourceBlock(model: WatchModel, row: WatchedRow, picture: Picture & { width: number }): string[] {
  const { style, width, spinner } = picture;
  const { icon, state, look, fact, reason } = describeRow(model, row, picture);
  const start = `${style(look, icon ?? spinner)} ${fitName(row.id, width)}  ${style(look, state.padEnd(8))}`;
  if (reason !== undefined) return withReason(start, style(look, reason), picture);
  return [`${start}  ${style('dim', fact ?? '')}`];
}

interface RowText {
  /** undefined: the spinner. */
  icon: string | undefined;
  state: string;
  look: ReturnType<typeof lookOf>;
  fact?: string | undefined;
  /** Why it failed or cannot run. */
  reason?: string | undefined;
}

function describeRow(model: WatchModel, row: WatchedRow, { now }: Picture): RowText {
  const { deploying } = row;
  const building = buildingSince(model, row);
  const state = building === undefined ? row.state : 'building';
  const last = row.lastSync && `${formatAgo(now - row.lastSync.at)}, took ${formatDuration(row.lastSync.ms)}`;
  if (deploying && (state === 'waiting' || state === 'in-sync')) {
    const { word, busy, failed, since, reason } = deploying;
    if (failed) return { icon: '✗', state: word, look: 'red', reason: reason ?? '' };
    return {
      icon: busy ? undefined : '✓',
      state: word,
      look: busy ? 'cyan' : 'green',
      fact: formatDuration(now - since),
    };
  }
  const look = lookOf(state);
  const name = state.replace('-', ' ');
  switch (state) {
    case 'failed':
      return { icon: '✗', state: name, look, reason: row.failure ?? '' };
    case 'waiting':
      return { icon: '·', state: name, look, fact: last };
    case 'in-sync':
      if (row.problem !== undefined) return { icon: '!', state: name, look: 'yellow', reason: row.problem };
      return { icon: '✓', state: name, look, fact: last };
    default: {
      const fact = [formatDuration(now - (building ?? row.since)), currentStep(model, row.id)]
        .filter(Boolean)
        .join('  ');
      return { icon: undefined, state: name, look, fact };
    }
  }
}

function describeStates(model: WatchModel, rows: readonly WatchedRow[]): string {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const state = buildingSince(model, row) === undefined ? row.state : 'building';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const parts = [...counts].map(
    ([state, count]) => `${counts.size === 1 ? '' : `${count} `}${state.replace('-', ' ')}`,
  );
  return parts.join(', ');
}

/** Formats an age: `just now`, `12 s ago`, `3 min ago`, `2 h ago`. */
export function formatAgo(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
