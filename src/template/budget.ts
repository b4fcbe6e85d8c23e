import { UserError } from '../errors.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap, scalarText } from './template.ts';
import type { TemplateValue } from './template.ts';

/** The maximum size of a template's values; CloudFormation accepts templates of up to 1 MB. */
const MAX_SIZE = 10_000_000;
/** Size of a list or mapping, in characters. */
const COLLECTION_SIZE = 10;
/** Size of a loop iteration: about a small resource, of which CloudFormation accepts 500. */
const TURN_SIZE = 1000;

/** The functions of a template produce a huge result, e.g. by nested loops or repeated texts. `path`: the cause. */
export class GrowthError extends UserError {
  readonly path: TemplatePath;

  constructor(path: TemplatePath = []) {
    super(
      `The functions here produce more than ${MAX_SIZE / 1_000_000} MB; CloudFormation accepts templates of up to 1 MB`,
    );
    this.path = path;
  }
}

/** The size that the functions of a template may still produce. */
export class Budget {
  private left = MAX_SIZE;

  /** Call before creating a text of that many characters. Throws `GrowthError`. */
  spend(characters: number): void {
    this.left -= characters;
    if (this.left < 0) throw new GrowthError();
  }

  /** Call for each loop iteration. */
  spendTurn(): void {
    this.spend(TURN_SIZE);
  }

  /** Call for each new list and mapping. */
  spendCollection(): void {
    this.spend(COLLECTION_SIZE);
  }
}

/** Runs `work`, and adds `path` to a `GrowthError`. */
export function within<T>(path: TemplatePath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GrowthError && error.path.length === 0) throw new GrowthError(path);
    throw error;
  }
}

/** Returns the approximate length of a value's JSON. */
export function sizeOf(value: TemplateValue): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), COLLECTION_SIZE);
  if (!isMap(value)) return scalarText(value)?.length ?? 0;
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), COLLECTION_SIZE);
}
