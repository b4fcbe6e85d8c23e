import { parametersWithoutValue } from '../../template/parameters.ts';
import type { GivenParameters } from '../../template/parameters.ts';
import type { Template } from '../../template/template.ts';
import { checkParameterValues, missingParameters } from './check-parameters.ts';
import type { Findings } from './findings.ts';
import { validateTemplate } from './validate-template.ts';

/** What a validation needs from outside the templates. */
export interface ValidationInput {
  /** Returns the parameters whose values the root stack has already; undefined if that is not known. */
  keptParameters(): Promise<ReadonlySet<string> | undefined>;
  /** What to do about parameter values that are configured where this command does not read them. */
  overridesElsewhere?: string | undefined;
}

/** Finds what CloudFormation would refuse in a stack's template and in the values of its parameters. */
export async function validateStack(
  { template, given, isRoot }: { template: Template; given: GivenParameters; isRoot: boolean },
  input: ValidationInput,
): Promise<Findings> {
  const { refused, doubtful } = validateTemplate(template);
  const values = checkParameterValues(template, given);
  // a condition may leave a nested stack out
  if (!isRoot) return { refused, doubtful: [...doubtful, ...values] };
  return { refused: [...refused, ...values, ...(await findMissing(template, given, input))], doubtful };
}

async function findMissing(
  template: Template,
  given: GivenParameters,
  { keptParameters, overridesElsewhere }: ValidationInput,
): Promise<Findings['refused']> {
  const without = parametersWithoutValue(template, given);
  const kept = without.length === 0 ? undefined : await keptParameters();
  return kept === undefined
    ? []
    : missingParameters(
        without.filter((name) => !kept.has(name)),
        overridesElsewhere,
      );
}
