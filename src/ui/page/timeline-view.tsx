import { Component, createRef } from 'preact';
import type { VNode } from 'preact';
import { lanesOf } from '../model/lanes.ts';
import type { Lane } from '../model/lanes.ts';
import type { SyncRecord } from '../model/records.ts';
import type { Span } from '../model/spans.ts';
import { traceOf } from '../model/trace.ts';
import { formatMs } from './format.ts';
import { store } from './store.ts';
import { SyncButton } from './sync-button.tsx';

const KINDS = [
  ['queue', 'waits in line'],
  ['hash', 'hash'],
  ['build', 'build'],
  ['zip', 'zip'],
  ['upload', 'upload'],
  ['call', 'call'],
  ['wait', 'waits for AWS'],
  ['check', 'check'],
  ['update', 'update'],
  ['deploy', 'CloudFormation'],
] as const;

/** Steps of the ruler (ms). */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000];
const LARGEST_ZOOM = 512;
/** Narrower spans (px) have no label; pointing at one shows it. */
const LABEL_FROM = 36;

/** What each sync of the session spent its time on. */
export function TimelineView(): VNode {
  const { session, place } = store;
  const { records } = session;
  const chosen = records.find(({ id }) => place.item === `s/${id}`) ?? records.at(-1);
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="syncs">
        <ul>
          {records.toReversed().map((record) => (
            <li key={record.id}>
              <SyncButton record={record} isSelected={record === chosen} />
            </li>
          ))}
        </ul>
      </div>
      {chosen === undefined ? (
        <p class="empty">No sync in this session yet.</p>
      ) : (
        <Waterfall key={chosen.id} record={chosen} />
      )}
    </section>
  );
}

interface WaterfallState {
  zoom: number;
  shown: Span | undefined;
}

/** The spans of a sync, in lanes. Zooming makes the content wider, and the browser scrolls it. */
class Waterfall extends Component<{ record: SyncRecord }, WaterfallState> {
  override state: WaterfallState = { zoom: 1, shown: undefined };
  readonly #scroller = createRef<HTMLDivElement>();

  override render({ record }: { record: SyncRecord }, { zoom, shown }: WaterfallState): VNode {
    const { facts } = store.session;
    const lanes = lanesOf(record, facts);
    const start = Math.min(record.start, ...record.spans.map((span) => span.start));
    const end = Math.max(record.end ?? Date.now(), ...record.spans.map((span) => span.end));
    const whole = Math.max(1, end - start);
    return (
      <div class="waterfall">
        <div class="tools">
          <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => this.#zoom(0.5)}>
            −
          </button>
          <button
            type="button"
            aria-label="Zoom in"
            title="Zoom in (+, or Ctrl and the wheel)"
            onClick={() => this.#zoom(2)}
          >
            +
          </button>
          <button type="button" onClick={() => this.setState({ zoom: 1 })}>
            Fit
          </button>
          <span class="whole">{formatMs(whole)}</span>
          <button
            type="button"
            class="export"
            title="A trace file for ui.perfetto.dev"
            onClick={() => exportTrace(record)}
          >
            Export trace
          </button>
        </div>
        <div
          class="scroller"
          ref={this.#scroller}
          tabIndex={0}
          onKeyDown={(event) => {
            if (event.key === '+' || event.key === '=') this.#zoom(2);
            if (event.key === '-') this.#zoom(0.5);
          }}
          onWheel={(event) => {
            if (!event.ctrlKey) return;
            event.preventDefault();
            this.#zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX);
          }}
        >
          <div class="content" style={{ width: `${zoom * 100}%` }}>
            <Ruler whole={whole} zoom={zoom} />
            {lanes.map((lane, index) => (
              <LaneView
                key={`${lane.name} ${index}`}
                lane={lane}
                isFirst={lanes[index - 1]?.name !== lane.name}
                start={start}
                whole={whole}
                width={(this.#scroller.current?.clientWidth ?? 900) * zoom}
                onShow={(span) => this.setState({ shown: span })}
              />
            ))}
          </div>
        </div>
        <p class="shown">
          {shown === undefined ? (
            <Legend />
          ) : (
            <>
              <i class={`swatch kind-${shown.kind}`} /> <strong>{shown.label}</strong>{' '}
              {formatMs(shown.end - shown.start)}, from {formatMs(shown.start - start)}
              {shown.target !== undefined && ` · ${shown.target}`}
              {shown.detail !== undefined && ` · ${shown.detail}`}
            </>
          )}
        </p>
      </div>
    );
  }

  /** Zooms, and keeps what is under the pointer (else the middle) where it is. */
  #zoom(factor: number, clientX?: number): void {
    const scroller = this.#scroller.current;
    if (!scroller) return;
    const zoom = Math.min(LARGEST_ZOOM, Math.max(1, this.state.zoom * factor));
    const { left, width } = scroller.getBoundingClientRect();
    const x = clientX === undefined ? width / 2 : clientX - left;
    const at = (scroller.scrollLeft + x) / (width * this.state.zoom);
    this.setState({ zoom }, () => {
      scroller.scrollLeft = at * width * zoom - x;
    });
  }
}

function Ruler({ whole, zoom }: { whole: number; zoom: number }): VNode {
  const step = STEPS.find((ms) => (ms / whole) * zoom >= 0.1) ?? 3_600_000;
  const ticks = Array.from({ length: Math.min(2_000, Math.floor(whole / step) + 1) }, (_, index) => index * step);
  return (
    <div class="ruler">
      {ticks.map((ms) => (
        <span key={ms} style={{ left: `${(ms / whole) * 100}%` }}>
          {ms === 0 ? '0' : formatMs(ms)}
        </span>
      ))}
    </div>
  );
}

interface LaneProps {
  lane: Lane;
  isFirst: boolean;
  start: number;
  whole: number;
  /** Of the whole (px). */
  width: number;
  onShow(span: Span | undefined): void;
}

function LaneView({ lane, isFirst, start, whole, width, onShow }: LaneProps): VNode {
  return (
    <>
      {isFirst && <div class="lane-name">{lane.name}</div>}
      <div class="lane">
        {lane.spans.map((span, index) => (
          <button
            key={index}
            type="button"
            class={`span kind-${span.kind} ${span.failed ? 'failed' : ''}`}
            aria-label={`${span.label}, ${formatMs(span.end - span.start)}`}
            style={{
              left: `${((span.start - start) / whole) * 100}%`,
              width: `${((span.end - span.start) / whole) * 100}%`,
            }}
            onPointerEnter={() => onShow(span)}
            onFocus={() => onShow(span)}
            onPointerLeave={() => onShow(undefined)}
          >
            {((span.end - span.start) / whole) * width > LABEL_FROM && span.label}
          </button>
        ))}
      </div>
    </>
  );
}

function Legend(): VNode {
  return (
    <span class="legend">
      {KINDS.map(([kind, label]) => (
        <span key={kind}>
          <i class={`swatch kind-${kind}`} /> {label}
        </span>
      ))}
    </span>
  );
}

function exportTrace(record: SyncRecord): void {
  const { session } = store;
  const text = JSON.stringify(traceOf([record], session));
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${session.stackName}-sync-${record.id}.trace.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
