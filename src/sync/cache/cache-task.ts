/** A share of the builds of a cache fill: the `index`-th (from 1) of `count`. */
export interface Shard {
  index: number;
  count: number;
}

/** What `sam-sync cache …` does. */
export type CacheTask =
  | { name: 'status' }
  | {
      name: 'prune';
      /** `refused`: what readers of the first shared cache refuse; else what is older (ms). */ what:
        | 'refused'
        | number;
    }
  | { name: 'fill'; shard: Shard | undefined };
