import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder } from '../../../support/files.ts';
import { commonFolder, withSlashes } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { keyOf } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import { copyFiles, copyOver, copyTree, listTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { warnOfNewerClasses } from './class-versions.ts';
import { readReactor } from './maven-reactor.ts';
import type { Reactor } from './maven-reactor.ts';
import { findBuildProgram } from './build-program.ts';
import { addInputs, placesAbove } from '../files-above.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import { floatingInPoms } from './floating-versions.ts';
import { MAVEN_VARIABLES } from './java-variables.ts';
import { findNamedVariables, variableParts, whyVariable } from '../named-variables.ts';
import { sharing } from '../workflow.ts';
import type { DependencySet, PreparedBuild, BuildContext } from '../workflow.ts';

const EXCLUDES = ['target', '.git', '.aws-sam', '.idea'];
/** Folders of `target` whose jars are not part of a layer (docs/sam-cli-behaviour.md#maven). */
const NO_RESULTS = ['/classes', '/dependency', '/generated-sources', '/maven-archiver', '/maven-status'];

interface MavenJob {
  definition: BuildDefinition;
  context: BuildContext;
  reactor: Reactor;
}

/**
 * Prepares a build by Maven in a copy of the project with the modules and parents that it needs, so that the source stays clean
 * and no classes of removed files remain. Runs no tests.
 */
export async function prepareMaven(definition: BuildDefinition, context: BuildContext): Promise<PreparedBuild> {
  const job: MavenJob = { definition, context, reactor: await readReactor(definition.codeDir) };
  const inputs = inputsOf(job);
  const places = inputs.map((input) => input.path);
  const variables = await findNamedVariables(places, MAVEN_VARIABLES);
  const values = variableParts(variables, context.tools.env);
  const isLayer = definition.kind === 'layer';
  return {
    label: 'maven',
    inputs: async () => inputs,
    dependencies: await dependencySet(job, values),
    sourceKey: async () => keyOf('maven', definition.runtime, await keyOfInputs(inputs, context), ...values),
    make: async (target) => {
      await inCopy(job, async (place) => {
        // the classes are complete before the package phase, and only a layer needs the jar
        await runMaven(job, place, [isLayer ? 'package' : 'prepare-package']);
        if (isLayer) await copyJars(place(definition.codeDir), target);
        else await copyClasses(job, place(definition.codeDir), target);
      });
      return {};
    },
    share: async () => sharing(whyVariable(variables) ?? (await floatingInPoms(job.reactor.poms)), inputs),
  };
}

function inputsOf({ reactor, context: { options } }: MavenJob): BuildInput[] {
  const { needed, poms, root, missing } = reactor;
  // the copy is below the project: there Maven finds the `.mvn` of the project and above it
  const above = placesAbove('maven', [reactor.dir, root, options.projectDir], options.projectDir);
  const named = [...poms, ...missing].map((file) => ({ path: file, excludes: [] }));
  const files = addInputs(named, above).filter((input) => !needed.includes(path.dirname(input.path)));
  return [...needed.map((dir) => ({ path: dir, excludes: EXCLUDES })), ...files];
}

/** Returns the jars of the runtime scope, including those of local modules. */
async function dependencySet(job: MavenJob, values: readonly KeyPart[]): Promise<DependencySet> {
  const { reactor, context } = job;
  const poms = reactor.poms.map((file) => ({ path: file, excludes: [] }));
  const modules = inputsOf(job).filter(({ path: dir }) => dir !== reactor.dir);
  return {
    key: keyOf('maven', await keyOfInputs([...poms, ...modules], context), ...values),
    folder: 'java/lib',
    inFunction: 'lib',
    use: 'runtime',
    install: (target) =>
      inCopy(job, async (place) => {
        // other modules must be packaged before Maven can copy them
        const phases = reactor.needed.length > 1 ? ['package'] : [];
        await runMaven(job, place, [
          ...phases,
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
          '-Dmdep.prependGroupId=true',
        ]);
        const jars = path.join(place(reactor.dir), 'target', 'dependency');
        if (await exists(jars)) await copyTree(jars, target);
      }),
  };
}

type Place = (dir: string) => string;

async function inCopy(job: MavenJob, work: (place: Place) => Promise<void>): Promise<void> {
  const { reactor, context } = job;
  const folders = [reactor.root, ...reactor.needed, ...reactor.poms.map((file) => path.dirname(file))];
  const base = commonFolder(folders);
  await context.cache.withScratch(async (scratch) => {
    const place: Place = (dir) => path.join(scratch, path.relative(base, dir));
    for (const dir of reactor.needed) await copyTree(dir, place(dir), EXCLUDES);
    for (const file of reactor.poms)
      await copyFiles([{ path: path.basename(file), absolute: file }], place(path.dirname(file)));
    const settings = path.join(reactor.root, '.mvn');
    if (await exists(settings)) await copyTree(settings, path.join(place(reactor.root), '.mvn'));
    await work(place);
  });
}

async function runMaven(job: MavenJob, place: Place, goals: readonly string[]): Promise<void> {
  const { definition, reactor, context } = job;
  const { tools, stepId } = context;
  const module = withSlashes(path.relative(reactor.root, reactor.dir));
  // Maven leaves out a project whose selector begins with "-" or "!"
  const selection = module === '' ? [] : [`--projects=./${module}`, '--also-make'];
  await tools.run(
    await findMaven(job),
    [
      '--batch-mode',
      '--no-transfer-progress',
      ...selection,
      ...goals,
      '-DskipTests',
      '-Dstyle.color=never',
      REPRODUCIBLE,
    ],
    {
      cwd: place(reactor.root),
      stepId,
      task: `mvn ${goals[0]}`,
      copyOf: reactor.root,
      results: [path.join(place(reactor.dir), 'target')],
      hint: `The project is ${path.join(definition.codeDir, 'pom.xml')}.`,
    },
  );
}

/** Makes the jars of modules reproducible (plugins from 2019 on). */
const REPRODUCIBLE = '-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z';

function findMaven({ definition, reactor, context }: MavenJob): Promise<string> {
  const wrapper = process.platform === 'win32' ? 'mvnw.cmd' : 'mvnw';
  const hint = 'Install Maven (https://maven.apache.org) and a JDK, or add the Maven wrapper to the project.';
  const { tools } = context;
  return findBuildProgram({ name: 'mvn', wrapper, hint }, [reactor.dir, reactor.root], { ids: definition.ids, tools });
}

async function copyClasses({ definition, context }: MavenJob, dir: string, target: string): Promise<void> {
  const classes = path.join(dir, 'target', 'classes');
  if (!(await exists(classes))) {
    throw new UserError(`${definition.ids.join(', ')}: Maven created no target/classes`, {
      hint: 'The project of a function needs packaging jar and sources in src/main.',
    });
  }
  await warnOfNewerClasses(definition, context, classes);
  await copyTree(classes, target);
}

async function copyJars(dir: string, target: string): Promise<void> {
  const jars = listTree(path.join(dir, 'target'), NO_RESULTS).files.filter(({ path: name }) => name.endsWith('.jar'));
  await makeFolder(path.join(target, 'lib'));
  for (const { path: name, absolute } of jars) {
    const place = path.join(target, 'lib', name);
    await makeFolder(path.dirname(place));
    await copyOver(absolute, place);
  }
}
