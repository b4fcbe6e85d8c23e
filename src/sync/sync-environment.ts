import type { EventHistory } from '../console/event-history.ts';
import type { Reporter } from '../console/reporter.ts';
import type { OptionChange, SyncOptions } from './sync-options.ts';

/** A yes-or-no question. */
interface Question {
  text: string;
  /** What an empty answer means. */
  default: boolean;
}

/** The endpoint and credentials of the local cloud. */
interface LocalCloudAccess {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** The environment of a run: everything it needs besides options. */
export interface SyncEnvironment {
  reporter: Reporter;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted with an `InterruptedError` on Ctrl-C. */
  signal: AbortSignal;
  /** The version of sam-sync, for the user agent. */
  version: string;
  confirm(question: Question): Promise<boolean>;
  /** Asks for a text. */
  askText(question: string): Promise<string>;
  askMfaCode(device: string): Promise<string>;
  /** Asks whether it is a development stack, once for each account, Region and stack. */
  confirmDevelopmentStack(about: { account: string; region: string }): Promise<boolean>;
  /** Whether that was answered before, as far as the Region shows, so that it will not be asked. */
  isKnownDevelopmentStack(about: { region: string | undefined }): Promise<boolean>;
  /** Sets up and starts the local cloud, or finds it running (`--local`). */
  openLocalCloud(): Promise<LocalCloudAccess>;
  /** What `--watch` needs in addition. */
  watch?: WatchEnvironment | undefined;
}

/** The environment of a watch. */
export interface WatchEnvironment {
  /** Reads single keys until closed; undefined if there is no terminal. */
  openKeys(onKey: (key: string) => void): { close(): void } | undefined;
  /** Passes on what was reported so far, then each new event; returns a function that stops this. */
  follow: EventHistory['follow'];
  /** Ends the command as Ctrl-C does. */
  interrupt(): void;
  /** Receives errors that nothing awaits, which would end the process; returns a function that stops this. */
  catchStrayErrors(onError: (error: unknown) => void): () => void;
  /** The files that options come from, e.g. the samconfig. Absolute; they need not exist. */
  optionFiles: readonly string[];
  /** Reads the options again. Rejects if a file has an error. */
  readOptions(): Promise<{ options: SyncOptions; files: readonly string[] }>;
  /** What to do about a changed option, and the name that messages use for it. */
  optionChanges: Readonly<Record<keyof SyncOptions, { name: string; change: OptionChange }>>;
}
