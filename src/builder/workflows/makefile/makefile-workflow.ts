import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder } from '../../../support/files.ts';
import { removeLeftovers, withTemporaryFolder } from '../../../support/temporary.ts';
import { isBelow } from '../../../support/places.ts';
import { keyOf } from '../../build-key.ts';
import { copyTree } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

const EXCLUDES = ['.aws-sam', '.git'];
const SCRATCH = 'sam-sync-make-copy';

/** Runs `make build-<LogicalId>` in a copy of the source, or in the source itself; the target fills `$ARTIFACTS_DIR`. */
export const makefileWorkflow: Workflow = {
  name: 'makefile',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const { options, hasher } = context;
    const settings = definition.makefile ?? {
      logicalId: '',
      contextDir: undefined,
      workingDir: undefined,
      projectRoot: undefined,
    };
    const source = settings.projectRoot ?? definition.codeDir;
    const makefile = path.join(settings.contextDir ?? source, 'Makefile');
    if (!(await exists(makefile))) {
      throw new UserError(`${definition.ids.join(', ')}: there is no Makefile at ${makefile}`, {
        hint: `Add one with a target build-${settings.logicalId}, or set Metadata ContextPath to its folder.`,
      });
    }
    const folders = [...new Set([source, settings.contextDir ?? source])];
    return {
      label: 'make',
      inputs: async () => folders.map((folder) => ({ path: folder, excludes: EXCLUDES })),
      // in the source, make itself decides what is up to date, and what it writes there must not run it again
      sourceKey: async () =>
        options.buildInSource
          ? undefined
          : keyOf({ ...settings }, await Promise.all(folders.map((folder) => hasher.hashTree(folder, EXCLUDES)))),
      make: async (target) => {
        await makeFolder(target);
        if (!options.buildInSource) {
          const { temporaryDir } = context.tools;
          await removeLeftovers(temporaryDir, { prefix: SCRATCH });
          // outside the project: cargo, go and others read folders above the copy
          await withTemporaryFolder(temporaryDir, SCRATCH, async (scratch) => {
            await copyTree(source, scratch, EXCLUDES);
            await runMake(definition, context, {
              makefile,
              target,
              cwd: workingDir(settings.workingDir, source, scratch),
              results: [target],
            });
          });
          return {};
        }
        await runMake(definition, context, { makefile, target, cwd: settings.workingDir ?? source });
        return { sourceKey: keyOf('content', await hasher.hashTree(target)) };
      },
    };
  },
};

/** Maps a working folder inside the source to the copy. */
function workingDir(configured: string | undefined, source: string, copy: string): string {
  if (configured === undefined) return copy;
  const isInside = configured === source || isBelow(configured, source);
  return isInside ? path.join(copy, path.relative(source, configured)) : configured;
}

async function runMake(
  definition: BuildDefinition,
  context: BuildContext,
  how: { makefile: string; target: string; cwd: string; results?: readonly string[] },
): Promise<void> {
  const { tools, stepId } = context;
  const [make] = await tools.find('make');
  if (make === undefined) {
    throw new UserError(`make is needed to build ${definition.ids.join(', ')}, and it is not ${tools.place}`, {
      hint: 'Install GNU make: xcode-select --install on macOS, your package manager on Linux, chocolatey or MSYS2 on Windows.',
    });
  }
  const targetName = `build-${definition.makefile?.logicalId}`;
  await tools.run(make, ['--makefile', how.makefile, targetName], {
    cwd: how.cwd,
    env: { ARTIFACTS_DIR: how.target },
    stepId,
    task: `make ${targetName}`,
    results: how.results,
  });
}
