import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder } from '../../../support/files.ts';
import { asSegment } from '../../../support/places.ts';
import { keyOf } from '../../build-key.ts';
import { copyOver } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { variableParts } from '../named-variables.ts';
import { needTool } from '../need-tool.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import { crateInputs, readCrate, tableAt, workspaceOf } from './crates.ts';
import { sharing } from '../workflow.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

/** `cargo lambda build` in the source, whose `target` folder makes it incremental. */
export const rustWorkflow: Workflow = {
  name: 'rust',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const manifest = await readCrate(definition.codeDir);
    if (manifest === undefined) {
      throw new UserError(`${definition.ids.join(', ')}: there is no Cargo.toml in ${definition.codeDir}`, {
        hint: 'CodeUri is the folder of the crate; cargo lambda new creates one.',
      });
    }
    const { inputs, variables, unshared } = await crateInputs(definition.codeDir, context.options.projectDir);
    const flags = buildFlags(definition, context);
    return {
      label: 'cargo lambda',
      inputs: async () => inputs,
      sourceKey: async () =>
        keyOf(flags, await keyOfInputs(inputs, context), ...variableParts(variables, context.tools.env)),
      make: async (target) => {
        // cargo locks its folder, but cargo lambda reads the program from it afterwards
        await context.tools.exclusive('cargo', () =>
          context.cache.withScratch((scratch) => runCargo({ definition, context, flags, scratch }, target)),
        );
        return {};
      },
      // cargo writes the lock file if there is none
      share: async () => sharing(unshared, inputs),
    };
  },
};

/** Returns the flags that SAM CLI passes; Amazon Linux 2 has an older C library than the default target. */
function buildFlags({ architecture, runtime, buildProperties }: BuildDefinition, context: BuildContext): string[] {
  const flags = context.options.env['SAM_BUILD_MODE'] === 'debug' ? [] : ['--release'];
  const machine = architecture === 'arm64' ? 'aarch64' : 'x86_64';
  if (runtime === 'provided.al2') flags.push('--target', `${machine}-unknown-linux-gnu.2.26`);
  else flags.push(architecture === 'arm64' ? '--arm64' : '--x86-64');
  const binary = buildProperties['Binary'];
  if (typeof binary === 'string') flags.push(`--bin=${binary}`);
  const features = buildProperties['Features'];
  const list = Array.isArray(features) ? features : [features];
  const names = list.filter((name): name is string => typeof name === 'string');
  if (names.length > 0) flags.push(`--features=${names.join(',')}`);
  return flags;
}

interface CargoJob {
  definition: BuildDefinition;
  context: BuildContext;
  flags: readonly string[];
  /** The folder of the built programs, instead of the one that all builds of a workspace share. */
  scratch: string;
}

async function runCargo(job: CargoJob, target: string): Promise<void> {
  const { definition, context, scratch } = job;
  const { tools, stepId } = context;
  const cargo = await needTool(tools, 'cargo', definition.ids, 'Install Rust: https://rustup.rs.');
  const hint = 'Install it with Zig, its linker for Lambda: pip install cargo-lambda, or brew install cargo-lambda.';
  await needTool(tools, 'cargo-lambda', definition.ids, hint);
  await tools.run(cargo, ['lambda', 'build', ...job.flags, '--lambda-dir', scratch], {
    cwd: definition.codeDir,
    env: await ownTarget(job),
    stepId,
    task: 'cargo lambda build',
  });
  await makeFolder(target);
  await copyOver(await builtProgram(job), path.join(target, 'bootstrap'));
}

/** Separates builds for the older C library: Cargo does not tell them from those for the newer one. */
async function ownTarget({ definition: { codeDir, runtime }, context }: CargoJob): Promise<Record<string, string>> {
  if (runtime !== 'provided.al2') return {};
  const { dir } = await workspaceOf(codeDir, (await readCrate(codeDir)) ?? {});
  const shared = path.resolve(dir, context.tools.env['CARGO_TARGET_DIR'] ?? 'target');
  return { CARGO_TARGET_DIR: path.join(shared, 'provided.al2') };
}

async function builtProgram({ definition, scratch }: CargoJob): Promise<string> {
  const names = await fs.readdir(scratch);
  const wanted = definition.buildProperties['Binary'];
  const what = `${definition.ids.join(', ')}: BuildProperties Binary`;
  const [name, ...others] = typeof wanted === 'string' ? [asSegment(wanted, what)] : names;
  const crate = tableAt((await readCrate(definition.codeDir)) ?? {}, 'package')['name'];
  const chosen = others.length === 0 ? name : names.find((other) => other === crate);
  const program = path.join(scratch, chosen ?? '', 'bootstrap');
  if (chosen !== undefined && (await exists(program))) return program;
  throw new UserError(`${definition.ids.join(', ')}: cargo lambda built ${names.join(', ') || 'no program'}`, {
    hint: 'Choose one: Metadata BuildProperties Binary: NAME.',
  });
}
