/** Where compiled code is kept; the user's cache folder unless given. */
export interface BundleOptions {
  cacheDir?: string;
}

/** The exports of `main.cjs` in the folder, and `save` for the end of the run. */
export function openBundle(folder: string, options?: BundleOptions): { main: Record<string, unknown>; save(): void };
