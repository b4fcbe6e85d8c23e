import type { VNode } from 'preact';
import type { ResourceView } from '../model/session-state.ts';
import { titleOf } from '../model/records.ts';
import { placeBeside } from '../model/headline.ts';
import { api } from './api.ts';
import { Breakdown } from './timeline/breakdown.tsx';
import { CallForm } from './forms/call-form.tsx';
import { formatTime, shortType } from './format.ts';
import { InvokeForm } from './forms/invoke-form.tsx';
import { Overview } from './overview.tsx';
import { RunForm } from './forms/run-form.tsx';
import { go, store } from './store.ts';

/** What is selected: what it did, why it failed, and a form to try it. */
export function DetailView(): VNode {
  const { place, session } = store;
  const { item } = place;
  if (item?.startsWith('e/')) {
    const endpoint = session.endpoints.find(({ method, url }) => item === `e/${method} ${url}`);
    if (endpoint !== undefined)
      return (
        <Panel title={endpoint.resource} subtitle="Endpoint">
          <CallForm key={item} endpoint={endpoint} />
        </Panel>
      );
  }
  if (item?.startsWith('r/')) return <ResourceDetail id={item.slice(2)} />;
  return <Overview />;
}

function Panel({
  title,
  subtitle,
  children,
}: {
  title: string;
  subtitle: string;
  children: preact.ComponentChildren;
}): VNode {
  return (
    <section class="detail" aria-label={title}>
      <div class="title">
        <button type="button" class="back" aria-label="Back" onClick={() => go({ item: undefined, isTrying: false })}>
          ‹
        </button>
        <h2>{title}</h2>
        <span class="type">{subtitle}</span>
      </div>
      {children}
    </section>
  );
}

function ResourceDetail({ id }: { id: string }): VNode {
  const { session, place } = store;
  const row = session.resources.get(id);
  const facts = session.facts?.resources.find((one) => one.id === id);
  const endpoints = session.endpoints.filter(({ resource }) => resource === id);
  const verb =
    facts?.role === 'function'
      ? 'Invoke'
      : facts?.role === 'state-machine'
        ? 'Run'
        : endpoints.length > 0
          ? 'Call'
          : undefined;
  const isTrying = place.isTrying && verb !== undefined;
  return (
    <Panel title={id} subtitle={facts === undefined ? '' : shortType(facts.type)}>
      {facts?.physicalId !== undefined && <p class="physical">{facts.physicalId}</p>}
      {row !== undefined && <Reasons row={row} ahead={facts?.ahead ?? []} />}
      {verb !== undefined && (
        <div class="tabs" role="tablist">
          <button type="button" role="tab" aria-selected={!isTrying} onClick={() => go({ isTrying: false })}>
            What it did
          </button>
          <button type="button" role="tab" aria-selected={isTrying} onClick={() => go({ isTrying: true })}>
            {verb}
          </button>
        </div>
      )}
      {!isTrying && <History id={id} physicalId={facts?.physicalId} />}
      {isTrying && verb === 'Invoke' && <InvokeForm key={id} id={id} />}
      {isTrying && verb === 'Run' && <RunForm key={id} id={id} />}
      {isTrying &&
        verb === 'Call' &&
        endpoints.map((endpoint) => <CallForm key={endpoint.method + endpoint.url} endpoint={endpoint} />)}
    </Panel>
  );
}

/** Why it is not live, cannot run, or differs from the stack. */
function Reasons({ row, ahead }: { row: ResourceView; ahead: readonly string[] }): VNode {
  const { failure, problems, state } = row;
  const undeployed = [...new Set([...row.undeployed, ...ahead])];
  return (
    <>
      {failure !== undefined && (
        <div class={`box ${state === 'failed' ? 'box-failed' : ''}`} role={state === 'failed' ? 'alert' : undefined}>
          <strong>{state === 'failed' ? 'Not live' : 'The last try failed'}</strong>
          {placeBeside(failure) !== undefined && <code class="place">{placeBeside(failure)}</code>}
          <pre>{failure.message}</pre>
          {failure.hint !== undefined && <p>{failure.hint}</p>}
          {failure.output !== undefined && (
            <details open={state === 'failed'}>
              <summary>Output of the tool</summary>
              <pre>{failure.output}</pre>
            </details>
          )}
        </div>
      )}
      {problems.map((problem) => (
        <div key={problem.message} class="box box-warning">
          <strong>Live, but Lambda cannot run it</strong>
          {placeBeside(problem) !== undefined && <code class="place">{placeBeside(problem)}</code>}
          <pre>{problem.message}</pre>
        </div>
      ))}
      {undeployed.length > 0 && (
        <div class="box box-ahead">
          <strong>Ahead of the stack: {undeployed.join(', ')}</strong>
          <p>
            Live through the service APIs. CloudFormation's last deployment has older values.{' '}
            <button type="button" class="link" onClick={() => void api.deploy().catch(() => {})}>
              Deploy
            </button>
          </p>
        </div>
      )}
    </>
  );
}

/** The syncs of a resource, the last one in parts. */
function History({ id, physicalId }: { id: string; physicalId: string | undefined }): VNode {
  const { records } = store.session;
  const own = records.filter(({ ids }) => ids.includes(id)).toReversed();
  const [last, ...earlier] = own;
  if (last === undefined) return <p class="empty">No sync in this session yet. Save one of its files.</p>;
  return (
    <>
      <Breakdown record={last} id={id} physicalId={physicalId} />
      {earlier.length > 0 && (
        <>
          <h3>Earlier</h3>
          {earlier.slice(0, 10).map((record) => (
            <details key={record.id} class="earlier">
              <summary>
                {formatTime(record.start)} {titleOf(record)}
              </summary>
              <Breakdown record={record} id={id} physicalId={physicalId} />
            </details>
          ))}
        </>
      )}
    </>
  );
}
