import type { TemplateProblem } from '../errors.ts';
import { GrowthError } from '../template/budget.ts';
import { useLocalAssets } from '../template/cdk.ts';
import { expandLoops, usesLanguageExtensions } from '../template/language-extensions.ts';
import { readParameters } from '../template/parameters.ts';
import type { GivenParameters, ParameterValues } from '../template/parameters.ts';
import { createScope, resolveTemplate } from '../template/resolve-template.ts';
import type { KnownValues } from '../template/resolve-template.ts';
import type { TemplatePath } from '../template/template-path.ts';
import { mapOf } from '../template/template.ts';
import type { Template } from '../template/template.ts';
import { writtenAt } from './check-stack.ts';
import type { Complaint } from './check-stack.ts';
import type { LocalFiles } from './code-source.ts';
import { readIncludes } from './read-includes.ts';

/** A template and the values to resolve it with. */
export interface ViewInput {
  template: Template;
  given: GivenParameters;
  /** Known pseudo parameters. */
  pseudo: Readonly<Record<string, string>>;
  /** undefined: by the template's `Transform`. */
  languageExtensions: boolean | undefined;
  files: LocalFiles;
  cwd: string;
  onRead: ((file: string) => void) | undefined;
}

/** The two views of a template: `source` is deployed, `resolved` is what we read. */
export interface Views {
  source: Template;
  resolved: Template;
  /** As written, with all loops expanded. */
  expanded: Template;
  parameters: ParameterValues;
  origins: ReadonlyMap<string, TemplatePath>;
}

/** CloudFormation accepts 500. */
const MAX_RESOURCES = 5000;

/** Collects problems. */
export interface ViewFaults {
  /** Problems in the template. */
  complaints: Complaint[];
  /** Problems in included files. */
  problems: TemplateProblem[];
}

/** Creates the views of a template; undefined if it expands beyond any limit. */
export async function readViews(input: ViewInput, faults: ViewFaults): Promise<Views | undefined> {
  const { complaints } = faults;
  try {
    const views = await makeViews(input, faults);
    const [first] = Object.keys(mapOf(views.resolved['Resources'])).slice(MAX_RESOURCES);
    if (first === undefined) return views;
    const message = `${first} is resource number ${MAX_RESOURCES + 1}; AWS CloudFormation accepts 500 in a template`;
    complaints.push({ path: writtenAt(['Resources', first], input.template, views.origins), message });
  } catch (error) {
    if (!(error instanceof GrowthError)) throw error;
    complaints.push({ path: error.path, message: error.message });
  }
  return undefined;
}

async function makeViews(input: ViewInput, { complaints, problems }: ViewFaults): Promise<Views> {
  const written = useLocalAssets(input.template);
  const parameters = readParameters(written, input.given);
  const known: KnownValues = { parameters, pseudoParameters: input.pseudo, includes: new Map() };
  const scope = createScope(written, known);
  const loops = usesLanguageExtensions(written, input.languageExtensions);
  const unchanged = { template: written, origins: new Map<string, TemplatePath>(), problems: [] };
  const local = loops ? expandLoops(written, scope, 'local') : unchanged;
  const all = loops ? expandLoops(written, scope, 'all') : unchanged;
  const { files, cwd, onRead } = input;
  const included = await readIncludes(local.template, all.template, { scope, files, cwd, onRead });
  problems.push(...included.problems);
  complaints.push(...all.problems);
  const isSame = included.contents.size === 0 && all.template === written;
  const fullScope = isSame ? scope : createScope(all.template, { ...known, includes: included.contents });
  const resolved = resolveTemplate(all.template, fullScope);
  return { source: included.source, resolved, expanded: all.template, parameters, origins: all.origins };
}
