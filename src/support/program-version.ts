/** Set by `scripts/build.mjs`. */
declare const SOURCE_HASH: string | undefined;

/** A hash of the program's source: what one version remembers is of no use to another one. undefined: it runs from the source. */
export const PROGRAM_VERSION: string | undefined = typeof SOURCE_HASH === 'undefined' ? undefined : SOURCE_HASH;
