import * as fs from 'node:fs';
import * as path from 'node:path';
import { isBelow } from './paths.ts';

/** Deeper chains are circles; systems give up at 40. */
const MOST_LINKS = 64;

/** The places that decide what is found at a path: each link that it leads through, and where it ends. Real paths. */
interface LinkPlaces {
  links: readonly string[];
  /** It need not exist. */
  end: string;
}

/** Follows a path link by link, as the system does. */
function placesOf(target: string): LinkPlaces {
  const links: string[] = [];
  const { root } = path.parse(target);
  let at = root;
  // `..` is kept: it leads up from where a link ends
  let rest = partsOf(target.slice(root.length));
  while (rest.length > 0) {
    const [name = '', ...others] = rest;
    const next = path.resolve(at, name);
    const leadsTo = links.length < MOST_LINKS ? readLink(next) : undefined;
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

/** Links that are followed, by the places that decide what is found behind them. */
export class FollowedLinks {
  readonly #byPlace = new Map<string, Set<string>>();
  /** Those on the way to the project itself, which nobody changes. */
  readonly #given: ReadonlySet<string>;

  constructor(ground: string) {
    this.#given = new Set(placesOf(ground).links);
  }

  /** Follows a link, or a path that may lead through some. Gives its places beside itself; none if it leads back to where it is. */
  follow(link: string): string[] {
    const { links, end } = placesOf(link);
    const others = links.filter((place) => place !== link && !this.#given.has(place));
    const isLink = links.some((place) => !this.#given.has(place));
    if (!isLink || links.some((place) => isBelow(place, end))) return [];
    const places = [...others, end];
    for (const place of places) this.#byPlace.set(place, (this.#byPlace.get(place) ?? new Set()).add(link));
    return places;
  }

  /** The links that are concerned when something at a path changes; `folder`: also by what is below. */
  concernedBy(target: string, folder: boolean): string[] {
    if (!folder) return [...(this.#byPlace.get(target) ?? [])];
    const found = new Set<string>();
    for (const [place, links] of this.#byPlace) {
      if (place === target || isBelow(place, target)) for (const link of links) found.add(link);
    }
    return [...found];
  }

  /** The same path as seen through each link to a folder that it is in. */
  *aliases(target: string): Iterable<string> {
    for (const [place, links] of this.#byPlace) {
      if (isBelow(target, place)) for (const link of links) yield link + target.slice(place.length);
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
    return fs.readlinkSync(target);
  } catch {
    return undefined; // no link, or nothing at all
  }
}
