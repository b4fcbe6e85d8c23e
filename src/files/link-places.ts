import * as fs from 'node:fs';
import * as path from 'node:path';
import { startsWithFolder } from './paths.ts';

/** Longer chains of links are circles; operating systems stop at 40. */
const MOST_LINKS = 64;

/** The real paths that decide what is found at a path: each link it leads through, and its end. */
interface LinkPlaces {
  links: readonly string[];
  /** It may not exist. */
  end: string;
}

/** Returns the target of a link; undefined: the path is none. */
export type ReadLink = (target: string) => string | undefined;

/** Follows a path link by link, as the operating system does. */
function placesOf(target: string, read: ReadLink = readLink): LinkPlaces {
  const links: string[] = [];
  const { root } = path.parse(target);
  let at = root;
  // `..` is kept: it leads up from where a link ends
  let rest = partsOf(target.slice(root.length));
  while (rest.length > 0) {
    const [name = '', ...others] = rest;
    const next = path.resolve(at, name);
    const leadsTo = links.length < MOST_LINKS ? read(next) : undefined;
    rest = others;
    if (leadsTo === undefined) at = next;
    else {
      links.push(next);
      const { root: top } = path.parse(leadsTo);
      if (top !== '') at = path.resolve(at, top);
      rest = [...partsOf(leadsTo.slice(top.length)), ...others];
    }
  }
  return { links, end: at };
}

/** Where a path leads. */
interface Followed {
  /** The real paths beside itself that decide about it; none without links, or if it leads into a folder that contains it. */
  places: string[];
  /** Its real path. */
  end: string;
}

/** Links, by the real paths that decide what is found behind them. */
export class FollowedLinks {
  readonly #byPlace = new Map<string, Set<string>>();
  /** Links on the way to the project itself; they do not count. */
  readonly #given: ReadonlySet<string>;
  readonly #ground: string;

  constructor(ground: string) {
    this.#ground = ground;
    this.#given = new Set(placesOf(ground).links);
  }

  /** Follows a path through its links. `read`: of `readOnce`, for many paths. */
  follow(link: string, read?: ReadLink): Followed {
    const { links, end } = placesOf(link, read);
    const others = links.filter((place) => place !== link && !this.#given.has(place));
    const isLink = links.some((place) => !this.#given.has(place));
    if (!isLink || links.some((place) => startsWithFolder(place, end))) return { places: [], end };
    const places = [...others, end];
    for (const place of places) this.#byPlace.set(place, (this.#byPlace.get(place) ?? new Set()).add(link));
    return { places, end };
  }

  /**
   * Reads each path of the project, and those above it, once. For a single pass through many paths: they have most folders in
   * common, and thousands of paths ask for each of these.
   */
  readOnce(): ReadLink {
    const known = new Map<string, string | undefined>();
    return (target) => {
      // places outside of the project are watched only after they were read here
      const isHere =
        target === this.#ground || startsWithFolder(target, this.#ground) || startsWithFolder(this.#ground, target);
      if (!isHere) return readLink(target);
      if (!known.has(target)) known.set(target, readLink(target));
      return known.get(target);
    };
  }

  /** Lists the links behind which a change of this path shows; `folder`: or a change below it. */
  affectedBy(target: string, folder: boolean): string[] {
    if (!folder) return [...(this.#byPlace.get(target) ?? [])];
    const affected = new Set<string>();
    for (const [place, links] of this.#byPlace) {
      if (place === target || startsWithFolder(place, target)) for (const link of links) affected.add(link);
    }
    return [...affected];
  }

  /** Lists the path as seen through each link to a folder that contains it. */
  *aliases(target: string): Iterable<string> {
    for (const [place, links] of this.#byPlace) {
      if (startsWithFolder(target, place)) for (const link of links) yield link + target.slice(place.length);
    }
  }

  get places(): Iterable<string> {
    return this.#byPlace.keys();
  }

  clear(): void {
    this.#byPlace.clear();
  }
}

function partsOf(relative: string): string[] {
  return relative.split(path.sep === '/' ? '/' : /[\\/]/).filter((part) => part !== '');
}

function readLink(target: string): string | undefined {
  try {
    // nearly none is a link, and to ask costs a tenth of the error for what is none
    const isLink = fs.lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    return isLink ? fs.readlinkSync(target) : undefined;
  } catch {
    return undefined; // gone, or not readable
  }
}
