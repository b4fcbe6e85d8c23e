import type { EventHistory, TimedEvent } from '../../console/event-history.ts';
import type { PageLogLine, SessionFacts, UiCommands } from '../commands.ts';
import { emptySession, encodeSession } from '../model/session-state.ts';
import type { EncodedSession, SessionState } from '../model/session-state.ts';
import { updateFacts, updateSession } from '../model/update-session.ts';
import { createLogTail } from './log-tail.ts';

/** What a page receives, one message after the other. */
export type PageMessage =
  /** First: the session as it is, and a name for this connection. */
  | { type: 'session'; session: EncodedSession; client: string }
  | { type: 'events'; events: readonly TimedEvent[] }
  | { type: 'facts'; facts: SessionFacts }
  | { type: 'logs'; lines: readonly PageLogLine[] }
  | { type: 'log-failure'; text: string };

/** The way to a page. */
interface PageConnection {
  send(text: string): void;
  /** Ends it, after what is still to send. */
  close(): void;
  /** Runs the listener when the page is gone. */
  onClose(listener: () => void): void;
}

/** The pages that are connected. */
export interface EventStream {
  /** Sends the session as it is, then each event. */
  connect(connection: PageConnection): void;
  /** Sends log lines to a page while it shows them. */
  showLogs(client: string, isShown: boolean): void;
  /** Ends the connections, after what is still to send. */
  close(): void;
}

/** Events and log lines within this time (ms) travel together. */
const GATHER_MS = 16;

interface Client {
  connection: PageConnection;
  hasLogs: boolean;
}

/** Creates the stream: it holds the session, so that a page may come at any time and come back. */
export function createEventStream(follow: EventHistory['follow'], commands: UiCommands): EventStream {
  const session: SessionState = emptySession(Date.now());
  const clients = new Map<string, Client>();
  let count = 0;
  const broadcast = (message: PageMessage, isFor: (client: Client) => boolean = () => true): void => {
    const text = JSON.stringify(message);
    for (const client of clients.values()) if (isFor(client)) client.connection.send(text);
  };
  const news = gatherItems<TimedEvent>((events) => broadcast({ type: 'events', events }));
  const newLines = gatherItems<PageLogLine>((lines) => broadcast({ type: 'logs', lines }, ({ hasLogs }) => hasLogs));
  const readFacts = createFactsReader(commands, (facts) => {
    updateFacts(session, facts);
    broadcast({ type: 'facts', facts });
  });
  const unfollow = follow((timed) => {
    const { type } = timed.event;
    if (type === 'ui-opened' || type === 'result') return;
    const wasRunning = isRunning(session);
    updateSession(session, timed);
    if (clients.size === 0) return;
    news.add(timed);
    // names in the cloud and what is not deployed yet may be others now
    if (type === 'watch-ready' || (wasRunning && !isRunning(session))) readFacts();
  });
  const logs = createLogTail(commands, {
    onLine: (line) => newLines.add(line),
    onFailure: (text) => broadcast({ type: 'log-failure', text }, ({ hasLogs }) => hasLogs),
  });
  const updateLogs = (): void => logs.turn([...clients.values()].some(({ hasLogs }) => hasLogs));
  return {
    connect(connection) {
      news.flush();
      const client = `page${++count}`;
      send(connection, { type: 'session', session: encodeSession(session), client });
      clients.set(client, { connection, hasLogs: false });
      connection.onClose(() => {
        clients.delete(client);
        updateLogs();
      });
      readFacts();
    },
    showLogs(name, isShown) {
      const client = clients.get(name);
      if (!client || client.hasLogs === isShown) return;
      newLines.flush();
      client.hasLogs = isShown;
      if (isShown) send(client.connection, { type: 'logs', lines: logs.lines() });
      updateLogs();
    },
    close() {
      unfollow();
      news.flush();
      logs.turn(false);
      for (const { connection } of clients.values()) connection.close();
    },
  };
}

/** Passes on items of a short time together. */
function gatherItems<T>(onItems: (items: readonly T[]) => void): { add(item: T): void; flush(): void } {
  let items: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (items.length === 0) return;
    const gathered = items;
    items = [];
    onItems(gathered);
  };
  return {
    add(item) {
      items.push(item);
      timer ??= setTimeout(flush, GATHER_MS);
    },
    flush,
  };
}

function send(connection: PageConnection, message: PageMessage): void {
  connection.send(JSON.stringify(message));
}

function isRunning({ records }: SessionState): boolean {
  const last = records.at(-1);
  return last !== undefined && last.end === undefined;
}

/** Reads the facts, one reading at a time; a request during one leads to another. */
function createFactsReader(commands: UiCommands, onFacts: (facts: SessionFacts) => void): () => void {
  let isReading = false;
  let isAsked = false;
  const read = async (): Promise<void> => {
    isReading = true;
    do {
      isAsked = false;
      try {
        onFacts(await commands.facts());
      } catch {
        // the next sync reports why the cloud does not respond
      }
    } while (isAsked);
    isReading = false;
  };
  return () => {
    isAsked = true;
    if (!isReading) void read();
  };
}
