import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists } from '../../../support/files.ts';
import { isBelow } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { keyOf } from '../../build-key.ts';
import { copyFiles, copyTree, linkTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { copySource } from '../copy-source.ts';
import { addInputs } from '../files-above.ts';
import { inSourceDependencies } from './install-in-source.ts';
import { localInputs, nodeDependencies } from './install-dependencies.ts';
import { bundledPackages, readManifest, runtimeDependencies } from './manifest.ts';
import { settingsPlaces } from './package-managers.ts';
import { projectAlone, readNodeProject } from './project.ts';
import type { NodeProject } from './project.ts';
import { linkedModules, packFiles } from './pack-files.ts';
import { whyUnlocked } from './unlocked.ts';
import { sharing } from '../workflow.ts';
import type { DependencySet, BuildOutput, PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

const EXCLUDES = ['.aws-sam', '.git'];
/** Scripts that npm runs in the source before it packs a package. */
const PACK_SCRIPTS = ['prepack', 'prepare', 'postpack'];
/** The package's own scripts that npm runs after it has installed the dependencies. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];
/** Scripts that write into the source run until nothing changes, at most this many times. */
const MAX_RUNS = 3;

/** Builds Node.js functions and layers without a bundler: the files that `npm pack` would publish, and the dependencies. */
export const nodejsWorkflow: Workflow = {
  name: 'nodejs',
  version: 1,
  // only folders without package.json are remembered
  settings: async () => null,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const manifest = await readManifest(definition.codeDir);
    if (!manifest) return prepareCopy(definition, context);
    const project =
      Object.keys(runtimeDependencies(manifest)).length === 0
        ? projectAlone(definition.codeDir, manifest)
        : await readNodeProject(definition.codeDir, manifest, context);
    const scripts = INSTALL_SCRIPTS.filter((name) => manifest.scripts?.[name] !== undefined);
    const dependencies = await dependencySet(definition, project, context);
    const hasOwnModules = bundledPackages(manifest).length > 0 || linkedModules(definition.codeDir).length > 0;
    const excludes = hasOwnModules ? EXCLUDES : [...EXCLUDES, '/node_modules'];
    const job: NodeJob = { definition, context, project, excludes, scripts };
    return {
      label: dependencies ? project.manager : 'copied',
      inputs: async () => inputsOf(job),
      dependencies: dependencies && { ...dependencies, use: scripts.length > 0 ? 'build' : 'runtime' },
      sourceKey: () => sourceKey(job),
      make: (target, installed) => makePackage(job, target, installed),
      share: async () => sharing(whyUnlocked(project), inputsOf(job)),
    };
  },
};

interface NodeJob {
  definition: BuildDefinition;
  context: BuildContext;
  project: NodeProject;
  excludes: readonly string[];
  /** The package's own install scripts. */
  scripts: readonly string[];
}

/** Prepares a folder without package.json: it is copied. */
function prepareCopy(definition: BuildDefinition, context: BuildContext): PreparedBuild {
  return {
    label: 'copied',
    inputs: async () => [{ path: definition.codeDir, excludes: EXCLUDES }],
    isDecidedByInputs: true,
    sourceKey: async () => keyOf('plain', await context.hasher.hashTree(definition.codeDir, EXCLUDES)),
    make: async (target) => {
      await copySource(context, { source: definition.codeDir, target, excludes: EXCLUDES });
      return {};
    },
    share: async () => ({ inputs: [{ path: definition.codeDir, excludes: EXCLUDES }] }),
  };
}

async function dependencySet(
  definition: BuildDefinition,
  project: NodeProject,
  context: BuildContext,
): Promise<Omit<DependencySet, 'use'> | undefined> {
  if (context.options.buildInSource && project.manager === 'npm')
    return inSourceDependencies(definition, project, context);
  return nodeDependencies(definition, project, context);
}

/** Returns the package, its lock file and settings, and the local packages that it needs. */
function inputsOf({ project, excludes, context: { options } }: NodeJob): BuildInput[] {
  const isAlone = project.root === project.dir;
  const files = isAlone
    ? []
    : [path.join(project.root, 'package.json'), ...(project.lock === undefined ? [] : [project.lock])];
  const settings = settingsPlaces(project, options.projectDir).filter((input) => !isBelow(input.path, project.dir));
  return addInputs(
    [
      { path: project.dir, excludes },
      ...files.map((file) => ({ path: file, excludes: [] })),
      ...localInputs(project.locals),
    ],
    settings,
  );
}

function sourceKey({ definition, context, excludes, scripts }: NodeJob): Promise<string> {
  return context.hasher.hashTree(definition.codeDir, excludes).then((hash) => keyOf('package', hash, scripts));
}

async function makePackage(job: NodeJob, target: string, installed: string | undefined): Promise<BuildOutput> {
  const { definition, scripts } = job;
  const { key, isUnsettled } = await runPackScripts(job);
  await copyFiles(await packFiles(definition.codeDir), target);
  for (const name of ['package-lock.json', 'npm-shrinkwrap.json']) {
    const file = path.join(definition.codeDir, name);
    if (await exists(file)) await copyFiles([{ path: name, absolute: file }], target);
  }
  if (scripts.length > 0) await runInstallScripts(job, target, installed);
  if (job.context.tools.env['SAM_NPM_RUN_TEST_WITH_BUILD'] === 'true') await runTests(job, target, installed);
  await fs.rm(path.join(target, '.npmrc'), { force: true });
  return { sourceKey: key, isUnsettled };
}

/** Runs `prepack` and `prepare` in the source, as npm does: they write files to pack (compiled code). */
async function runPackScripts(job: NodeJob): Promise<{ key: string; isUnsettled: boolean }> {
  const scripts = PACK_SCRIPTS.filter((name) => job.project.manifest.scripts?.[name] !== undefined);
  let before = await sourceKey(job);
  if (scripts.length === 0) return { key: before, isUnsettled: false };
  for (let run = 0; run < MAX_RUNS; run++) {
    for (const name of scripts) await runScript(job, name, job.definition.codeDir);
    const after = await sourceKey(job);
    // unchanged: the scripts have seen everything that was saved meanwhile
    if (after === before) return { key: after, isUnsettled: false };
    before = after;
  }
  return { key: before, isUnsettled: true };
}

/**
 * Runs the package's install scripts in the artifact, a copy of source and dependencies: they may change both (patches, generated
 * code).
 */
async function runInstallScripts(job: NodeJob, target: string, installed: string | undefined): Promise<void> {
  if (installed !== undefined) await fs.cp(installed, target, { recursive: true, verbatimSymlinks: true });
  for (const name of job.scripts) await runScript(job, name, target);
}

/** Runs `npm test` in the finished package, as SAM CLI does if SAM_NPM_RUN_TEST_WITH_BUILD is set. */
async function runTests(job: NodeJob, target: string, installed: string | undefined): Promise<void> {
  if (job.project.manifest.scripts?.['test'] === undefined) return;
  await job.context.cache.withScratch(async (scratch) => {
    await copyTree(target, scratch);
    if (installed !== undefined) await linkTree(installed, scratch);
    await runScript(job, 'test', scratch);
  });
}

async function runScript(job: NodeJob, name: string, cwd: string): Promise<void> {
  const { tools, stepId } = job.context;
  const [npm] = await tools.find('npm');
  if (npm === undefined) {
    throw new UserError(
      `npm is needed to run the script ${name} of ${job.definition.ids.join(', ')}, and it is not on PATH`,
      {
        hint: 'npm comes with Node.js: https://nodejs.org.',
      },
    );
  }
  await tools.run(npm, ['run', name], { cwd, stepId, task: `npm run ${name}` });
}
