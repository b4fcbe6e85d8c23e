/** How to load the bundle. */
export interface BundleOptions {
  /** Where to store compiled code. Default: the user's cache folder. */
  cacheDir?: string;
  /** Flags of V8 to run with. */
  flags?: readonly string[];
  /** Begins the name of the file: commands of one use share it. */
  use?: string;
}

/** Returns the exports of `main.cjs` in the folder, and `save` for the end of the run. */
export function openBundle(folder: string, options?: BundleOptions): { main: Record<string, unknown>; save(): void };
