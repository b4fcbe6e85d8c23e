import { UserError } from '../../../errors.ts';
import { findAbove } from '../../../support/find-above.ts';
import { prepareGradle } from './gradle.ts';
import { prepareMaven } from './maven.ts';
import type { PreparedBuild, Workflow } from '../workflow.ts';

const GRADLE_FILES = ['build.gradle', 'build.gradle.kts'];

/**
 * Builds Java functions and layers with Gradle or Maven: classes and resources at the root, the jars of the runtime classpath in
 * `lib`. A layer holds jars only.
 */
export const javaWorkflow: Workflow = {
  name: 'java',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const { codeDir, ids } = definition;
    if ((await findAbove(codeDir, ...GRADLE_FILES)) === codeDir) return prepareGradle(definition, context);
    if ((await findAbove(codeDir, 'pom.xml')) === codeDir) return prepareMaven(definition, context);
    throw new UserError(`${ids.join(', ')}: there is neither a pom.xml nor a build.gradle in ${codeDir}`, {
      hint: 'CodeUri is the folder of the Maven or Gradle project (or module) of the function.',
    });
  },
};
