import * as path from 'node:path';
import { TemplateError } from '../errors.ts';
import type { TemplateProblem } from '../errors.ts';
import { nearestName } from '../support/nearest-name.ts';
import { storageModesLeftOut } from '../template/cdk.ts';
import { findLocalPaths, resolveLocalPath } from '../template/local-paths.ts';
import type { LocalPath } from '../template/local-paths.ts';
import { undeclaredParameters } from '../template/parameters.ts';
import type { GivenParameters } from '../template/parameters.ts';
import { pseudoParameters } from '../template/pseudo-parameters.ts';
import type { DeployTarget } from '../template/pseudo-parameters.ts';
import { mapOf, resourcesOf, resourceOf } from '../template/template.ts';
import type { TemplateMap } from '../template/template.ts';
import {
  checkCode,
  checkBuild,
  checkFunction,
  checkLocalPaths,
  checkLogicalIds,
  checkSections,
  isLogicalId,
  writtenAt,
} from './check-stack.ts';
import type { Complaint } from './check-stack.ts';
import { createKindOf } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { readFunction } from './functions.ts';
import { readLayer } from './layers.ts';
import { createLoader, duplicateWarnings, labelOf, toProblem } from './load-template.ts';
import type { Finding, LoadedTemplate } from './load-template.ts';
import { checkChildParameters, childParameters } from './nested-parameters.ts';
import type { ParsedTemplates } from './parsed-templates.ts';
import { readViews } from './read-views.ts';
import type { Views } from './read-views.ts';
import { identifierOf } from './stack.ts';
import type { Stack } from './stack.ts';
import { withoutRepeated } from './validation/findings.ts';
import type { Refusal } from './validation/findings.ts';
import type { ValidationInput } from './validation/validate-stack.ts';
import { checkWebFunction, readWebFunction } from './web-functions.ts';

/** What to read, and with which values. */
export interface ReadStacksInput {
  /** Absolute. */
  templateFile: string;
  /** `--base-dir`. Absolute. */
  baseDir?: string | undefined;
  /** Parameters of the root stack. */
  parameterOverrides: Readonly<Record<string, string>>;
  pseudo: DeployTarget;
  /** undefined: by the `Transform` of each template. */
  languageExtensions?: boolean | undefined;
  /** The current folder; messages show file names relative to it. Absolute. */
  cwd: string;
  /** Called with every template and included file, also a missing one. */
  onRead?: ((file: string) => void) | undefined;
  /** Templates that earlier runs parsed. */
  parsed?: ParsedTemplates | undefined;
  /** Given if the templates are for a deployment: finds what CloudFormation would refuse. */
  validation?: ValidationInput | undefined;
}

/** The application's stacks. */
export interface ReadStacksResult {
  root: Stack;
  /** Probable mistakes that are no errors. */
  warnings: TemplateProblem[];
}

/**
 * Reads the root template and all local nested templates, in parallel. Throws one `TemplateError` with all problems of all
 * templates.
 */
export async function readStacks(input: ReadStacksInput): Promise<ReadStacksResult> {
  const run: Run = {
    input,
    load: createLoader(input),
    kindOf: createKindOf(),
    findings: [],
    warnings: [],
    problems: [],
    doubtful: [],
    stacks: 1,
    isFull: false,
  };
  const root = await readStack(run, {
    path: '',
    logicalId: undefined,
    templateFile: input.templateFile,
    given: { values: input.parameterOverrides },
    pseudo: { ...pseudoParameters(input.pseudo), ...pseudoOverrides(input.parameterOverrides) },
    parents: [],
  });
  const problems = distinct([...run.problems, ...run.findings.map(toProblem)]);
  if (problems.length > 0 || root === undefined) throw new TemplateError(problems);
  return { root, warnings: distinct([...run.doubtful, ...run.warnings.map(toProblem)]) };
}

/** Far above CloudFormation's limit (2,500 resources in all nested stacks). */
const MAX_STACKS = 1000;
const MAX_NESTING = 50;

interface Run {
  input: ReadStacksInput;
  load: (file: string) => Promise<LoadedTemplate>;
  kindOf: LocalFiles['kindOf'];
  findings: Finding[];
  warnings: Finding[];
  /** Problems of unreadable files. */
  problems: TemplateProblem[];
  /** Warnings that already have line and column. */
  doubtful: TemplateProblem[];
  /** Number of stacks read, and whether the limit is reached. */
  stacks: number;
  isFull: boolean;
}

/** A stack to read. */
interface StackPlace {
  path: string;
  logicalId: string | undefined;
  templateFile: string;
  given: GivenParameters;
  /** Known pseudo parameters. */
  pseudo: Readonly<Record<string, string>>;
  /** Template files of the parent stacks, root first. */
  parents: readonly string[];
}

/** Reads a stack. Returns undefined for an unreadable template, and adds the reason to the run's problems. */
async function readStack(run: Run, place: StackPlace): Promise<Stack | undefined> {
  const loaded = await loadOrReport(run, place.templateFile);
  if (loaded === undefined) return undefined;
  const templateDir = path.dirname(loaded.file);
  const files: LocalFiles = { codeDir: run.input.baseDir ?? templateDir, templateDir, kindOf: run.kindOf };
  warnUndeclared(run, place, loaded);
  run.warnings.push(...storageModesLeftOut(loaded.template).map((warning) => ({ loaded, ...warning })));
  const complaints: Complaint[] = [];
  const { languageExtensions, cwd, onRead } = run.input;
  const input = { ...place, template: loaded.template, files, languageExtensions, cwd, onRead };
  const views = await readViews(input, { complaints, problems: run.problems });
  run.findings.push(...complaints.map((complaint) => ({ loaded, ...complaint })));
  if (views === undefined) return undefined;
  const local = findLocalPaths(views.source, views.resolved).filter(
    ({ logicalId }) => logicalId === undefined || isLogicalId(logicalId),
  );
  const resources = resourcesOf(views.resolved).filter(([id]) => isLogicalId(id));
  const [functions, layers, webFunctions, children] = await Promise.all([
    Promise.all(resources.map(([id, resource]) => readFunction(place.path, id, resource, files))).then(present),
    Promise.all(resources.map(([id, resource]) => readLayer(place.path, id, resource, files))).then(present),
    Promise.all(resources.map(([id, resource]) => readWebFunction(place.path, id, resource, files))).then(present),
    readChildren(run, { place, loaded, views, files }, local),
  ]);
  const refusals = await validate(run, place, loaded, views);
  const faults = [
    ...refusals,
    ...checkSections(views.source),
    ...checkLogicalIds(views.resolved),
    ...(await checkLocalPaths(local, files)),
    ...(await Promise.all(functions.map((fn) => checkFunction(fn, files)))).flat(),
    ...layers.flatMap(checkCode),
    ...webFunctions.flatMap(checkWebFunction),
    ...[...functions, ...layers, ...webFunctions].flatMap(checkBuild),
  ];
  for (const { path: at, message } of withoutRepeated(faults, refusals))
    run.findings.push({ loaded, path: writtenAt(at, loaded.template, views.origins), message });
  return {
    path: place.path,
    templateFile: loaded.file,
    codeDir: files.codeDir,
    source: views.source,
    resolved: views.resolved,
    parameters: views.parameters.texts,
    logicalId: place.logicalId,
    functions,
    layers,
    webFunctions,
    children,
  };
}

/** Returns what CloudFormation would refuse; adds what it may refuse to the run's warnings. */
async function validate(run: Run, place: StackPlace, loaded: LoadedTemplate, views: Views): Promise<Refusal[]> {
  if (run.input.validation === undefined) return [];
  const { validateStack } = await import('./validation/validate-stack.ts');
  const { given, path: stackPath } = place;
  const stack = { template: views.expanded, given, isRoot: stackPath === '' };
  const { refused, doubtful } = await validateStack(stack, run.input.validation);
  for (const { path: at, message } of doubtful)
    run.warnings.push({ loaded, path: writtenAt(at, loaded.template, views.origins), message });
  return refused;
}

interface Parent {
  place: StackPlace;
  loaded: LoadedTemplate;
  views: Views;
  files: LocalFiles;
}

async function readChildren(run: Run, parent: Parent, local: readonly LocalPath[]): Promise<Stack[]> {
  const nested = local.filter((item) => item.content === 'template' && item.logicalId !== undefined);
  return present(await Promise.all(nested.map((item) => readChild(run, parent, item))));
}

async function readChild(run: Run, parent: Parent, location: LocalPath): Promise<Stack | undefined> {
  const { place, loaded, views, files } = parent;
  const logicalId = location.logicalId ?? '';
  const templateFile = resolveLocalPath(location.value, files.templateDir);
  // checkLocalPaths reports a missing file
  if ((await run.kindOf(templateFile)) !== 'file') {
    run.input.onRead?.(templateFile);
    return undefined;
  }
  const child = await loadOrReport(run, templateFile);
  if (child === undefined) return undefined;
  const parents = [...place.parents, loaded.file];
  const at = writtenAt(location.path, loaded.template, views.origins);
  if (parents.includes(child.file)) {
    const cycle = [...parents.slice(parents.indexOf(child.file)), child.file].map((file) =>
      labelOf(file, run.input.cwd),
    );
    run.findings.push({ loaded, path: at, message: `${logicalId} nests a stack within itself: ${cycle.join(' → ')}` });
    return undefined;
  }
  if (++run.stacks > MAX_STACKS || parents.length > MAX_NESTING) {
    // report only the first
    const message = `${logicalId} exceeds the limit of ${MAX_STACKS} stacks, or ${MAX_NESTING} levels of nesting`;
    if (!run.isFull) run.findings.push({ loaded, path: at, message });
    run.isFull = true;
    return undefined;
  }
  const properties: TemplateMap = mapOf(resourceOf(views.resolved, logicalId)['Properties']);
  const given = childParameters(properties['Parameters'], child.template);
  for (const message of checkChildParameters(properties['Parameters'], child.template)) {
    run.warnings.push({ loaded, path: at, message: `${logicalId} ${message}` });
  }
  // CloudFormation generates the name of a nested stack
  const { 'AWS::StackName': _name, ...pseudo } = place.pseudo;
  const childPath = identifierOf(place.path, logicalId);
  return readStack(run, { path: childPath, logicalId, templateFile, given, pseudo, parents });
}

async function loadOrReport(run: Run, file: string): Promise<LoadedTemplate | undefined> {
  try {
    const loaded = await run.load(file);
    run.doubtful.push(...duplicateWarnings(loaded));
    return loaded;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    run.problems.push(...error.problems);
    return undefined;
  }
}

function warnUndeclared(run: Run, place: StackPlace, loaded: LoadedTemplate): void {
  if (place.path !== '') return;
  const declared = Object.keys(mapOf(loaded.template['Parameters']));
  for (const name of undeclaredParameters(loaded.template, Object.keys(place.given.values))) {
    const near = nearestName(name, declared);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    const message = `The template has no parameter ${name}: its value is ignored.${hint}`;
    run.warnings.push({ loaded, path: ['Parameters'], message });
  }
}

/** Returns pseudo parameters set with `--parameter-overrides AWS::Region=…`. */
function pseudoOverrides(overrides: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(overrides).filter(([name]) => name.startsWith('AWS::')));
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.filter((item): item is T & {} => item !== undefined);
}

function distinct(problems: readonly TemplateProblem[]): TemplateProblem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...byText.values()].sort((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0));
}
