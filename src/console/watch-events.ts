import type { RunProblem, SourcePlace } from '../errors.ts';

/** What a watched resource is doing. */
export type ResourceState = 'waiting' | 'building' | 'updating' | 'in-sync' | 'failed';

/** What the stack is doing. */
export type StackState = 'queued' | 'preparing' | 'updating' | 'in-sync' | 'failed';

/** A failure as it is shown. */
export interface ShownFailure extends SourcePlace {
  message: string;
  hint?: string | undefined;
  /** What a tool printed. */
  output?: string | undefined;
}

/** What `--watch` tells beside what every sync does. */
export type WatchEvent =
  /** These resources are watched from now on, and no others. */
  | { type: 'watch-resources'; stackName: string; ids: readonly string[] }
  /** The initial sync is over, each save is brought from now on. */
  | { type: 'watch-ready'; resources: number; folders: number; ms: number }
  /** Files were saved, and what that concerns. Paths are relative to the project where they are in it. */
  | { type: 'watch-change'; files: readonly string[]; ids: readonly string[]; templates: boolean; options: boolean }
  /**
   * A resource is now in that state. `ms`: from the change that was noticed to the end of its sync; `changed`: whether
   * anything was sent.
   */
  | {
      type: 'resource-state';
      id: string;
      state: ResourceState;
      ms?: number | undefined;
      changed?: boolean | undefined;
      /** A few words: what was updated. */
      detail?: string | undefined;
      /** It is in sync and cannot run. */
      problems?: readonly RunProblem[] | undefined;
      failure?: ShownFailure | undefined;
    }
  | {
      type: 'stack-state';
      state: StackState;
      ms?: number | undefined;
      changed?: boolean | undefined;
      failure?: ShownFailure | undefined;
    }
  /** A line that a function logged. */
  | { type: 'log-line'; id: string; time: Date; text: string }
  /** Log lines are shown from now on, or no more. */
  | { type: 'watch-logs'; on: boolean }
  /** The user asked which keys there are. */
  | { type: 'watch-help' }
  /** The watch ends. `goingOn`: what goes on in the cloud without us. */
  | { type: 'watch-stopped'; goingOn: string | undefined };
