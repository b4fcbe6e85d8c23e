/** A path at which something changed. */
export interface PathChange {
  path: string;
  /** It is, or was, a folder: everything below it appeared or disappeared with it. */
  folder: boolean;
}
