import { readSettingFiles } from '../../sync/configuration/setting-files.ts';
import { note } from '../../console/reporter.ts';
import type { Stack } from '../../model/stack.ts';
import { readTemplatesAsDeployed } from '../../sync/read-templates.ts';
import { requirePrepared, withTemplates } from '../application-snapshot.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { findWatchedResources } from '../watched-resources.ts';
import { noteWebFunctions } from './web-functions.ts';

/** Reads the templates as they are now. Their files are watched from now on, even if they cannot be parsed. */
export async function readTemplates(application: WatchedApplication): Promise<Stack> {
  const { fresh, run } = application.snapshot;
  application.replace((now) => ({ ...now, fresh: { ...now.fresh, root: undefined } }));
  if (fresh.root) return fresh.root;
  const readSince = Date.now();
  const files = new Set<string>();
  const { region, deployed } = requirePrepared(application.snapshot);
  const stack = async (): Promise<typeof deployed.stack> => deployed.stack;
  try {
    const root = await readTemplatesAsDeployed(application.notes.quiet(run), {
      region,
      stack,
      deployTo: run.options.code ? undefined : stack,
      onRead: (file) => void files.add(file),
    });
    useTemplates(application, root, { files, readSince });
    return root;
  } catch (error) {
    application.replace((now) => ({ ...now, templateFiles: new Set([...now.templateFiles, ...files]) }), readSince);
    throw error;
  }
}

/** Watches the resources of these templates from now on. `readSince`: when reading them began (ms since the epoch). */
export function useTemplates(
  application: WatchedApplication,
  root: Stack,
  { files, readSince }: { files: ReadonlySet<string>; readSince: number },
): void {
  const { run } = application.snapshot;
  const { resources, failures } = findWatchedResources(root, run);
  for (const { error = '', hint } of failures) note(run.environment.reporter, 'warning', error, hint);
  noteWebFunctions(application, root);
  const known = { templates: files, settings: readSettingFiles(root) };
  application.replace((now) => withTemplates(now, resources, known), readSince);
}
