import { Component, createRef } from 'preact';
import type { VNode } from 'preact';
import type { SessionFacts } from '../../commands.ts';
import { lanesOf } from '../../model/lanes.ts';
import type { Lane } from '../../model/lanes.ts';
import type { SyncRecord } from '../../model/records.ts';
import type { Span } from '../../model/spans.ts';
import { traceOf } from '../../model/trace.ts';
import { colorOf, formatMs } from '../format.ts';
import { LaneView, Ruler, heightOf } from './lane-view.tsx';
import type { Scale } from './lane-view.tsx';
import { store } from '../store.ts';

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

const LARGEST_ZOOM = 512;
/** What is drawn changes after scrolling this far (px). */
const SCROLL_STEP = 300;
/** Before the browser has laid out the timeline (px). */
const FIRST_SIZE = { width: 900, height: 600 };

interface WaterfallState {
  zoom: number;
  shown: Span | undefined;
  /** Where the user has scrolled to (px), in steps. */
  left: number;
  top: number;
}

/**
 * The spans of a sync, in lanes. Zooming makes the content wider, and the browser scrolls it; only spans near the screen are
 * elements, since a sync may have thousands.
 */
export class Waterfall extends Component<{ record: SyncRecord }, WaterfallState> {
  override state: WaterfallState = { zoom: 1, shown: undefined, left: 0, top: 0 };
  readonly #scroller = createRef<HTMLDivElement>();
  #packed: { facts: SessionFacts | undefined; count: number; lanes: Lane[] } | undefined;

  /** Only now the size of the screen is known. */
  override componentDidMount(): void {
    this.setState({});
  }

  override render({ record }: { record: SyncRecord }, { zoom, shown }: WaterfallState): VNode {
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
            title="A trace file for ui.perfetto.dev or speedscope"
            onClick={() => exportTrace(record)}
          >
            Export trace
          </button>
        </div>
        <div
          class="scroller"
          ref={this.#scroller}
          tabIndex={0}
          onScroll={({ currentTarget }) => this.#onScroll(currentTarget)}
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
            {this.#draw(record, start, whole)}
          </div>
        </div>
        <p class="shown">
          {shown === undefined ? (
            <Legend />
          ) : (
            <>
              <i class="swatch" style={{ background: colorOf(shown.kind) }} /> <strong>{shown.label}</strong>{' '}
              {formatMs(shown.end - shown.start)}, from {formatMs(shown.start - start)}
              {shown.target !== undefined && ` · ${shown.target}`}
              {shown.detail !== undefined && ` · ${shown.detail}`}
            </>
          )}
        </p>
      </div>
    );
  }

  /** The ruler and the lanes near the screen; space for the others. */
  #draw(record: SyncRecord, start: number, whole: number): VNode[] {
    const { zoom, left, top } = this.state;
    const { clientWidth, clientHeight } = this.#scroller.current ?? {};
    const size = { width: clientWidth || FIRST_SIZE.width, height: clientHeight || FIRST_SIZE.height };
    const width = size.width * zoom;
    const timeAt = (px: number): number => start + (px / width) * whole;
    const [from, to] = [timeAt(left - SCROLL_STEP), timeAt(left + size.width + 2 * SCROLL_STEP)];
    const scale: Scale = { start, whole, width, from, to };
    const drawn: VNode[] = [];
    const space = { above: 0, below: 0 };
    let y = 0;
    const lanes = this.#lanesOf(record);
    for (const [index, lane] of lanes.entries()) {
      const isFirst = lanes[index - 1]?.name !== lane.name;
      const height = heightOf(isFirst);
      y += height;
      if (y < top - SCROLL_STEP) space.above += height;
      else if (y > top + size.height + 2 * SCROLL_STEP) space.below += height;
      else {
        const key = `${lane.name} ${index}`;
        drawn.push(<LaneView key={key} lane={lane} isFirst={isFirst} scale={scale} onShow={this.#show} />);
      }
    }
    return [
      <Ruler key="ruler" scale={scale} />,
      <div key="above" style={{ height: `${space.above}px` }} />,
      ...drawn,
      <div key="below" style={{ height: `${space.below}px` }} />,
    ];
  }

  /** The lanes, from last time if the sync has no new spans. */
  #lanesOf(record: SyncRecord): Lane[] {
    const { facts } = store.session;
    const count = record.spans.length;
    if (this.#packed?.count !== count || this.#packed.facts !== facts)
      this.#packed = { facts, count, lanes: lanesOf(record, facts) };
    return this.#packed.lanes;
  }

  readonly #show = (shown: Span | undefined): void => this.setState({ shown });

  #onScroll({ scrollLeft, scrollTop }: HTMLElement): void {
    const left = scrollLeft - (scrollLeft % SCROLL_STEP);
    const top = scrollTop - (scrollTop % SCROLL_STEP);
    if (left !== this.state.left || top !== this.state.top) this.setState({ left, top });
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

function Legend(): VNode {
  return (
    <span class="legend">
      {KINDS.map(([kind, label]) => (
        <span key={kind}>
          <i class="swatch" style={{ background: colorOf(kind) }} /> {label}
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
