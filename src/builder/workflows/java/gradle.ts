import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { makeFolder } from '../../../support/files.ts';
import type { BuildInput } from '../../build-result.ts';
import { buildStoreDir } from '../../build-options.ts';
import { keyOf } from '../../build-key.ts';
import { copyTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { findAbove } from '../../../support/find-above.ts';
import { GRADLE_INIT } from './gradle-init.ts';
import { warnOfNewerClasses } from './class-versions.ts';
import { findBuildProgram } from './build-program.ts';
import { placesAbove } from '../files-above.ts';
import { findOutsidePaths } from '../outside-paths.ts';
import type { PathSyntax } from '../outside-paths.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import { GRADLE_VARIABLES } from './java-variables.ts';
import { findNamedVariables, variableParts, whyVariable } from '../named-variables.ts';
import { floatingInGradle } from './floating-versions.ts';
import { sharing } from '../workflow.ts';
import type { PreparedBuild, BuildContext } from '../workflow.ts';

const EXCLUDES = ['build', '.gradle', '.git', '.aws-sam', '.idea', 'out'];

/** Included builds, scripts, catalogs and projects outside the root project. */
const PATHS: PathSyntax = {
  isBuildFile: (name) => /\.gradle(?:\.kts)?$/.test(name),
  paths: /"([^"\n]*\.\.[^"\n]*)"|'([^'\n]*\.\.[^'\n]*)'/g,
  variables: [
    { pattern: /^\$\{?(?:rootDir|rootProject\.projectDir|settingsDir)\}?\/?/, folder: 'root' },
    { pattern: /^\$\{?(?:projectDir|project\.projectDir)\}?\/?/, folder: 'file' },
  ],
  unknown: /\$/,
  excludes: EXCLUDES,
};

interface GradleJob {
  definition: BuildDefinition;
  context: BuildContext;
  /** The folder of the settings: the root project. */
  root: string;
  /** What its files name outside that folder, and where Gradle looks for settings. */
  outside: readonly BuildInput[];
}

/** Prepares a build by Gradle in the source with its output elsewhere; its daemon and caches make it incremental. Runs no tests. */
export async function prepareGradle(definition: BuildDefinition, context: BuildContext): Promise<PreparedBuild> {
  const { codeDir } = definition;
  const root = (await findAbove(codeDir, 'settings.gradle', 'settings.gradle.kts')) ?? codeDir;
  const { inputs: named, unresolved } = await findOutsidePaths([root], PATHS);
  const settings = placesAbove('gradle', [root], context.options.projectDir);
  const outside = [...named, ...settings.filter((input) => path.dirname(input.path) !== root)];
  const job: GradleJob = { definition, context, root, outside };
  const inputs = [{ path: root, excludes: EXCLUDES }, ...outside];
  const folders = [root, ...named.map((input) => input.path)];
  const variables = await findNamedVariables(folders, GRADLE_VARIABLES);
  const values = variableParts(variables, context.tools.env);
  const isLayer = definition.kind === 'layer';
  return {
    label: 'gradle',
    inputs: async () => inputs,
    dependencies: {
      key: keyOf(
        'gradle',
        codeDir === root ? '' : path.relative(root, codeDir),
        await keyOfInputs(dependencyInputs(job), context),
        ...values,
      ),
      folder: 'java/lib',
      inFunction: 'lib',
      use: 'runtime',
      install: (target) => runGradle(job, 'samSyncLib', (exported) => copyTree(path.join(exported, 'lib'), target)),
    },
    sourceKey: async () =>
      keyOf('gradle', definition.runtime, path.relative(root, codeDir), await keyOfInputs(inputs, context), ...values),
    make: async (target) => {
      const task = isLayer ? 'samSyncJar' : 'samSyncClasses';
      await runGradle(job, task, async (exported) => {
        if (isLayer) return copyTree(path.join(exported, 'jar'), path.join(target, 'lib'));
        await warnOfNewerClasses(definition, context, path.join(exported, 'classes'));
        await copyTree(path.join(exported, 'classes'), target);
      });
      return {};
    },
    share: async () => {
      const unknown = (unresolved && `${unresolved}, whose place only Gradle knows`) ?? whyVariable(variables);
      return sharing(unknown ?? (await floatingInGradle(folders, EXCLUDES)), inputs);
    },
  };
}

/** Returns what decides the dependencies: not `src` of a single project, but sources of other projects, which become jars. */
function dependencyInputs({ definition, root, outside }: GradleJob): BuildInput[] {
  const excludes = definition.codeDir === root ? [...EXCLUDES, '/src'] : EXCLUDES;
  return [{ path: root, excludes }, ...outside];
}

async function runGradle(job: GradleJob, task: string, take: (exported: string) => Promise<void>): Promise<void> {
  const { definition, context, root } = job;
  const { tools, stepId, options, cache } = context;
  const work = path.join(buildStoreDir(options.projectDir), 'gradle', keyOf(root, tools.identity));
  const gradle = await findGradle(job);
  const script = path.join(work, 'init.gradle');
  await makeFolder(work);
  await fs.writeFile(script, GRADLE_INIT);
  await cache.withScratch(async (scratch) => {
    const exported = path.join(scratch, 'export');
    await makeFolder(path.join(exported, 'lib'));
    const args = [
      '--console=plain',
      '--project-cache-dir',
      path.join(work, 'cache'),
      '--init-script',
      script,
      `-DsamSync.buildDir=${path.join(work, 'build')}`,
      `-DsamSync.projectDir=${definition.codeDir}`,
      `-DsamSync.exportDir=${exported}`,
      '-Dorg.gradle.configuration-cache=false',
      task,
    ];
    // parallel builds of one project would wait for its lock, and print so
    await tools.exclusive(`gradle ${root}`, () =>
      tools.run(gradle, args, { cwd: definition.codeDir, stepId, task: `gradle ${task}` }),
    );
    await take(exported);
  });
}

function findGradle({ definition, context, root }: GradleJob): Promise<string> {
  const wrapper = process.platform === 'win32' ? 'gradlew.bat' : 'gradlew';
  const hint = 'Install Gradle (https://gradle.org) and a JDK, or add the Gradle wrapper to the project.';
  const { tools } = context;
  return findBuildProgram({ name: 'gradle', wrapper, hint }, [definition.codeDir, root], {
    ids: definition.ids,
    tools,
  });
}
