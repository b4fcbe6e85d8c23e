/** The parts of npm-packlist, and of ignore-walk below it, that we use; they come without types. */
declare module 'npm-packlist' {
  import type { Stats } from 'node:fs';

  export interface PackTree {
    path: string;
    package: object;
    isProjectRoot: boolean;
    edgesOut: Map<string, unknown>;
    /** Ours: links that the walk met. npm-packlist passes the tree on as it is. */
    links?: { path: string; absolute: string; link?: string }[];
  }

  /** An entry of a folder. */
  export interface FolderEntry {
    entry: string;
    file: boolean;
    dir: boolean;
  }

  class Walker {
    constructor(tree: PackTree, options: object);
    /** Absolute, with `/`. */
    readonly path: string;
    readonly tree: PackTree;
    readonly isPackage: boolean | undefined;
    start(): this;
    onReaddir(entries: string[]): void;
    addIgnoreFile(file: string, then: () => void): void;
    onReadIgnoreFile(file: string, text: string, then: () => void): void;
    stat(entry: FolderEntry, then: () => void): void;
    onstat(entry: FolderEntry & { st: Stats; isSymbolicLink: boolean }, then: () => void): void;
    sort(a: string, b: string): number;
    walker(entry: string, options: object, then: () => void): void;
    walkerOpt(entry: string, options: object): object;
    on(event: 'done', listener: (files: string[]) => void): this;
  }

  const packlist: { Walker: typeof Walker };
  export default packlist;
}
