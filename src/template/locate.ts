import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import type { Event } from 'js-yaml';
import type { TemplatePath } from './template-path.ts';
import { MAX_DEPTH, positionOf, textPosition } from './yaml.ts';

/** A place in a text. Both count from 1. */
export interface TextPosition {
  line: number;
  column: number;
}

/**
 * Where the value at the path begins in the template's text (a key for a value that stands in a mapping); if the path
 * is not written there, where the nearest mapping or list around it is. Reads the text again, so for messages only.
 */
export function locate(text: string, path: TemplatePath): TextPosition | undefined {
  const source = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  try {
    const walk: Walk = { source, events: parseEvents(source, { maxDepth: MAX_DEPTH }), index: 1 };
    return textPosition(source, find(walk, path, positionOf(walk.events[1])));
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
}

interface Walk {
  source: string;
  events: readonly Event[];
  index: number;
}

/** Offset for the path below the node that begins at the walk's place; `here` is that node's own. */
function find(walk: Walk, path: TemplatePath, here: number): number {
  const event = walk.events[walk.index];
  const [wanted, ...rest] = path;
  if (wanted === undefined) return here;
  if (event?.type === EVENT_ID.MAPPING) {
    // a short tag is a level of its own: !If [...] is {Fn::If: [...]}
    if (event.tagStart !== -1 && /^(?:Fn::|Ref$|Condition$)/.test(wanted)) return findInMapping(walk, rest, here);
    return findInMapping(walk, path, here);
  }
  if (event?.type === EVENT_ID.SEQUENCE) {
    const below = event.tagStart !== -1 && wanted.startsWith('Fn::') ? rest : path;
    return findInSequence(walk, below, here);
  }
  return here;
}

function findInMapping(walk: Walk, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return here;
  let found = here;
  walk.index++;
  while (!atEnd(walk)) {
    const keyEvent = walk.events[walk.index];
    const isWanted = keyEvent?.type === EVENT_ID.SCALAR && getScalarValue(walk.source, keyEvent) === wanted;
    const keyPosition = positionOf(keyEvent);
    skip(walk);
    const start = walk.index;
    // no early end: of keys written twice the last one counts
    if (isWanted) found = find({ ...walk, index: start }, rest, keyPosition);
    skip(walk);
  }
  return found;
}

function findInSequence(walk: Walk, path: TemplatePath, here: number): number {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return here;
  walk.index++;
  for (let position = 0; !atEnd(walk); position++) {
    if (String(position) === wanted) return find(walk, rest, positionOf(walk.events[walk.index]));
    skip(walk);
  }
  return here;
}

/** Steps over one node with all that is in it. */
function skip(walk: Walk): void {
  let depth = 0;
  do {
    const event = walk.events[walk.index++];
    if (event === undefined) return;
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) depth++;
    else if (event.type === EVENT_ID.POP) depth--;
  } while (depth > 0);
}

function atEnd(walk: Walk): boolean {
  const event = walk.events[walk.index];
  return event === undefined || event.type === EVENT_ID.POP;
}
