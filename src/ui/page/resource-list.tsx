import { Component } from 'preact';
import type { VNode } from 'preact';
import type { Endpoint } from '../../console/reporter.ts';
import type { ResourceFacts } from '../commands.ts';
import type { ResourceView } from '../model/session-state.ts';
import { activityOf } from '../model/update-session.ts';
import { reasonOf } from '../model/headline.ts';
import { FilterField, fitsFilter } from './filter.tsx';
import { formatAgo, formatMs, shortType } from './format.ts';
import { createPortions } from './portions.ts';
import { go, store } from './store.ts';

const RANK = { failed: 0, building: 1, updating: 1, waiting: 1, 'in-sync': 2 } as const;
/** More rows than these are sorted by the template's order only: rows that jump cost more than they show. */
const MOST_SORTED = 60;

/** The resources of the stack, and below them its endpoints. */
export class ResourceList extends Component {
  readonly #portions = createPortions();

  override render(): VNode {
    const { rows, others, endpoints } = listShown();
    const drawn = this.#portions.next(rows.length + others.length);
    return (
      <section class="list" aria-label="Resources">
        <div class="filter">
          <FilterField />
        </div>
        <ul>
          {drawRows(rows.slice(0, drawn))}
          {others.slice(0, Math.max(0, drawn - rows.length)).map((other) => (
            <OtherRow key={other.id} facts={other} />
          ))}
        </ul>
        {rows.length + others.length === 0 && (
          <p class="empty">{store.filter === '' ? 'No resources yet.' : 'Nothing fits the filter.'}</p>
        )}
        {endpoints.length > 0 && (
          <>
            <h2>Endpoints</h2>
            <ul>
              {endpoints.map((endpoint) => (
                <EndpointRow key={`${endpoint.method} ${endpoint.url}`} endpoint={endpoint} />
              ))}
            </ul>
          </>
        )}
      </section>
    );
  }
}

/** What fits the filter, in the order of the page. */
function listShown(): { rows: ResourceView[]; others: ResourceFacts[]; endpoints: Endpoint[] } {
  const { session } = store;
  const { resources, endpoints, facts } = session;
  const factsOf = new Map(facts?.resources.map((one) => [one.id, one]));
  const fits = fitsFilter();
  const rows = [...resources.values()].filter(({ id, state }) => fits(`${id} ${state} ${factsOf.get(id)?.type ?? ''}`));
  const isSorted = rows.length <= MOST_SORTED;
  const rank = ({ state, problems }: ResourceView): number =>
    state === 'failed' || problems.length > 0 ? 0 : isSorted ? RANK[state] : 1;
  const others = (facts?.resources ?? []).filter(
    ({ id, type, role }) => role !== 'other' && !resources.has(id) && fits(`${id} ${type}`),
  );
  const shown = endpoints.filter(({ method, url, resource }) => fits(`${method} ${url} ${resource}`));
  return { rows: rows.toSorted((one, other) => rank(one) - rank(other)), others, endpoints: shown };
}

function drawRows(rows: readonly ResourceView[]): VNode[] {
  const { session, place } = store;
  const factsOf = new Map(session.facts?.resources.map((one) => [one.id, one]));
  const now = Date.now();
  return rows.map((row) => (
    <Row
      key={row.id}
      row={row}
      facts={factsOf.get(row.id)}
      activity={activityOf(session, row)}
      ago={row.lastSync === undefined ? '' : formatAgo(now - row.lastSync.at)}
      isSelected={place.item === `r/${row.id}`}
    />
  ));
}

/** A resource that only deployments change. */
function OtherRow({ facts: { id, type } }: { facts: ResourceFacts }): VNode {
  const item = `r/${id}`;
  return (
    <li>
      <button type="button" class={itemClass(item)} data-item={item} onClick={() => select(item)}>
        <i class="icon state-deployed" />
        <span class="name">{id}</span>
        <span class="type">{shortType(type)}</span>
        <span class="fact aside">changed by deployments only</span>
      </button>
    </li>
  );
}

interface RowProps {
  row: ResourceView;
  facts: ResourceFacts | undefined;
  activity: string | undefined;
  ago: string;
  isSelected: boolean;
}

/** A row. Drawn again only if something of it changed: 500 of them may be on the page. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { row, facts, activity, ago, isSelected } = this.props;
    return (
      row !== next.row ||
      facts !== next.facts ||
      activity !== next.activity ||
      ago !== next.ago ||
      isSelected !== next.isSelected
    );
  }

  override render({ row, facts, activity, ago }: RowProps): VNode {
    const { id, state, failure, problems, lastSync } = row;
    const item = `r/${id}`;
    const isAhead = row.undeployed.length > 0 || (facts?.ahead.length ?? 0) > 0;
    const reason = state === 'failed' ? failure : problems[0];
    const look = state === 'in-sync' && problems.length > 0 ? 'warning' : state;
    return (
      <li>
        <button type="button" class={itemClass(item)} data-item={item} data-state={state} onClick={() => select(item)}>
          <i class={`icon state-${look}`} />
          <span class="name">{id}</span>
          <span class="type">{facts === undefined ? '' : shortType(facts.type)}</span>
          {isAhead && state === 'in-sync' && (
            <em class="badge" title="Live, and different from CloudFormation's last deployment">
              ahead of stack
            </em>
          )}
          <span class={state === 'in-sync' && lastSync === undefined ? 'fact aside' : 'fact'}>
            {state === 'in-sync'
              ? lastSync === undefined
                ? 'in sync'
                : `${lastSync.detail ?? 'synced'} · ${formatMs(lastSync.ms)} · ${ago}`
              : (activity ?? state)}
          </span>
          {reason !== undefined && <span class="reason">{reasonOf(reason)}</span>}
        </button>
      </li>
    );
  }
}

function EndpointRow({ endpoint }: { endpoint: Endpoint }): VNode {
  const { method, url, resource } = endpoint;
  const item = `e/${method} ${url}`;
  return (
    <li>
      <button type="button" class={`${itemClass(item)} endpoint`} data-item={item} onClick={() => select(item)}>
        <span class="method">{method}</span>
        <span class="name">{pathOf(url)}</span>
        <span class="type">{resource}</span>
      </button>
    </li>
  );
}

/** The path as the template has it, without host and stage prefix of the local cloud. */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/, '').replace(/^\/_aws\/[^/]+\/[^/]+/, '');
  return path === '' ? '/' : path;
}

function select(item: string): void {
  go({ item, isTrying: item.startsWith('e/') });
}

function itemClass(item: string): string {
  return store.place.item === item ? 'row selected' : 'row';
}
