import type { PageLogLine } from '../commands.ts';
import { decodeSession, emptySession } from '../model/session-state.ts';
import type { SessionState } from '../model/session-state.ts';
import { updateFacts, updateSession } from '../model/update-session.ts';
import type { PageMessage } from '../server/event-stream.ts';

/** What the page shows: a view, and what is selected in it. It is the address after `#`, so that it outlives a reload. */
export interface Place {
  view: 'resources' | 'timeline' | 'logs';
  /** `r/ID`: a resource; `e/METHOD URL`: an endpoint; `s/N`: a sync. */
  item: string | undefined;
  /** The second tab of a resource: try it. */
  isTrying: boolean;
}

/** A log line, numbered: a function may write the same line twice in a millisecond. */
type NumberedLine = PageLogLine & { number: number };

/** Everything the page draws from. */
export interface Store {
  session: SessionState;
  place: Place;
  logs: NumberedLine[];
  logFailure: string | undefined;
  /** `lost`: the command does not respond. */
  connection: 'connecting' | 'open' | 'lost';
  filter: string;
  isHelpShown: boolean;
  /** Name of this page's connection. */
  client: string | undefined;
}

const MOST_LINES = 2_000;
/** Between two attempts to connect (ms). */
const CONNECT_AGAIN_AFTER = 1_000;
let lineCount = 0;

/** The one store of the page. */
export const store: Store = {
  session: emptySession(Date.now()),
  place: parsePlace(location.hash),
  logs: [],
  logFailure: undefined,
  connection: 'connecting',
  filter: '',
  isHelpShown: false,
  client: undefined,
};

let draw: () => void = () => {};
let afterDraw: (() => void) | undefined;
let isDue = false;

/** Draws with this function from now on: at most once a frame. */
export function onDraw(work: () => void): void {
  draw = work;
  redraw();
}

/** Asks for a new drawing in the next frame. A hidden page draws its title only. */
export function redraw(): void {
  if (isDue) return;
  isDue = true;
  const work = (): void => {
    isDue = false;
    draw();
    afterDraw?.();
    afterDraw = undefined;
  };
  if (document.hidden) setTimeout(work, 200);
  else requestAnimationFrame(work);
}

/** Draws after the page was hidden or shown: a hidden page is given no frames, also not the one that it asked for. */
export function redrawAfterHiding(): void {
  isDue = false;
  redraw();
}

/** Changes the store and draws it. */
export function update(change: Partial<Store>): void {
  Object.assign(store, change);
  redraw();
}

/** Shows another place; `then` runs once it is drawn. */
export function go(place: Partial<Place>, then?: () => void): void {
  const next = { ...store.place, ...place };
  update({ place: next });
  afterDraw = then;
  const hash = formatPlace(next);
  if (hash !== location.hash) location.hash = hash;
}

/** Follows the session until the command ends; connects again after the connection was lost. */
export function connect(): void {
  const socket = new WebSocket(`ws://${location.host}/api/events`);
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    receive(JSON.parse(data) as PageMessage);
    redraw();
  });
  socket.addEventListener('close', () => {
    if (store.session.ended) return;
    update({ connection: 'lost', client: undefined });
    setTimeout(connect, CONNECT_AGAIN_AFTER);
  });
}

/** Follows the address, which the user may change. */
export function followAddress(): void {
  window.addEventListener('hashchange', () => update({ place: parsePlace(location.hash) }));
}

function receive(message: PageMessage): void {
  switch (message.type) {
    case 'session':
      store.session = decodeSession(message.session);
      store.client = message.client;
      store.connection = 'open';
      store.logs = [];
      return;
    case 'events':
      for (const event of message.events) updateSession(store.session, event);
      return;
    case 'facts':
      updateFacts(store.session, message.facts);
      return;
    case 'logs':
      for (const line of message.lines) store.logs.push({ ...line, number: ++lineCount });
      // each function's log is read by itself
      store.logs = store.logs.toSorted((one, other) => one.time - other.time).slice(-MOST_LINES);
      store.logFailure = undefined;
      return;
    case 'log-failure':
      store.logFailure = message.text;
      return;
  }
}

function parsePlace(hash: string): Place {
  const [view = '', item = '', tab = ''] = hash.slice(1).split('&').map(decode);
  return {
    view: view === 'timeline' || view === 'logs' ? view : 'resources',
    item: item === '' ? undefined : item,
    isTrying: tab === 'try',
  };
}

/** An address may be damaged. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function formatPlace({ view, item = '', isTrying }: Place): string {
  return `#${[view, encodeURIComponent(item), ...(isTrying ? ['try'] : [])].join('&')}`;
}
