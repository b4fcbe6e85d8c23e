import { stripVTControlCharacters } from 'node:util';
import type { PageLogLine, UiCommands } from '../commands.ts';

/** Log lines to keep for a page that shows them again. */
const MOST_LINES = 1_000;
/** The longest line (characters): CloudWatch Logs has lines of a megabyte, and a thousand of them are kept here and in each page. */
const LONGEST_LINE = 10_000;

/** Reads log lines while a page shows them. */
export interface LogTail {
  turn(on: boolean): void;
  /** The last lines that it read. */
  lines(): readonly PageLogLine[];
}

/** Creates the tail. It passes on each line once, also if it is turned on again. */
export function createLogTail(
  commands: Pick<UiCommands, 'followLogs'>,
  { onLine, onFailure }: { onLine(line: PageLogLine): void; onFailure(text: string): void },
): LogTail {
  let running: AbortController | undefined;
  let lines: PageLogLine[] = [];
  /** How often each line was read: a function may write the same line twice in a millisecond. */
  const seen = new Map<string, number>();
  const turn = (on: boolean): void => {
    if (on === (running !== undefined)) return;
    running?.abort();
    running = on ? new AbortController() : undefined;
    if (running) void follow(running.signal);
  };
  const follow = async (signal: AbortSignal): Promise<void> => {
    // a tail that begins again reads the last lines again
    const read = new Map<string, number>();
    try {
      await commands.followLogs((whole) => {
        const line = { ...whole, text: shorten(stripVTControlCharacters(whole.text)) };
        if (countLine(read, line) <= (seen.get(nameOfLine(line)) ?? 0)) return;
        countLine(seen, line);
        lines.push(line);
        if (lines.length > MOST_LINES * 2) {
          lines = lines.slice(-MOST_LINES);
          const kept = new Set(lines.map(nameOfLine));
          for (const counts of [seen, read]) for (const name of counts.keys()) if (!kept.has(name)) counts.delete(name);
        }
        onLine(line);
      }, signal);
    } catch (error) {
      if (signal.aborted) return;
      turn(false);
      onFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return { turn, lines: () => lines.slice(-MOST_LINES) };
}

function shorten(text: string): string {
  const more = text.length - LONGEST_LINE;
  return more > 0 ? `${text.slice(0, LONGEST_LINE)} … ${more} more characters` : text;
}

function nameOfLine({ id, time, text }: PageLogLine): string {
  return `${id} ${time} ${text}`;
}

/** Counts a line; returns how many are like it. */
function countLine(counts: Map<string, number>, line: PageLogLine): number {
  const name = nameOfLine(line);
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count;
}
