import { createEventHistory } from './event-history.ts';
import type { EventHistory } from './event-history.ts';
import { createLines } from './lines.ts';
import type { Line, LineOptions } from './lines.ts';
import type { createLiveView } from './live-view.ts';
import { redactEvent } from './redact.ts';
import type { Reporter } from './reporter.ts';
import { createScriptLines } from './script-lines.ts';
import { createStyle } from './style.ts';
import { watchDocument } from './watch-json.ts';
import { createWatchLines } from './watch-lines.ts';
import type { createWatchView } from './watch-view.ts';

/** Where and how to show events. */
export interface ReporterOptions {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  debug: boolean;
  /** `json`: stdout carries only the `result` document; a watch writes one event a line. */
  output: 'text' | 'json';
  watch: boolean;
  /** Somebody may ask for the page of the watch. */
  ui?: boolean | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/** A reporter that writes to the console and releases the terminal when closed. */
export interface ConsoleReporter extends Reporter {
  /**
   * Runs work that has the terminal to itself, such as a question, which a redrawn view would erase. Lines that are reported
   * meanwhile are printed afterwards.
   */
  withoutView<T>(work: () => Promise<T>): Promise<T>;
  /** What was reported, for the page of a watch. */
  follow: EventHistory['follow'];
  close(): void;
}

/** Creates a live view on a terminal, plain lines elsewhere and with `--debug`, where a view would disturb the lines. */
export async function createReporter(options: ReporterOptions): Promise<ConsoleReporter> {
  const terminal = asTerminal(options.stderr);
  const errStyle = createStyle(terminal !== undefined, options.env);
  const outTerminal = asTerminal(options.stdout);
  const outStyle = createStyle(outTerminal !== undefined, options.env);
  const live =
    terminal && !options.debug && options.env['TERM'] !== 'dumb' && !options.env['CI']
      ? (await loadView(options.watch))(terminal, errStyle)
      : undefined;
  const lines = (options.watch ? createWatchLines : createLines)({
    debug: options.debug,
    outStyle,
    errStyle,
    live: live !== undefined,
    joinHints: terminal === undefined,
    columns: () => outTerminal?.columns,
    link: outTerminal && (await loadLink(outTerminal)),
  });
  const scriptLines = terminal ? undefined : createScriptLines();
  // with a key, or from the start
  const history = options.watch && (terminal !== undefined || options.ui === true) ? createEventHistory() : undefined;
  const isJson = options.output === 'json';
  const write = (line: Line): void => void options[line.stream].write(`${line.text}\n`);
  let questions = 0;
  const held: string[] = [];
  const printBeside = (texts: string[]): void => {
    if (questions > 0) held.push(...texts);
    else if (texts.length > 0) live?.print(texts);
  };

  return {
    report(reported) {
      const event = redactEvent(reported);
      live?.update(event);
      history?.add(event);
      const isForStdout = event.type === 'result' ? isJson && !options.watch : !isJson;
      const toPrint = lines(event).filter(({ stream }) => stream === 'stderr' || isForStdout);
      for (const text of scriptLines?.(event) ?? []) toPrint.push({ stream: 'stderr', text });
      const document = options.watch && isJson ? watchDocument(event, new Date()) : undefined;
      if (document) toPrint.push({ stream: 'stdout', text: JSON.stringify(document) });
      if (toPrint.length === 0) return;
      // what goes to the terminal of the view is printed with it, in one write
      const isBeside = ({ stream }: Line): boolean =>
        live !== undefined && (stream === 'stderr' || outTerminal !== undefined);
      const beside = toPrint.filter(isBeside);
      toPrint.filter((line) => !isBeside(line)).forEach(write);
      printBeside(beside.flatMap(({ text }) => text.split('\n')));
    },
    async withoutView(work) {
      if (questions++ === 0) live?.hide();
      try {
        return await work();
      } finally {
        if (--questions === 0) {
          live?.show();
          printBeside(held.splice(0));
        }
      }
    },
    follow: (onEvent) => history?.follow(onEvent) ?? (() => {}),
    close: () => live?.close(),
  };
}

/** Loads the drawing code, which only a terminal needs. */
async function loadView(watch: boolean): Promise<typeof createLiveView | typeof createWatchView> {
  if (watch) return (await import('./watch-view.ts')).createWatchView;
  return (await import('./live-view.ts')).createLiveView;
}

/** Returns what makes a text a link (OSC 8), if the terminal is known to have links. */
async function loadLink(terminal: NodeJS.WriteStream): Promise<LineOptions['link']> {
  const { createSupportsHyperlinks } = await import('supports-hyperlinks');
  if (!createSupportsHyperlinks(terminal)) return undefined;
  return (text, url) => `\u001B]8;;${url}\u0007${text}\u001B]8;;\u0007`;
}

function asTerminal(stream: NodeJS.WritableStream): NodeJS.WriteStream | undefined {
  return 'isTTY' in stream && stream.isTTY === true ? (stream as NodeJS.WriteStream) : undefined;
}
