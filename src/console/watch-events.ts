import type { RunProblem, SourcePlace } from '../errors.ts';

/** State of a watched resource. */
export type ResourceState = 'waiting' | 'building' | 'updating' | 'in-sync' | 'failed';

/** State of the watched stack. */
export type StackState = 'queued' | 'preparing' | 'updating' | 'in-sync' | 'failed';

/** A failure as the console shows it. */
export interface ShownFailure extends SourcePlace {
  message: string;
  hint?: string | undefined;
  /** Output of the failed tool. */
  output?: string | undefined;
}

/** The events only `--watch` reports. */
export type WatchEvent =
  /** The watch now covers exactly these resources. */
  | { type: 'watch-resources'; stackName: string; ids: readonly string[] }
  /** The initial sync is over; the watch syncs each save from now on. */
  | { type: 'watch-ready'; resources: number; folders: number; ms: number }
  /** Files were saved that these resources, templates or options are read from. Paths inside the project are relative to it. */
  | { type: 'watch-change'; files: readonly string[]; ids: readonly string[]; templates: boolean; options: boolean }
  /**
   * A resource entered a state. `ms`: from the noticed change to the end of its sync; `changed`: whether the sync sent
   * anything.
   */
  | {
      type: 'resource-state';
      id: string;
      state: ResourceState;
      ms?: number | undefined;
      changed?: boolean | undefined;
      /** A few words: what was updated. */
      detail?: string | undefined;
      /** Why Lambda cannot run the function although it is in sync. */
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
  /** A function logged a line. */
  | { type: 'log-line'; id: string; time: Date; text: string }
  /** The display of log lines was switched on or off. */
  | { type: 'watch-logs'; on: boolean }
  /** A page of the session can be opened at this address, once. */
  | { type: 'ui-opened'; url: string }
  /** The user asked for the list of keys. */
  | { type: 'watch-help' }
  /** The watch ended. `goingOn`: the operation that continues in the cloud. */
  | { type: 'watch-stopped'; goingOn: string | undefined };
