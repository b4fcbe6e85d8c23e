/** A path at which something changed. */
export interface PathChange {
  path: string;
  /** The path is or was a folder: everything below it came or went with it. */
  folder: boolean;
}
