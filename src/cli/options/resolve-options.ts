import * as path from 'node:path';
import { UsageError, UserError } from '../../errors.ts';
import { exists, isFile } from '../../support/files.ts';
import type { SyncOptions } from '../../sync/sync-options.ts';
import { loadContainerVariables } from './load-container-variables.ts';
import type { CommandLine } from './command-line.ts';
import { findTemplate } from './find-template.ts';
import type { Notice } from '../notice.ts';
import { checkRegion } from './option-checks.ts';
import { OPTIONS } from './options.ts';
import type { OptionKey, OptionSpec } from './options.ts';
import { loadOverrides } from './load-overrides.ts';
import { collecting, throwProblems } from './throw-problems.ts';
import { resolveValues } from './resolve-values.ts';
import type { ResolvedValues } from './resolve-values.ts';
import { DEFAULT_CONFIG_NAME, findSamconfig, readSamconfig } from '../samconfig/samconfig.ts';
import type { FoundConfig, Samconfig } from '../samconfig/samconfig.ts';
import type { SaveRequest } from '../samconfig/save-params.ts';

/** The outside that options depend on. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** The folder the command runs in. */
  cwd: string;
}

/** A run, ready to begin. */
export interface ResolvedRun {
  options: SyncOptions;
  /** What the user should know about the options, in order. */
  notices: readonly Notice[];
  /** With `--save-params`: what to write where, before the run. */
  save: SaveRequest | undefined;
  /** The files that options come from: the samconfig, or where one would be, and parameter files. Absolute. */
  files: readonly string[];
}

/**
 * Resolves everything that a run needs from command line, environment, samconfig and defaults. What is wrong with options
 * is thrown together as one `UsageError`; a file that is missing or cannot be read is a `UserError`.
 */
export async function resolveOptions(commandLine: CommandLine, { env, cwd }: Surroundings): Promise<ResolvedRun> {
  const problems = [...commandLine.problems];
  const notices: Notice[] = [];
  const configuration = await findConfiguration(commandLine, { env, cwd }).catch((error: unknown) => {
    throwProblems(problems);
    throw error;
  });
  notices.push(...configuration.notices);

  const { typed } = commandLine;
  const values = resolveValues({ typed, env, config: configuration.config.entries }, problems, notices);
  const region = values.value('region') || regionOf(env, problems);
  throwProblems(problems);

  const folders = configuration.file === undefined ? [cwd] : [cwd, path.dirname(configuration.file)];
  const files = [configuration.fileToWrite];
  const options: SyncOptions = {
    ...plainOptions(values),
    ...(await resolveFiles(values, { folders, cwd, files })),
    projectDir: cwd,
    region,
    yes: values.value('yes') === true || isSet(env['CI']),
  };
  notices.push(...describeValues(values));
  const save = values.value('saveParams') ? saveRequest(values, configuration, { env, cwd }) : undefined;
  return { options, notices, save, files };
}

type FileOptions = Pick<
  SyncOptions,
  'templateFile' | 'baseDir' | 'containerEnvVarFile' | 'containerVariables' | 'parameterOverrides'
>;

/** The options that files and folders belong to. Relative ones start at one of `folders`; what is read is added to `files`. */
async function resolveFiles(
  values: ResolvedValues,
  { folders, cwd, files }: { folders: readonly string[]; cwd: string; files: string[] },
): Promise<FileOptions> {
  const locate = (key: PathKey): Promise<string | undefined> => locateFile(values, key, folders);
  const templateFile = await findTemplate(await locate('templateFile'), cwd);
  const baseDir = await locate('baseDir');
  if (baseDir !== undefined && (await isFile(baseDir)))
    throw new UsageError(`${values.place('baseDir')}: ${baseDir} is a file, not a folder`);
  const containerEnvVarFile = values.value('useContainer') ? await locate('containerEnvVarFile') : undefined;
  if (containerEnvVarFile !== undefined && !(await exists(containerEnvVarFile)))
    throw new UserError(`${values.place('containerEnvVarFile')}: there is no file ${containerEnvVarFile}`);
  const overrides = values.value('parameterOverrides') ?? [];
  const place = values.place('parameterOverrides');
  const parameterOverrides = await loadOverrides(overrides, folders, { place, files });
  const containerVariables = await loadContainerVariables(containerEnvVarFile, values.value('containerEnvVar'));
  if (containerEnvVarFile !== undefined) files.push(containerEnvVarFile);
  return { templateFile, baseDir, containerEnvVarFile, containerVariables, parameterOverrides };
}

type PathKey = 'templateFile' | 'baseDir' | 'containerEnvVarFile';

type PlainOptions = Omit<SyncOptions, keyof FileOptions | 'projectDir' | 'region' | 'yes'>;

/** The options that need nothing but their value. */
function plainOptions(values: ResolvedValues): PlainOptions {
  const flag = (key: OptionKey): boolean => values.value(key) === true;
  const images = values.value('buildImage');
  const s3Prefix = values.value('s3Prefix')?.replace(/^\/+|\/+$/g, '');
  return {
    stackName: values.value('stackName') ?? '',
    code: flag('code'),
    watch: flag('watch'),
    tail: flag('tail'),
    resourceIds: values.value('resourceId') ?? [],
    resourceTypes: values.value('resource') ?? [],
    dependencyLayer: flag('dependencyLayer'),
    skipDeploySync: flag('skipDeploySync'),
    express: flag('express'),
    useContainer: flag('useContainer'),
    buildInSource: flag('buildInSource'),
    buildImage: images?.all,
    buildImages: images?.byId ?? {},
    imageRepository: values.value('imageRepository') || undefined,
    imageRepositories: values.value('imageRepositories') ?? {},
    resolveImageRepos: flag('resolveImageRepos'),
    s3Bucket: values.value('s3Bucket') || undefined,
    s3Prefix: s3Prefix || undefined,
    kmsKeyId: values.value('kmsKeyId') || undefined,
    roleArn: values.value('roleArn') || undefined,
    notificationArns: values.value('notificationArns'),
    tags: values.value('tags'),
    metadata: values.value('metadata'),
    capabilities: values.value('capabilities') ?? [],
    watchExclude: values.value('watchExclude') ?? {},
    languageExtensions: values.value('languageExtensions'),
    profile: values.value('profile') || undefined,
    debug: flag('debug'),
    output: values.value('output') ?? 'text',
    local: flag('local'),
    dryRun: flag('dryRun'),
  };
}

interface Configuration {
  /** undefined: there is no samconfig. */
  file: string | undefined;
  /** Where one would be written. */
  fileToWrite: string;
  /** What relative paths that are written there start from. */
  pathsFrom: string;
  environment: string;
  config: Samconfig;
  notices: readonly Notice[];
}

/** Finds and reads the samconfig: beside the template however it was named, else in the current folder. */
async function findConfiguration({ typed }: CommandLine, { env, cwd }: Surroundings): Promise<Configuration> {
  const last = (key: OptionKey): string | undefined => typed.get(key)?.words.at(-1) || undefined;
  const template = last('templateFile') ?? (env['SAM_TEMPLATE_FILE'] || undefined);
  const beside = template === undefined ? cwd : path.dirname(path.resolve(cwd, template));
  const folders = [...new Set([beside, cwd])];
  const named = last('configFile');
  const environment = last('configEnv') ?? OPTIONS.configEnv.default ?? 'default';
  const found = await findSamconfig({ folders, named, mayBeMissing: last('saveParams') === 'true' });
  const fileToWrite = found?.file ?? path.resolve(beside, named ?? DEFAULT_CONFIG_NAME);
  // the peer reads them as seen from the current folder; a file that is found beside the template is used from there
  const pathsFrom = named === undefined ? path.dirname(fileToWrite) : cwd;
  const writing = { fileToWrite, pathsFrom, environment };
  if (!found) return { ...writing, file: undefined, config: { entries: new Map(), warnings: [] }, notices: [] };
  const label = labelOf(found.file, cwd);
  const config = await readSamconfig(found.file, environment, label);
  const notices = [...describeChoice(found, { beside, named, label }), ...config.warnings];
  return { ...writing, file: found.file, config, notices };
}

function describeChoice(
  found: FoundConfig,
  { beside, named, label }: { beside: string; named: string | undefined; label: string },
): Notice[] {
  if (found.ignored.length > 0) {
    const others = found.ignored.map((file) => path.basename(file)).join(' and ');
    return [{ level: 'info', text: `Using ${label}, not ${others} beside it`, hint: 'Choose with --config-file.' }];
  }
  if (named === undefined && path.dirname(found.file) !== beside)
    return [{ level: 'info', text: `Using ${label} of this folder: there is no samconfig beside the template` }];
  return [{ level: 'debug', text: `Using ${label}` }];
}

/** A file that was typed is below the current folder; one of the samconfig may also lie beside it. */
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

function regionOf(env: Surroundings['env'], problems: UsageError[]): string | undefined {
  for (const variable of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const region = env[variable];
    if (!region) continue;
    collecting(problems, () => checkRegion(region, variable));
    return region;
  }
  return undefined;
}

/** Whether a switch-like variable such as `CI` is on. */
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

function saveRequest(values: ResolvedValues, configuration: Configuration, { cwd }: Surroundings): SaveRequest {
  const { fileToWrite, pathsFrom, environment } = configuration;
  return { file: fileToWrite, label: labelOf(fileToWrite, cwd), environment, cwd, pathsFrom, values };
}

/** A file as messages name it: below the current folder if it is there. */
function labelOf(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}
