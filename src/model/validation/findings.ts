import type { Complaint } from '../check-stack.ts';

/** What the checks of a template find. */
export interface Findings {
  /** CloudFormation refuses the template for it. */
  refused: Refusal[];
  /** CloudFormation may know more than these checks. */
  doubtful: Complaint[];
}

/** A reason for which CloudFormation refuses a template. */
export interface Refusal extends Complaint {
  /** The key that was meant, which therefore seems to be missing. */
  meant?: string;
}

/** Leaves out what only follows from a misspelled key: with `Handlr`, a function also has no Handler. */
export function withoutRepeated(complaints: readonly Complaint[], refusals: readonly Refusal[]): Complaint[] {
  const slips = refusals.filter(({ meant }) => meant !== undefined);
  return complaints.filter(
    ({ path, message }) =>
      !slips.some(
        (slip) =>
          slip.message !== message &&
          path.slice(0, 2).every((step, index) => slip.path[index] === step) &&
          new RegExp(`\\bno ${slip.meant}\\b`).test(message),
      ),
  );
}
