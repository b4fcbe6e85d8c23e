import * as path from 'node:path';
import { UsageError } from '../../errors.ts';
import { exists, isFile } from '../../support/files.ts';
import type { SyncOptions } from '../../sync/sync-options.ts';
import { loadContainerVariables } from './load-container-variables.ts';
import type { CommandLine } from './command-line.ts';
import { findTemplate } from './find-template.ts';
import type { Notice } from '../notice.ts';
import { checkRegion } from './option-checks.ts';
import { MISSING_STACK_NAME } from './option-rules.ts';
import { OPTION_ENTRIES, OPTIONS } from './options.ts';
import type { OptionSpec } from './option-spec.ts';
import type { OptionKey, OptionValues } from './options.ts';
import { loadOverrides } from './load-overrides.ts';
import { collecting, throwProblems } from './throw-problems.ts';
import { resolveValues } from './resolve-values.ts';
import type { ResolvedValues } from './resolve-values.ts';
import { DEFAULT_CONFIG_NAME, findSamconfig, readSamconfig } from '../samconfig/samconfig.ts';
import type { FoundConfig, Samconfig } from '../samconfig/samconfig.ts';
import type { UnreadPart } from '../samconfig/unread-parts.ts';
import type { SaveRequest } from '../samconfig/save-params.ts';

/** What options depend on besides the command line. */
export interface OptionEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  /** The folder the command runs in. */
  cwd: string;
  /** What a command needs that does not sync. */
  needs?: { /** Stands for a missing stack name. */ stackName: string; template: boolean } | undefined;
}

/** The options of a run, and what else the command line asks for. */
export interface ResolvedRun {
  options: SyncOptions;
  /** Notes about the options, in order. */
  notices: readonly Notice[];
  /** With `--save-params`: what to save before the run. */
  save: SaveRequest | undefined;
  /** The files options come from: the samconfig (or the path of the missing one) and parameter files. Absolute. */
  files: readonly string[];
}

/**
 * Resolves the options of a run from command line, environment, samconfig and defaults. Throws one `UsageError` with all
 * invalid options, or one for a file that is missing or invalid; a `UserError` for a file that cannot be read.
 */
export async function resolveOptions(
  commandLine: CommandLine,
  { env, cwd, needs }: OptionEnvironment,
): Promise<ResolvedRun> {
  const problems = [...commandLine.problems];
  // what follows are options of that command
  if (commandLine.isOtherCommand) throwProblems(problems);
  const notices: Notice[] = [];
  const configuration = await findConfiguration(commandLine, { env, cwd }).catch((error: unknown) => {
    throwProblems(problems);
    throw error;
  });
  const { typed } = commandLine;
  const values = resolveValues(
    { typed, env, config: configuration.config.entries, stackName: needs?.stackName },
    problems,
    notices,
  );
  const region = values.value('region') || regionOf(env, problems);
  const { remaining, shown } = explainMissing(problems, configuration.config);
  const configNotices = [...configuration.notices, ...shown.map(({ level, text, hint }) => ({ level, text, hint }))];
  notices.unshift(...configNotices);
  throwProblems(remaining, configNotices);

  const folders = configuration.file === undefined ? [cwd] : [cwd, path.dirname(configuration.file)];
  const files = [configuration.fileToWrite];
  const options: SyncOptions = {
    ...plainOptions(values),
    ...(await resolveFiles(values, { folders, cwd, files, needsTemplate: needs?.template !== false })),
    overridesElsewhere: configuration.config.overridesElsewhere,
    projectDir: cwd,
    region,
    yes: values.value('yes') === true || isSet(env['CI']),
  };
  notices.push(...describeValues(values));
  const save = values.value('saveParams') ? saveRequest(values, configuration, { env, cwd }) : undefined;
  return { options, notices, save, files };
}

/**
 * One mistake, one message: a stack name that the command line misspells is not missing too, and one that stands in the wrong
 * part of the samconfig is reported there. `shown`: the warnings that remain.
 */
function explainMissing(
  problems: readonly UsageError[],
  { warnings, stackNameElsewhere }: Samconfig,
): { remaining: UsageError[]; shown: readonly UnreadPart[] } {
  const others = problems.filter(({ message }) => message !== MISSING_STACK_NAME);
  const unread = warnings.filter(({ keys }) => keys.includes('stack_name'));
  if (others.length === problems.length) return { remaining: others, shown: warnings };
  if (others.some(({ message, hint }) => `${message} ${hint}`.includes('--stack-name')))
    return { remaining: others, shown: warnings };
  if (unread.length === 0) {
    const missing = problems.find(({ message }) => message === MISSING_STACK_NAME);
    const error = new UsageError(MISSING_STACK_NAME, { hint: stackNameElsewhere ?? missing?.hint });
    return { remaining: [...others, error], shown: warnings };
  }
  const explained = unread.map(({ text, hint }) => new UsageError(text, { hint }));
  return { remaining: [...others, ...explained], shown: warnings.filter((part) => !unread.includes(part)) };
}

type FileOptions = Pick<
  SyncOptions,
  'templateFile' | 'baseDir' | 'containerEnvVarFile' | 'containerVariables' | 'parameterOverrides'
>;

/** Resolves paths and reads files. Relative paths start from one of `folders`. Adds files read to `files`. */
async function resolveFiles(
  values: ResolvedValues,
  {
    folders,
    cwd,
    files,
    needsTemplate,
  }: { folders: readonly string[]; cwd: string; files: string[]; needsTemplate: boolean },
): Promise<FileOptions> {
  const locate = (key: PathKey): Promise<string | undefined> => locateFile(values, key, folders);
  const templateFile = needsTemplate ? await findTemplate(await locate('templateFile'), cwd) : '';
  const baseDir = await locate('baseDir');
  if (baseDir !== undefined && (await isFile(baseDir)))
    throw new UsageError(`${values.place('baseDir')}: ${baseDir} is a file, not a folder`);
  const containerEnvVarFile = values.value('useContainer') ? await locate('containerEnvVarFile') : undefined;
  const overrides = values.value('parameterOverrides') ?? [];
  const place = values.place('parameterOverrides');
  const parameterOverrides = await loadOverrides(overrides, folders, { place, files });
  const variables = { file: containerEnvVarFile, place: values.place('containerEnvVarFile') };
  const containerVariables = await loadContainerVariables(variables, values.value('containerVariables'));
  if (containerEnvVarFile !== undefined) files.push(containerEnvVarFile);
  return { templateFile, baseDir, containerEnvVarFile, containerVariables, parameterOverrides };
}

type PathKey = 'templateFile' | 'baseDir' | 'containerEnvVarFile';

/** Fields of `SyncOptions` that are an option's value as it is. */
type PlainKey = Exclude<keyof SyncOptions, keyof FileOptions | 'overridesElsewhere' | 'projectDir' | 'region' | 'yes'>;

/** Their values by the option table. Does not compile if a field has no option of its name and type. */
type PlainValues = {
  [K in PlainKey]: undefined extends SyncOptions[K] ? OptionValues[K] | undefined : OptionValues[K];
};

function plainOptions(values: ResolvedValues): Pick<SyncOptions, PlainKey> {
  const options: Partial<Record<OptionKey, unknown>> = {};
  for (const [key, { commandLineOnly }] of OPTION_ENTRIES) {
    const value = values.value(key);
    // an empty value stands for none: it hides one in the samconfig's global section
    if (!commandLineOnly) options[key] = value === '' ? undefined : value;
  }
  return options as PlainValues;
}

interface Configuration {
  /** undefined: no samconfig exists. */
  file: string | undefined;
  /** Path of the samconfig, or of the one to create. */
  fileToWrite: string;
  /** The folder that relative paths in it start from. */
  pathsFrom: string;
  environment: string;
  config: Samconfig;
  notices: readonly Notice[];
}

/** Finds and reads the samconfig: beside the template, else in the current folder. */
async function findConfiguration({ typed }: CommandLine, { env, cwd }: OptionEnvironment): Promise<Configuration> {
  const last = (key: OptionKey): string | undefined => typed.get(key)?.words.at(-1) || undefined;
  const template = last('templateFile') ?? (env['SAM_TEMPLATE_FILE'] || undefined);
  const beside = template === undefined ? cwd : path.dirname(path.resolve(cwd, template));
  const folders = [...new Set([beside, cwd])];
  const named = last('configFile');
  const environment = last('configEnv') ?? OPTIONS.configEnv.default ?? 'default';
  const found = await findSamconfig({ folders, named, mayBeMissing: last('saveParams') === 'true' });
  const fileToWrite = found?.file ?? path.resolve(beside, named ?? DEFAULT_CONFIG_NAME);
  // SAM CLI resolves them against the current folder; ours also works beside the template
  const pathsFrom = named === undefined ? path.dirname(fileToWrite) : cwd;
  const writing = { fileToWrite, pathsFrom, environment };
  if (!found) return { ...writing, file: undefined, config: { entries: new Map(), warnings: [] }, notices: [] };
  const label = labelOf(found.file, cwd);
  const config = await readSamconfig(found.file, environment, label);
  const notices = describeChoice(found, { beside, named, label });
  return { ...writing, file: found.file, config, notices };
}

function describeChoice(
  found: FoundConfig,
  { beside, named, label }: { beside: string; named: string | undefined; label: string },
): Notice[] {
  if (found.ignored.length > 0) {
    const others = found.ignored.map((file) => path.basename(file)).join(', ');
    return [
      { level: 'info', text: `Using ${label} and ignoring ${others}`, hint: 'Choose another one with --config-file.' },
    ];
  }
  if (named === undefined && path.dirname(found.file) !== beside)
    return [{ level: 'info', text: `Using ${label} from this folder: the folder of the template has no samconfig` }];
  return [{ level: 'debug', text: `Using ${label}` }];
}

/** Resolves a path: one typed against the current folder, one of the samconfig also against the samconfig's folder. */
async function locateFile(
  values: ResolvedValues,
  key: PathKey,
  folders: readonly string[],
): Promise<string | undefined> {
  const file = values.value(key);
  if (!file) return undefined;
  const candidates = folders.map((folder) => path.resolve(folder, file));
  if (values.source(key) === 'samconfig')
    for (const candidate of candidates) if (await exists(candidate)) return candidate;
  return candidates[0];
}

function regionOf(env: OptionEnvironment['env'], problems: UsageError[]): string | undefined {
  for (const variable of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const region = env[variable];
    if (!region) continue;
    collecting(problems, () => checkRegion(region, variable));
    return region;
  }
  return undefined;
}

/** Whether a variable such as `CI` is on. */
function isSet(variable: string | undefined): boolean {
  return variable !== undefined && !['', '0', 'false', 'no', 'off'].includes(variable.trim().toLowerCase());
}

function describeValues(values: ResolvedValues): Notice[] {
  return [...values.entries()]
    .filter(([, { source }]) => source !== 'default')
    .map(([key, { value, place }]) => {
      const { grammar, secret } = OPTIONS[key] as OptionSpec<unknown>;
      const shown = secret ? '(not shown)' : JSON.stringify(grammar.write(value));
      return { level: 'debug', text: `Option ${key} = ${shown} from ${place}` };
    });
}

function saveRequest(values: ResolvedValues, configuration: Configuration, { cwd }: OptionEnvironment): SaveRequest {
  const { fileToWrite, pathsFrom, environment } = configuration;
  return { file: fileToWrite, label: labelOf(fileToWrite, cwd), environment, cwd, pathsFrom, values };
}

/** The path that messages show: relative to the current folder if below it. */
function labelOf(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}
