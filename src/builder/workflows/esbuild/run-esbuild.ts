import * as path from 'node:path';
import type * as Esbuild from 'esbuild';
import type {
  BuildFailure as EsbuildFailure,
  BuildOptions,
  BuildResult as EsbuildResult,
  Message,
  Plugin,
} from 'esbuild';
import { UserError } from '../../../errors.ts';
import { isProcessGone, useEsbuild } from '../../tools/esbuild-service.ts';
import { ToolError } from '../../tools/tools.ts';
import type { BundleJob } from './bundle-job.ts';
import type { BundleTrace } from './bundle-inputs.ts';
import type { ModuleImport } from './package-modules.ts';
import { createInstalledPlugin } from './mismatched-packages.ts';

/** Runs esbuild and reports its messages in its own format. A failed run stores its trace in `job.failed`. */
export async function runEsbuild(
  job: BundleJob,
  entries: readonly string[],
  installed: string | undefined,
): Promise<EsbuildResult> {
  const esbuild = await job.program.load();
  return useEsbuild(esbuild, () => bundle(esbuild, job, { entries, installed }));
}

async function bundle(
  esbuild: typeof Esbuild,
  job: BundleJob,
  { entries, installed }: { entries: readonly string[]; installed: string | undefined },
): Promise<EsbuildResult> {
  const options = runOptions(job, entries, installed);
  const log = async (messages: Message[], kind: 'error' | 'warning'): Promise<string> => {
    const texts = await esbuild.formatMessages(messages, { kind, color: false, terminalWidth: 120 });
    return texts.join('').trim();
  };
  const { tools, stepId } = job.context;
  const report = (text: string): void => text.split('\n').forEach((line) => tools.report(stepId, line));
  try {
    const result = await esbuild.build(options);
    if (result.warnings.length > 0) report(await log(result.warnings, 'warning'));
    return result;
  } catch (error) {
    if (isProcessGone(error)) throw error;
    const failure = error as EsbuildFailure;
    const what = job.definition.ids.join(', ');
    const refusal = refusedOption(failure);
    if (refusal !== undefined) {
      throw new UserError(`esbuild refused the BuildProperties of ${what}: ${refusal}`, { cause: error });
    }
    job.failed = { trace: await traceFailure(esbuild, options, failure.errors), installed };
    const text = await log(failure.errors, 'error');
    report(text);
    const message = `esbuild could not bundle ${what}${describeFirst(failure.errors)}`;
    throw new ToolError(message, text, missingPackageHint(failure.errors));
  }
}

function runOptions(job: BundleJob, entries: readonly string[], installed: string | undefined): RunOptions {
  const { definition, options, manifest, outdated } = job;
  const names = outdated.map(({ name }) => name);
  return {
    ...options.esbuild,
    external: [
      ...(options.esbuild.external ?? []),
      ...(options.allDependenciesExternal ? Object.keys(manifest.dependencies ?? {}) : []),
    ],
    entryPoints: [...entries],
    absWorkingDir: definition.codeDir,
    // nothing is written there: it makes source maps name sources relative to the function's folder
    outdir: definition.codeDir,
    allowOverwrite: true,
    write: false,
    bundle: true,
    platform: 'node',
    metafile: true,
    logLevel: 'silent',
    plugins: installed === undefined || outdated.length === 0 ? [] : [createInstalledPlugin(installed, names)],
    nodePaths: [
      ...(options.esbuild.nodePaths ?? []),
      ...(installed === undefined ? [] : [path.join(installed, 'node_modules')]),
    ],
  };
}

type RunOptions = BuildOptions & { absWorkingDir: string; plugins: Plugin[] };

/**
 * Runs esbuild again to record what it reads and imports before it fails: a failed run has no metafile. If a file was saved
 * meanwhile it may succeed, and the next build picks that up.
 */
async function traceFailure(
  esbuild: typeof Esbuild,
  options: RunOptions,
  errors: readonly Message[],
): Promise<BundleTrace> {
  const files: string[] = [];
  const imports: ModuleImport[] = [];
  const recorder: Plugin = {
    name: 'recorder',
    setup: (build) => {
      build.onResolve({ filter: /.*/ }, ({ path: specifier, resolveDir, pluginData }) => {
        if (pluginData === undefined && resolveDir !== '') imports.push({ from: resolveDir, specifier });
        return undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path: file }) => {
        files.push(file);
        return undefined;
      });
    },
  };
  try {
    await esbuild.build({ ...options, plugins: [recorder, ...options.plugins] });
  } catch {
    // as expected
  }
  const filesWithErrors = errors.flatMap(({ location }) =>
    location === null || location.namespace !== 'file' ? [] : [path.resolve(options.absWorkingDir, location.file)],
  );
  return { files, imports, filesWithErrors };
}

/** Returns esbuild's message about an unknown option, or an invalid value. */
function refusedOption(failure: Partial<EsbuildFailure>): string | undefined {
  const texts = failure.errors?.map(({ text }) => text) ?? [failure.message ?? ''];
  const [first = ''] = texts;
  return failure.errors === undefined || /^Invalid option |^"\w+" must be |^Invalid value /.test(first)
    ? first
    : undefined;
}

/** `: src/app.ts:3:6: Expected ")" but found ";"`. */
function describeFirst([first]: readonly Message[]): string {
  if (first === undefined) return '';
  const { location, text } = first;
  return location === null ? `: ${text}` : `: ${location.file}:${location.line}:${location.column}: ${text}`;
}

function missingPackageHint(errors: readonly Message[]): string | undefined {
  const missing = errors.find((error) => /^Could not resolve "[^./]/.test(error.text));
  return (
    missing &&
    'Add the package to the dependencies in package.json, or name it in BuildProperties External if Lambda or a layer has it.'
  );
}
