import * as path from 'node:path';
import { buildStoreDir } from '../../builder/build-options.ts';
import { readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { listOf, parseJson, recordOf, text } from '../../support/shapes.ts';
import type { SyncOptions } from '../../sync/sync-options.ts';

type Remembered = Readonly<Record<string, readonly string[]>>;

/** Events to keep for each function, state machine and endpoint. */
const MOST_EVENTS = 10;
/** Larger events are not kept (characters). */
const LARGEST = 100_000;

/** Reads what was sent from the page before, newest first. A damaged file counts as none. */
export async function readRemembered(options: SyncOptions): Promise<Remembered> {
  const content = await readTextIfExists(fileOf(options)).catch(() => undefined);
  return recordOf(listOf(text))(parseJson(content ?? '')) ?? {};
}

/** The event that is being added. */
let last: Promise<void> = Promise.resolve();

/** Adds an event, one after the other: each reads what the one before has written. */
export function rememberEvent(options: SyncOptions, name: string, event: string): Promise<void> {
  const adding = last.then(() => addEvent(options, name, event));
  last = adding.catch(() => {});
  return adding;
}

/** Only the user may read the file: events may hold secrets. */
async function addEvent(options: SyncOptions, name: string, event: string): Promise<void> {
  if (event.length > LARGEST) return;
  const entries = new Map(Object.entries(await readRemembered(options)));
  const others = (entries.get(name) ?? []).filter((one) => one !== event);
  entries.set(name, [event, ...others].slice(0, MOST_EVENTS));
  await writeFileAtomic(fileOf(options), JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
}

function fileOf({ projectDir, stackName }: SyncOptions): string {
  return path.join(buildStoreDir(projectDir), 'page', `${stackName}.json`);
}
