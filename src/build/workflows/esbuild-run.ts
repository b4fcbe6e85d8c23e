import * as path from 'node:path';
import type { BuildFailure as EsbuildFailure, BuildResult as EsbuildResult, Message } from 'esbuild';
import { UserError } from '../../errors.ts';
import { ToolError } from '../tools.ts';
import type { BundleJob } from './esbuild.ts';
import { installedPlugin } from './esbuild-packages.ts';

/** Runs esbuild; what it says is reported in its own form. */
export async function runEsbuild(
  job: BundleJob,
  entries: readonly string[],
  installed: string | undefined,
): Promise<EsbuildResult> {
  const { definition, options, manifest, program, workshop, outdated } = job;
  const esbuild = await program.load();
  const external = [
    ...(options.esbuild.external ?? []),
    ...(options.allDependenciesExternal ? Object.keys(manifest.dependencies ?? {}) : []),
  ];
  const log = async (messages: Message[], kind: 'error' | 'warning'): Promise<string> => {
    const texts = await esbuild.formatMessages(messages, { kind, color: false, terminalWidth: 120 });
    return texts.join('').trim();
  };
  const report = (text: string): void =>
    text.split('\n').forEach((line) => workshop.tools.report(workshop.stepId, line));
  try {
    const result = await esbuild.build({
      ...options.esbuild,
      external,
      entryPoints: [...entries],
      absWorkingDir: definition.codeDir,
      // nothing is written there: source maps then name sources as seen from the function's folder
      outdir: definition.codeDir,
      allowOverwrite: true,
      write: false,
      bundle: true,
      platform: 'node',
      metafile: true,
      logLevel: 'silent',
      plugins:
        installed === undefined || outdated.length === 0
          ? []
          : [
              installedPlugin(
                installed,
                outdated.map(({ name }) => name),
              ),
            ],
      nodePaths: [
        ...(options.esbuild.nodePaths ?? []),
        ...(installed === undefined ? [] : [path.join(installed, 'node_modules')]),
      ],
    });
    if (result.warnings.length > 0) report(await log(result.warnings, 'warning'));
    return result;
  } catch (error) {
    const failure = error as EsbuildFailure;
    const what = definition.ids.join(', ');
    const refused = refusedOption(failure);
    if (refused !== undefined) {
      throw new UserError(`esbuild refused the BuildProperties of ${what}: ${refused}`, { cause: error });
    }
    const text = await log(failure.errors, 'error');
    report(text);
    const why = `esbuild could not bundle ${what}${describeFirst(failure.errors)}`;
    throw new ToolError(why, text, missingPackageHint(failure.errors));
  }
}

/** What esbuild says of an option that it does not know, or of a value that it does not take. */
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
