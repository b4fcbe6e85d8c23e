import { Component, createRef } from 'preact';
import type { VNode } from 'preact';
import { headlineOf } from '../model/headline.ts';
import { CommandButtons } from './command-buttons.tsx';
import { DetailView } from './detail-view.tsx';
import { formatAgo, formatMs } from './format.ts';
import { Guard } from './guard.tsx';
import { PAGE_KEYS } from './keys.ts';
import { LogView } from './log-view.tsx';
import { ResourceList } from './resource-list.tsx';
import { go, store, update } from './store.ts';
import type { Place } from './store.ts';
import { TimelineView } from './timeline/timeline-view.tsx';

const TABS: readonly { view: Place['view']; label: string }[] = [
  { view: 'resources', label: 'Resources' },
  { view: 'timeline', label: 'Timeline' },
  { view: 'logs', label: 'Logs' },
];

/** How long (ms) a new message is shown beside the headline. */
const NOTE_FOR = 8_000;

/** The whole page. */
export function App(): VNode {
  const { place, isHelpShown } = store;
  return (
    <div class={`app view-${place.view} ${place.item === undefined ? '' : 'has-item'}`}>
      <Header />
      <main>
        {place.view === 'resources' && (
          <>
            <Guard place={place}>
              <ResourceList />
            </Guard>
            <Guard place={place}>
              <DetailView />
            </Guard>
          </>
        )}
        {place.view !== 'resources' && (
          <Guard key={place.view} place={place}>
            {place.view === 'timeline' ? <TimelineView /> : <LogView />}
          </Guard>
        )}
      </main>
      {isHelpShown && <Help />}
    </div>
  );
}

function Header(): VNode {
  const { session, place, connection } = store;
  const { facts, stackName } = session;
  return (
    <header>
      <div class="bar">
        <h1 title="The stack of this session">{stackName || 'sam-sync'}</h1>
        <span class="where">{facts === undefined ? '' : facts.local ? 'local cloud' : facts.region}</span>
        <nav>
          {TABS.map(({ view, label }) => (
            <button
              key={view}
              type="button"
              aria-current={place.view === view ? 'page' : undefined}
              onClick={() => go({ view, item: undefined, isTrying: false })}
            >
              {label}
            </button>
          ))}
        </nav>
        <CommandButtons />
      </div>
      {connection === 'lost' && !session.ended ? (
        <p class="headline tone-failed" role="alert">
          <strong>The command does not respond</strong>
          <span>
            This is its last state. The page reconnects when the command responds again. If it was killed, start it
            again and open its new link.
          </span>
        </p>
      ) : (
        <HeadlineView />
      )}
    </header>
  );
}

/** Is what I saved live, and if not, why? */
function HeadlineView(): VNode {
  const { session } = store;
  const { tone, title, detail, id } = headlineOf(session);
  const last = session.records.at(-1);
  const facts =
    tone === 'live' && last?.end !== undefined
      ? ` · live after ${formatMs(last.end - last.start)} · ${formatAgo(Date.now() - last.end)}`
      : '';
  return (
    <p class={`headline tone-${tone}`} role="status">
      <i class="dot" />
      {id === undefined ? (
        <strong>{title}</strong>
      ) : (
        <button type="button" class="plain" onClick={() => go({ view: 'resources', item: `r/${id}`, isTrying: false })}>
          <strong>{title}</strong>
        </button>
      )}
      <span>{detail + (detail === '' ? facts.replace(/^ · /, '') : facts)}</span>
      <LatestNote />
    </p>
  );
}

/** The newest message, for some seconds: the answer to a command. */
function LatestNote(): VNode | null {
  const latest = store.session.notes.at(-1);
  if (latest === undefined || Date.now() - latest.at > NOTE_FOR) return null;
  return <em class={`latest note-${latest.level}`}>{latest.text}</em>;
}

/** The keys, above the page; a click beside them closes them. */
class Help extends Component {
  readonly #dialog = createRef<HTMLDialogElement>();

  override componentDidMount(): void {
    this.#dialog.current?.showModal();
  }

  override render(): VNode {
    return (
      <dialog
        ref={this.#dialog}
        aria-label="Keys"
        onClose={closeHelp}
        onClick={({ target, currentTarget }) => {
          if (target === currentTarget) closeHelp();
        }}
      >
        <h2>Keys</h2>
        <dl>
          {PAGE_KEYS.map(({ key, help }) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{help}</dd>
            </div>
          ))}
        </dl>
      </dialog>
    );
  }
}

function closeHelp(): void {
  update({ isHelpShown: false });
}
