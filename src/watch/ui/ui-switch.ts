import { note } from '../../console/reporter.ts';
import type { UiCommands } from '../../ui/commands.ts';
import type { UiServer } from '../../ui/server/ui-server.ts';
import { once } from '../../support/once.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { describeFailure } from '../work/watch-failures.ts';

/** The page of the session. */
export interface UiSwitch {
  /** Prints a link to the page. The first one starts its server. */
  open(): void;
  close(): void;
}

/** Creates the switch. Nothing of the page is loaded before the first link. */
export function createUiSwitch(
  application: Pick<WatchedApplication, 'snapshot'>,
  loop: Pick<UiCommands, 'sync' | 'deploy'>,
): UiSwitch {
  let server: UiServer | undefined;
  let isClosed = false;
  const start = once(async () => {
    const { watch } = application.snapshot.run.environment;
    const [{ openUiServer }, { createUiCommands }] = await Promise.all([
      import('../../ui/server/ui-server.ts'),
      import('./ui-commands.ts'),
    ]);
    server = await openUiServer(watch?.follow ?? (() => () => {}), createUiCommands(application, loop));
    if (isClosed) server.close();
    return server;
  });
  const open = async (): Promise<void> => {
    const { reporter } = application.snapshot.run.environment;
    try {
      const { link } = await start();
      if (!isClosed) reporter.report({ type: 'ui-opened', url: link() });
    } catch (error) {
      start.reset();
      const { message, hint } = describeFailure(error);
      note(reporter, 'warning', `The page could not be opened: ${message}`, hint);
    }
  };
  return {
    open: () => void open(),
    close() {
      isClosed = true;
      server?.close();
    },
  };
}
