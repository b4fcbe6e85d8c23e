/** The parts of npm-packlist that are used; it comes without types. */
declare module 'npm-packlist' {
  export interface PackTree {
    path: string;
    package: object;
    isProjectRoot: boolean;
    edgesOut: Map<string, unknown>;
  }

  class Walker {
    constructor(tree: PackTree, options: { isPackage: boolean });
    onReaddir(entries: string[]): void;
    on(event: 'done', listener: (files: string[]) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    start(): this;
  }

  const packlist: { Walker: typeof Walker };
  export default packlist;
}
