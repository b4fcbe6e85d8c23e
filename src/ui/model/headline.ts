import type { SourcePlace } from '../../errors.ts';
import type { SessionState } from './session-state.ts';

/** The answer to "is what I saved live, and if not, why?". */
export interface Headline {
  tone: 'live' | 'busy' | 'failed' | 'ended';
  title: string;
  detail: string;
  /** The resource that it is about. */
  id?: string | undefined;
}

type Failure = SourcePlace & { message: string };

/** Names that a sentence lists. */
const MOST_NAMED = 2;

/** Says in a sentence whether everything that was saved is live. Pure. */
export function headlineOf(session: SessionState): Headline {
  const { resources, stack, busy, isReady, ended, stackName, lastChange } = session;
  if (ended)
    return { tone: 'ended', title: 'The command has ended', detail: ended.goingOn ?? 'Nothing is synced now.' };
  const failed = [...resources.values()].filter(({ state }) => state === 'failed');
  const [first] = failed;
  if (stack.state === 'failed' && (first === undefined || failed.length === 0)) {
    return { tone: 'failed', title: 'The deployment failed', detail: reasonOf(stack.failure) };
  }
  if (first !== undefined) {
    const title =
      failed.length === 1 ? `${first.id} is not live` : `${failed.length} resources are not live: ${listNames(failed)}`;
    return { tone: 'failed', title, detail: reasonOf(first.failure), id: first.id };
  }
  const files = listNames((lastChange?.files ?? []).map((id) => ({ id })));
  if (!isReady)
    return { tone: 'busy', title: `Starting: the first sync of ${stackName || 'the stack'}`, detail: doing(session) };
  if (busy.size > 0 || !isResting(stack.state)) return { tone: 'busy', title: doing(session), detail: files };
  const cannotRun = [...resources.values()].find(({ problems }) => problems.length > 0);
  if (cannotRun) {
    const title = `${cannotRun.id} is live and cannot run`;
    return { tone: 'failed', title, detail: reasonOf(cannotRun.problems[0]), id: cannotRun.id };
  }
  return { tone: 'live', title: 'Everything you saved is live', detail: files };
}

function doing({ busy, stack }: SessionState): string {
  if (stack.state === 'updating') return 'CloudFormation updates the stack';
  if (busy.size > 0) return `Syncing ${listNames([...busy].map((id) => ({ id })))}`;
  return stack.state === 'queued' ? 'A deployment follows' : 'Preparing the deployment';
}

function listNames(items: readonly { id: string }[]): string {
  const named = items.slice(0, MOST_NAMED).map(({ id }) => id);
  const more = items.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}

function isResting(state: string): boolean {
  return state === 'in-sync' || state === 'failed';
}

/** The place as editors and terminals read it: `app.py:3:1`. */
function formatPlace({ file, line, column }: SourcePlace): string | undefined {
  if (file === undefined) return undefined;
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/** The place of a failure, unless its message has it. */
export function placeBeside(failure: Failure): string | undefined {
  const place = formatPlace(failure);
  return place === undefined || failure.message.includes(place) ? undefined : place;
}

/** The first line of a failure after its place. A tool may name the place in it once more, from its own folder: left out. */
export function reasonOf(failure: Failure | undefined): string {
  if (failure === undefined) return '';
  const { message, file = '', line } = failure;
  const [text = ''] = message.split('\n', 1);
  const where = formatPlace(failure);
  if (where === undefined || text.includes(where)) return text;
  const shorter = text.replaceAll(/([^\s:]+):(\d+)(?::\d+)?: /g, (found: string, name: string, at: string) =>
    Number(at) === line && `/${file}`.endsWith(`/${name}`) ? '' : found,
  );
  return `${where}: ${shorter}`;
}
