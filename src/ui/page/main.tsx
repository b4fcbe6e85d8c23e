import { render } from 'preact';
import { headlineOf } from '../model/headline.ts';
import { App } from './app.tsx';
import { handleKey } from './keys.ts';
import { followLogsWhileShown } from './log-view.tsx';
import { connect, followAddress, onDraw, redraw, redrawAfterHiding, store } from './store.ts';

/** Times such as `5 s ago` are drawn again (ms). */
const AGO_EVERY = 5_000;
const MARKS = { live: '✓', busy: '…', failed: '✗', ended: '■' } as const;

// the token in the address was used up
history.replaceState(null, '', `/${location.hash}`);
connect();
followAddress();
onDraw(() => {
  const { session, connection } = store;
  const isLost = connection === 'lost' && session.ended === undefined;
  const title = `${MARKS[isLost ? 'failed' : headlineOf(session).tone]} ${session.stackName || 'sam-sync'}`;
  if (document.title !== title) document.title = title;
  followLogsWhileShown();
  if (!document.hidden) render(<App />, document.body);
});
document.addEventListener('keydown', handleKey);
document.addEventListener('visibilitychange', redrawAfterHiding);
window.addEventListener('resize', redraw);
setInterval(() => {
  if (!document.hidden) redraw();
}, AGO_EVERY);
