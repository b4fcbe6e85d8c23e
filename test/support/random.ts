/** A source of numbers: a whole number below the given one. */
export type Random = (below: number) => number;

/** The same numbers in every run with this seed. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
