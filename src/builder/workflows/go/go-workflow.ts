import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, namesIn } from '../../../support/files.ts';
import { placeBelow } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { keyOf } from '../../build-key.ts';
import { decisiveVariables } from '../../decisive-variables.ts';
import { compileNames, escapeGlob } from '../../../support/globs.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { findAbove } from '../../../support/find-above.ts';
import { addInputs, placesAbove } from '../files-above.ts';
import { needTool } from '../need-tool.ts';
import { traceInputs } from '../traced-inputs.ts';
import type { Trace, TracedInputs } from '../traced-inputs.ts';
import { sharing } from '../workflow.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

/** Runs `go build` in the source: Go's own cache makes it incremental, and it writes nothing there. */
export const goWorkflow: Workflow = {
  name: 'go',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const job: GoJob = {
      definition,
      context,
      packageDir: await findPackage(definition),
      module: await findModule(definition),
      trimPath: String(definition.buildProperties['TrimGoPath']) === 'true',
      debug: context.options.env['SAM_BUILD_MODE'] === 'debug',
    };
    const trace = (): Promise<TracedInputs> => traceInputs(traceName(job), context, () => listInputs(job));
    return {
      label: 'go',
      inputs: async () => (await trace()).inputs,
      sourceKey: async () => keyOf(programName(definition), job.trimPath, job.debug, (await trace()).key),
      make: async (target) => {
        const { fact } = await trace();
        await runGo(job, target, fact === CGO);
        return {};
      },
      share: async () => {
        const { fact, inputs } = await trace();
        const reason = fact === CGO ? 'cgo uses the C libraries of this machine' : undefined;
        return sharing(reason, inputs);
      },
    };
  },
};

interface GoJob {
  definition: BuildDefinition;
  context: BuildContext;
  packageDir: string;
  /** The folder of the go.mod. */
  module: string;
  trimPath: boolean;
  debug: boolean;
}

/** Flags decide which files belong to a program. */
function traceName({ definition, context, packageDir }: GoJob): string {
  const variables = decisiveVariables('go', context.tools.env).map(([name, value]) => `${name}=${value}`);
  return ['go', definition.architecture, packageDir, ...variables].join(' ');
}

/** A package of the program uses cgo. */
const CGO = 'cgo';
const EXCLUDES = ['.git', '.aws-sam', 'node_modules'];
/** Files in a package's folder that do not belong to it. */
const OTHER_FILES = ['*_test.go', '*.md'];

/** Returns the program's name: Lambda starts `bootstrap`, and `go1.x` starts the handler. */
function programName({ runtime, handler }: BuildDefinition): string {
  return runtime === 'go1.x' && handler !== undefined && handler !== '' ? handler : 'bootstrap';
}

/** Finds the folder of the main package: the code's folder, or a folder in it that the handler names. */
async function findPackage({ codeDir, handler, ids }: BuildDefinition): Promise<string> {
  const candidates = [codeDir, ...(handler ? [path.join(codeDir, handler)] : [])];
  for (const dir of candidates) {
    const names = namesIn(dir);
    if (names.some((name) => name.endsWith('.go') && !name.endsWith('_test.go'))) return dir;
  }
  throw new UserError(`${ids.join(', ')}: there are no Go files in ${candidates.join(' or ')}`, {
    hint: 'CodeUri is the folder of the main package, or its parent if the Handler names the folder.',
  });
}

async function findModule({ codeDir, ids }: BuildDefinition): Promise<string> {
  const module = await findAbove(codeDir, 'go.mod');
  if (module !== undefined) return module;
  throw new UserError(`${ids.join(', ')}: there is no go.mod in ${codeDir} or above it`, {
    hint: 'Create one there: go mod init NAME, then go mod tidy.',
  });
}

function goEnv({ definition }: GoJob): Record<string, string> {
  return { GOOS: 'linux', GOARCH: definition.architecture === 'arm64' ? 'arm64' : 'amd64' };
}

const LISTED = '{{if not .Standard}}{{.Dir}}\t{{len .CgoFiles}}\t{{join .EmbedPatterns "\t"}}{{end}}';

/** Lists the folders of the program's packages in all local modules, without downloaded ones. */
async function listInputs(job: GoJob): Promise<Trace> {
  const { definition, context, packageDir, module } = job;
  const go = await needGo(job);
  const how = { cwd: packageDir, env: goEnv(job), stepId: context.stepId };
  const cache = await context.tools.run(go, ['env', 'GOMODCACHE', 'GOWORK'], { ...how, task: 'go env' });
  const [downloads = '', workspace = ''] = cache.stdout.split(/\r?\n/);
  const files = ['go.mod', 'go.sum'].map((name) => path.join(module, name));
  const settings = [...files, ...(path.isAbsolute(workspace) ? [workspace, `${workspace}.sum`] : [])];
  const list = await context.tools.run(go, ['list', '-deps', '-e', '-f', LISTED, '.'], {
    ...how,
    task: 'go list',
    hint: `The program's package is ${packageDir}.`,
  });
  const packages = list.stdout
    .split(/\r?\n/)
    .map((line) => line.split('\t'))
    .filter(([dir = '']) => dir !== '' && !dir.startsWith(downloads + path.sep));
  const inputs = await Promise.all(
    packages.map(([dir = '', , ...embedded]) =>
      packageInput(
        dir,
        embedded.filter((pattern) => pattern !== ''),
      ),
    ),
  );
  // a package of another local module (`replace`, a workspace) adds its go.mod
  for (const { path: dir } of inputs) {
    const other = await findAbove(dir, 'go.mod');
    if (other !== undefined && other !== module) settings.push(path.join(other, 'go.mod'), path.join(other, 'go.sum'));
  }
  const cgo = list.stdout.split(/\r?\n/).some((line) => Number(line.split('\t')[1] ?? 0) > 0);
  const folders = inputs.length > 0 ? inputs : [{ path: definition.codeDir, excludes: EXCLUDES }];
  const named = [...new Set(settings)].map((file) => ({ path: file, excludes: [] }));
  return {
    inputs: addInputs([...folders, ...named], placesAbove('go', [module], context.options.projectDir)),
    fact: cgo ? CGO : undefined,
  };
}

/** Returns a package's folder without subfolders, except those in which its embed patterns may match. */
async function packageInput(dir: string, embedded: readonly string[]): Promise<BuildInput> {
  const starts = embedded.map((pattern) => pattern.replace(/^all:/, '').split('/')[0] ?? '');
  if (starts.some((start) => start === '.')) return { path: dir, excludes: EXCLUDES };
  const mayMatch = compileNames(starts);
  const items = await fs.readdir(dir, { withFileTypes: true });
  const others = items.filter((item) => item.isDirectory() && !mayMatch(item.name));
  return {
    path: dir,
    excludes: [...others.map((item) => `/${escapeGlob(item.name)}`), ...(embedded.length > 0 ? [] : OTHER_FILES)],
  };
}

/**
 * Builds the program. Without cgo it is linked statically: else it would need the C library of this machine, which is newer than
 * Lambda's. (SAM CLI does not do that.)
 */
async function runGo(job: GoJob, target: string, usesC: boolean): Promise<void> {
  const { definition, context, packageDir } = job;
  const flags = [...(job.trimPath ? ['-trimpath'] : []), ...(job.debug ? ['-gcflags', 'all=-N -l'] : [])];
  const cgo = usesC ? {} : { CGO_ENABLED: context.tools.env['CGO_ENABLED'] ?? '0' };
  const program = placeBelow(target, programName(definition), `${definition.ids.join(', ')}: its Handler`);
  await context.tools.run(await needGo(job), ['build', ...flags, '-o', program, packageDir], {
    cwd: packageDir,
    env: { ...goEnv(job), ...cgo },
    stepId: context.stepId,
    task: 'go build',
  });
  if (await exists(program)) return;
  throw new UserError(`${definition.ids.join(', ')}: go build created no program`, {
    hint: `${packageDir} must be a package main.`,
  });
}

function needGo({ definition, context }: GoJob): Promise<string> {
  return needTool(context.tools, 'go', definition.ids, 'Install Go: https://go.dev/dl.');
}
