import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { SyncRun } from '../sync/sync-run.ts';

/** Notes that are reported once, although every save repeats them. */
export interface NotesOnce {
  report(level: 'debug' | 'info' | 'warning', text: string, hint?: string): void;
  /** The run with a reporter that reports each warning once. */
  quiet(run: SyncRun): SyncRun;
}

/** Remembers the texts it has reported. */
export function createNotesOnce(reporter: Reporter): NotesOnce {
  const reported = new Set<string>();
  const report: NotesOnce['report'] = (level, text, hint) => {
    if (reported.has(text)) return;
    reported.add(text);
    note(reporter, level, text, hint);
  };
  const quiet: Reporter = {
    report: (event) => {
      if (event.type === 'note' && event.level === 'warning') report('warning', event.text);
      else reporter.report(event);
    },
  };
  return { report, quiet: (run) => ({ ...run, environment: { ...run.environment, reporter: quiet } }) };
}
