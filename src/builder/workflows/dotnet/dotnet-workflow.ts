import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, readTextIfExists, statIfExists } from '../../../support/files.ts';
import { withParents } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { buildStoreDir } from '../../build-options.ts';
import { keyOf } from '../../build-key.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { addInputs, namesAbove, placesAbove } from '../files-above.ts';
import { findNamedVariables, LOGINS, variableParts, whyVariable } from '../named-variables.ts';
import type { NamedVariable, VariableSyntax } from '../named-variables.ts';
import { needTool } from '../need-tool.ts';
import { findOutsidePaths } from '../outside-paths.ts';
import type { PathSyntax } from '../outside-paths.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import { unpackZip } from '../unpack-zip.ts';
import { sharing } from '../workflow.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

/**
 * Runs `dotnet lambda package` in the source, whose `obj` folders make it incremental. Not `dotnet publish`: only the former
 * reads `aws-lambda-tools-defaults.json` and supports ahead-of-time compilation.
 */
export const dotnetWorkflow: Workflow = {
  name: 'dotnet',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const { inputs, unresolved, variables } = await projectInputs(definition, context);
    const args = packageArguments(definition, context);
    return {
      label: 'dotnet lambda',
      inputs: async () => inputs,
      sourceKey: async () =>
        keyOf(args, await keyOfInputs(inputs, context), ...variableParts(variables, context.tools.env)),
      make: async (target) => {
        // projects that share a reference would write into its obj folder at the same time
        await context.tools.exclusive('dotnet', () =>
          context.cache.withScratch((scratch) => runPackage({ definition, context, args, scratch }, target)),
        );
        return {};
      },
      share: async () => sharing(unresolved ?? whyVariable(variables) ?? (await whyUnlocked(inputs)), inputs),
    };
  },
};

const EXCLUDES = ['bin', 'obj', '.vs', '.git', '.aws-sam'];
/** Projects, and settings that they import. */
const BUILD_FILE = /\.(?:(?:cs|fs|vb)?proj|props|targets)$/;
const PATHS: PathSyntax = {
  isBuildFile: (name) => BUILD_FILE.test(name),
  // the project's own references are followed by themselves
  paths: /(?<!<ProjectReference\s[^>]*)=\s*"([^"<>]*\.\.[^"<>]*)"|>([^<>]*\.\.[\\/][^<>]*)</g,
  variables: [{ pattern: /^\$\((?:MSBuildThisFileDirectory|MSBuildProjectDirectory)\)\/?/, folder: 'file' }],
  unknown: /[$%@]\(/,
  excludes: EXCLUDES,
};

/** MSBuild has the environment as properties; the names of its own have no underscores and no capitals alone. */
const VARIABLES: VariableSyntax = {
  isFile: (name) => BUILD_FILE.test(name),
  uses: /\$\((CI|[A-Z][A-Z0-9]*_[A-Z0-9_]+)\)|GetEnvironmentVariable\(\s*['"]?([^'")]*)/g,
  ignored: LOGINS,
  excludes: EXCLUDES,
};

/** Returns the projects in the code's folder, their project references, and the settings above them. */
async function projectInputs(
  definition: BuildDefinition,
  { options }: BuildContext,
): Promise<{ inputs: BuildInput[]; unresolved: string | undefined; variables: NamedVariable[] }> {
  const projects = await projectFiles(definition.codeDir);
  if (projects.length === 0) {
    throw new UserError(`${definition.ids.join(', ')}: there is no .NET project in ${definition.codeDir}`, {
      hint: 'CodeUri is the folder of the .csproj, .fsproj or .vbproj.',
    });
  }
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await readTextIfExists(file);
    for (const [, include = ''] of (text ?? '').matchAll(/<ProjectReference\s[^>]*Include\s*=\s*["']([^"']+)["']/g))
      await visit(path.resolve(path.dirname(file), include.replaceAll('\\', '/')));
  };
  for (const file of projects) await visit(file);
  const dirs = [...new Set([...seen].map((file) => path.dirname(file)))];
  const places = placesAbove('dotnet', dirs, options.projectDir);
  const settings = addInputs(await settingsAbove(dirs), places);
  const own = [...dirs.map((dir) => ({ path: dir, excludes: EXCLUDES })), ...settings];
  const outside = await findOutsidePaths(await placesThatExist(own), PATHS);
  const { unresolved } = outside;
  const inputs = addInputs(own, outside.inputs);
  const variables = await findNamedVariables(
    inputs.map((input) => input.path),
    VARIABLES,
  );
  return {
    inputs,
    variables,
    unresolved: unresolved && `${unresolved}, whose place only MSBuild knows`,
  };
}

async function placesThatExist(inputs: readonly BuildInput[]): Promise<string[]> {
  const places: string[] = [];
  for (const { path: place } of inputs) if (await exists(place)) places.push(place);
  return places;
}

/** NuGet takes the lowest version that a reference allows, so only floating ones depend on the time. */
const FLOATING = /<Package(?:Reference|Version)\s[^>]*Version\s*=\s*["']([^"']*\*[^"']*)["']/;

async function whyUnlocked(inputs: readonly BuildInput[]): Promise<string | undefined> {
  for (const { path: place } of inputs) {
    const isFolder = (await statIfExists(place))?.isDirectory() === true;
    if (isFolder && (await exists(path.join(place, 'packages.lock.json')))) continue;
    for (const file of isFolder ? await projectFiles(place) : [place]) {
      const version = FLOATING.exec((await readTextIfExists(file)) ?? '')?.[1];
      if (version !== undefined)
        return `${path.basename(file)} asks for version ${version}, which the registry decides`;
    }
  }
  return undefined;
}

async function projectFiles(dir: string): Promise<string[]> {
  const names = await fs.readdir(dir);
  return names.filter((name) => /\.(?:cs|fs|vb)proj$/.test(name)).map((name) => path.join(dir, name));
}

/** Lists the settings that exist above projects, also above the repository. */
async function settingsAbove(dirs: readonly string[]): Promise<BuildInput[]> {
  const folders = new Set(dirs.flatMap((dir) => withParents(dir).slice(0, -1)));
  const places = [...folders].flatMap((folder) => namesAbove('dotnet').map((name) => path.join(folder, name))).sort();
  const inputs = places.map((file) => ({ path: file, excludes: [] }));
  const existing = new Set(await placesThatExist(inputs));
  return inputs.filter(({ path: file }) => existing.has(file));
}

function packageArguments({ architecture }: BuildDefinition, context: BuildContext): string[] {
  const debug = context.options.env['SAM_BUILD_MODE'] === 'debug' ? ['--configuration', 'Debug'] : [];
  const runtime = architecture === 'arm64' ? 'linux-arm64' : 'linux-x64';
  return ['--function-architecture', architecture, '--msbuild-parameters', `--runtime ${runtime}`, ...debug];
}

interface PackageJob {
  definition: BuildDefinition;
  context: BuildContext;
  args: readonly string[];
  scratch: string;
}

async function runPackage(job: PackageJob, target: string): Promise<void> {
  const { definition, context, args, scratch } = job;
  const { tools, stepId } = context;
  const dotnet = await needTool(
    tools,
    'dotnet',
    definition.ids,
    'Install the .NET SDK: https://dotnet.microsoft.com/download.',
  );
  const zip = path.join(scratch, 'package.zip');
  const [program, ...prefix] = await findLambdaTools(job, dotnet);
  await tools.run(program ?? dotnet, [...prefix, 'package', '--output-package', zip, ...args], {
    cwd: definition.codeDir,
    env: { DOTNET_CLI_TELEMETRY_OPTOUT: tools.env['DOTNET_CLI_TELEMETRY_OPTOUT'] ?? '1', DOTNET_NOLOGO: '1' },
    stepId,
    task: 'dotnet lambda package',
  });
  await unpackZip(zip, target);
}

/** Finds the user's Amazon.Lambda.Tools, else installs our own: the user's global tools stay unchanged. */
async function findLambdaTools({ definition, context }: PackageJob, dotnet: string): Promise<string[]> {
  const { tools, stepId, options } = context;
  const [installed] = await tools.find('dotnet-lambda');
  if (installed !== undefined) return [installed];
  if ((await tools.probe(dotnet, ['lambda', 'help'], definition.codeDir))?.code === 0) return [dotnet, 'lambda'];
  const folder = path.join(buildStoreDir(options.projectDir), 'dotnet-tools');
  const program = path.join(folder, process.platform === 'win32' ? 'dotnet-lambda.exe' : 'dotnet-lambda');
  if (!(await exists(program))) {
    await tools.run(
      dotnet,
      ['tool', 'install', 'Amazon.Lambda.Tools', '--tool-path', folder, '--ignore-failed-sources'],
      {
        cwd: definition.codeDir,
        stepId,
        task: 'dotnet tool install Amazon.Lambda.Tools',
        hint: 'Install it yourself: dotnet tool install -g Amazon.Lambda.Tools.',
      },
    );
  }
  return [program];
}
