import { Component } from 'preact';
import type { VNode } from 'preact';
import type { Lane } from '../../model/lanes.ts';
import type { Span } from '../../model/spans.ts';
import { colorOf, formatMs } from '../format.ts';

/** Steps of the ruler (ms). */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000];
/** Narrower spans (px) have no label; pointing at one shows it. */
const LABEL_FROM = 36;
/** Least space between two times of the ruler (px). */
const TICK_WIDTH = 70;
/** Heights (px), as in page.css. */
const LANE_HEIGHT = 22;
const NAME_HEIGHT = 28;

/** Where a time is on the screen. */
export interface Scale {
  /** The time at the left end, and how much time there is (ms). */
  start: number;
  whole: number;
  /** Of all of it (px). */
  width: number;
  /** The times that are near the screen. */
  from: number;
  to: number;
}

/** Height (px) of a lane; the first one of its name has the name above it. */
export function heightOf(isFirst: boolean): number {
  return isFirst ? NAME_HEIGHT + LANE_HEIGHT : LANE_HEIGHT;
}

/** The times above the lanes. */
export function Ruler({ scale }: { scale: Scale }): VNode {
  const { start, whole, width, from, to } = scale;
  const step = STEPS.find((ms) => (ms / whole) * width >= TICK_WIDTH) ?? 3_600_000;
  const first = Math.max(0, Math.ceil((from - start) / step));
  const last = Math.floor(Math.min(whole, to - start) / step);
  const ticks = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
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
  scale: Scale;
  onShow(span: Span | undefined): void;
}

/** A lane of the timeline. Drawn again only if something of it changed or moved. */
export class LaneView extends Component<LaneProps> {
  override shouldComponentUpdate({ lane, isFirst, scale }: LaneProps): boolean {
    const { props } = this;
    return lane !== props.lane || isFirst !== props.isFirst || !isSameScale(scale, props.scale);
  }

  override render({ lane, isFirst, scale, onShow }: LaneProps): VNode {
    return (
      <>
        {isFirst && <div class="lane-name">{lane.name}</div>}
        <div class="lane">
          {listVisible(lane.spans, scale).map(([index, span]) => (
            <SpanButton key={index} span={span} scale={scale} onShow={onShow} />
          ))}
        </div>
      </>
    );
  }
}

function SpanButton({ span, scale, onShow }: { span: Span; scale: Scale } & Pick<LaneProps, 'onShow'>): VNode {
  const { start, whole, width } = scale;
  const share = (span.end - span.start) / whole;
  return (
    <button
      type="button"
      class={span.failed ? 'span failed' : 'span'}
      aria-label={`${span.label}, ${formatMs(span.end - span.start)}`}
      style={{
        left: `${((span.start - start) / whole) * 100}%`,
        width: `${share * 100}%`,
        background: colorOf(span.kind),
      }}
      onPointerEnter={() => onShow(span)}
      onFocus={() => onShow(span)}
      onPointerLeave={() => onShow(undefined)}
    >
      {share * width > LABEL_FROM && span.label}
    </button>
  );
}

/** The spans near the screen and their indexes, without those that others of this lane cover at this zoom. */
function listVisible(spans: readonly Span[], { start, whole, width, from, to }: Scale): [number, Span][] {
  let covered = -1;
  return [...spans.entries()].filter(([, span]) => {
    if (span.end < from || span.start > to) return false;
    const pixel = Math.floor(((span.end - start) / whole) * width);
    if (pixel <= covered && !span.failed) return false;
    covered = pixel;
    return true;
  });
}

function isSameScale(one: Scale, other: Scale): boolean {
  const names = ['start', 'whole', 'width', 'from', 'to'] as const;
  return names.every((name) => one[name] === other[name]);
}
