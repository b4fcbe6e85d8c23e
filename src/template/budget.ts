import { UserError } from '../errors.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap, scalarText } from './template.ts';
import type { TemplateValue } from './template.ts';

/** How large the values of a template may become; AWS CloudFormation accepts templates of up to 1 MB. */
const MAX_SIZE = 10_000_000;
/** What a list or mapping costs, in characters. */
const COLLECTION_SIZE = 10;
/** What a turn of a loop costs: about a small resource, of which CloudFormation accepts 500. */
const TURN_SIZE = 1000;

/** A few lines can ask for a huge result: nested loops, or texts that repeat each other. `path`: where that is written. */
export class GrowthError extends UserError {
  readonly path: TemplatePath;

  constructor(path: TemplatePath = []) {
    super(
      `The functions here make more than ${MAX_SIZE / 1_000_000} MB; AWS CloudFormation accepts templates of up to 1 MB`,
    );
    this.path = path;
  }
}

/** What the functions of a template may still make. */
export class Budget {
  private left = MAX_SIZE;

  /** Call it before making a text of that many characters. Throws `GrowthError`. */
  spend(characters: number): void {
    this.left -= characters;
    if (this.left < 0) throw new GrowthError();
  }

  /** Call it for each turn of a loop. */
  spendTurn(): void {
    this.spend(TURN_SIZE);
  }

  /** Call it for each list and mapping that is made. */
  spendCollection(): void {
    this.spend(COLLECTION_SIZE);
  }
}

/** Runs `work`; if it makes too much, the error says that it is at `path`. */
export function within<T>(path: TemplatePath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GrowthError && error.path.length === 0) throw new GrowthError(path);
    throw error;
  }
}

/** The size of a value, roughly as many characters as its JSON has. */
export function sizeOf(value: TemplateValue): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), COLLECTION_SIZE);
  if (!isMap(value)) return scalarText(value)?.length ?? 0;
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), COLLECTION_SIZE);
}
