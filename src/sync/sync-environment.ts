import type { Reporter } from '../console/reporter.ts';
import type { SyncOptions } from './sync-options.ts';

/** A question that is answered with yes or no. */
interface Question {
  text: string;
  /** What an empty answer means. */
  default: boolean;
}

/** Where the local cloud is and how it lets us in. */
interface LocalCloudAccess {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** What a run needs from outside. */
export interface SyncEnvironment {
  reporter: Reporter;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted with an `InterruptedError` on Ctrl-C. */
  signal: AbortSignal;
  /** Ours, for the user agent. */
  version: string;
  confirm(question: Question): Promise<boolean>;
  askMfaCode(device: string): Promise<string>;
  /** Asks, once for account, Region and stack, whether it is a development stack. */
  confirmDevelopmentStack(about: { account: string; region: string }): Promise<boolean>;
  /** Sets up and starts the local cloud, or finds it running (`--local`). */
  openLocalCloud(): Promise<LocalCloudAccess>;
  /** What `--watch` needs beside. */
  watch?: WatchEnvironment | undefined;
}

/** What a watch needs from outside. */
export interface WatchEnvironment {
  /** Reads single keys until closed; undefined if there is no terminal. */
  openKeys(onKey: (key: string) => void): { close(): void } | undefined;
  /** Ends the command as Ctrl-C does. */
  interrupt(): void;
  /** Hands over what is thrown where nobody waits for it, which would end the process; gives a function that ends this. */
  catchStrayErrors(onError: (error: unknown) => void): () => void;
  /** The files that options come from, e.g. the samconfig. Absolute; they need not exist. */
  optionFiles: readonly string[];
  /** The options as those files say now. Rejects with what is wrong. */
  readOptions(): Promise<{ options: SyncOptions; files: readonly string[] }>;
}
