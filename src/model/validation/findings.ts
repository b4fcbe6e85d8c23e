import type { TemplatePath } from '../../template/template-path.ts';
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
  /** The keys that were meant, which therefore seem to be missing. */
  meant?: readonly string[];
}

/** Leaves out what only follows from a misspelled key: with `Handlr`, a function also has no Handler. */
export function withoutRepeated(complaints: readonly Complaint[], refusals: readonly Refusal[]): Complaint[] {
  const slips = refusals.flatMap(({ meant, ...slip }) => (meant ?? []).map((name) => ({ ...slip, name })));
  return complaints.filter(
    ({ path, message }) =>
      !slips.some(
        (slip) =>
          slip.message !== message &&
          concerns(slip.path, path) &&
          new RegExp(`\\bno ${slip.name}\\b`, 'i').test(message),
      ),
  );
}

/** Whether a slip is in the same resource or parameter, or in what all resources have. */
function concerns([section, id]: TemplatePath, [ofSection, ofId]: TemplatePath): boolean {
  if (ofSection === undefined) return true;
  return section === 'Globals' ? ofSection === 'Resources' : section === ofSection && id === ofId;
}
