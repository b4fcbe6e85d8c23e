import type { BuildFailure, SourcePlace } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { asUserError, SystemError } from '../system-errors.ts';
import type { BuildInput, BuildNote, BuildResult, BuiltFolder } from './build-result.ts';
import { ToolError } from './tools/tools.ts';

/** Collects the results of builds that run in parallel. */
export class ResultCollector {
  readonly folders = new Map<ResourceIdentifier, BuiltFolder>();
  readonly dependencyLayers = new Map<ResourceIdentifier, BuiltFolder>();
  readonly images = new Map<ResourceIdentifier, LocalImage>();
  readonly handlers = new Map<ResourceIdentifier, string>();
  readonly sourceMaps = new Set<ResourceIdentifier>();
  readonly inputs = new Map<ResourceIdentifier, readonly BuildInput[]>();
  readonly notes: BuildNote[];
  /** Texts of notes that were added, by the ids of their build. */
  readonly #noted = new Map<readonly ResourceIdentifier[], Set<string>>();
  readonly failures: BuildFailure[] = [];
  /** Errors that no user can fix. */
  readonly bugs: unknown[] = [];

  constructor(notes: readonly BuildNote[]) {
    this.notes = [...notes];
  }

  /** Adds a note once: a build that starts again repeats its notes. */
  addNote(note: BuildNote): void {
    const { ids, text } = note;
    const texts = this.#noted.get(ids) ?? new Set<string>();
    if (texts.has(text)) return;
    this.#noted.set(ids, texts.add(text));
    this.notes.push(note);
  }

  setInputs(ids: readonly ResourceIdentifier[], inputs: readonly BuildInput[]): void {
    for (const id of ids) this.inputs.set(id, inputs);
  }

  addFailure(ids: readonly ResourceIdentifier[], error: unknown, place?: SourcePlace): void {
    const userError = asUserError(error);
    if (userError === undefined) return void this.bugs.push(error);
    const output = error instanceof ToolError ? error.output : undefined;
    const isTransient = userError instanceof SystemError && userError.isTransient;
    this.failures.push({
      ids,
      // the reporter prints the ids beside it
      message: withoutIds(userError.message, ids),
      hint: userError.hint,
      output,
      ...place,
      ...(isTransient ? { isTransient } : {}),
    });
  }

  get result(): Omit<BuildResult, 'runProblems'> {
    const { folders, dependencyLayers, images, handlers, sourceMaps, inputs, notes } = this;
    return { folders, dependencyLayers, images, handlers, sourceMaps, inputs, notes };
  }
}

function withoutIds(message: string, ids: readonly ResourceIdentifier[]): string {
  const prefix = `${ids.join(', ')}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
