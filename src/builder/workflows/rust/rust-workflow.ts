import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder, readTextIfExists } from '../../../support/files.ts';
import { ownValue } from '../../../support/own-value.ts';
import { asSegment } from '../../../support/places.ts';
import { fields, text } from '../../../support/shapes.ts';
import type { BuildInput } from '../../build-result.ts';
import { keyOf } from '../../build-key.ts';
import { copyOver } from '../../file-tree.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { needTool } from '../need-tool.ts';
import { parseTomlFile } from '../toml-file.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

/** `cargo lambda build` in the source, whose `target` folder makes it incremental. */
export const rustWorkflow: Workflow = {
  name: 'rust',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const manifest = await readCrate(definition.codeDir);
    if (manifest === undefined) {
      throw new UserError(`${definition.ids.join(', ')}: there is no Cargo.toml in ${definition.codeDir}`, {
        hint: 'CodeUri is the folder of the crate. cargo lambda new makes one.',
      });
    }
    const inputs = await crateInputs(definition.codeDir);
    const flags = buildFlags(definition, context);
    return {
      label: 'cargo lambda',
      inputs: async () => inputs,
      sourceKey: async () => keyOf(flags, await keyOfInputs(inputs, context), context.tools.env['RUSTFLAGS'] ?? null),
      make: async (target) => {
        // cargo locks its folder, but cargo lambda takes the program out of it afterwards
        await context.tools.exclusive('cargo', () =>
          context.cache.withScratch((scratch) => runCargo({ definition, context, flags, scratch }, target)),
        );
        return {};
      },
    };
  },
};

/** A table of a Cargo.toml. cargo says what is wrong in it; here it only tells what belongs to the crate. */
type Table = Readonly<Record<string, unknown>>;

/** The table at a path; an empty one if it is not there, or something else. */
function tableAt(table: Table, ...names: readonly string[]): Table {
  let found = table;
  for (const name of names) found = fields(ownValue(found, name)) ?? {};
  return found;
}

/** What is no source of a crate. */
const EXCLUDES = ['target', '.git', '.aws-sam'];

async function readCrate(dir: string): Promise<Table | undefined> {
  const file = path.join(dir, 'Cargo.toml');
  const content = await readTextIfExists(file);
  return content === undefined ? undefined : parseTomlFile(file, content);
}

/** The crate, the workspace around it, and the crates that these name by path, also through each other. */
async function crateInputs(codeDir: string): Promise<BuildInput[]> {
  const files = new Set<string>();
  const crates = new Set<string>();
  const visit = async (dir: string): Promise<void> => {
    if (crates.has(dir)) return;
    const manifest = await readCrate(dir);
    if (manifest === undefined) return;
    crates.add(dir);
    const root = await workspaceOf(dir, manifest);
    for (const name of ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'rust-toolchain.toml', 'rust-toolchain'])
      files.add(path.join(root.dir, name));
    for (const local of localDependencies(manifest, dir, root)) await visit(local);
  };
  await visit(codeDir);
  // a workspace may have its members below the function's own crate
  const inside = (file: string): boolean => [...crates].some((crate) => path.dirname(file) === crate);
  return [
    ...[...crates].map((dir) => ({ path: dir, excludes: EXCLUDES })),
    ...[...files].filter((file) => !inside(file)).map((file) => ({ path: file, excludes: [] })),
  ];
}

interface CrateRoot {
  dir: string;
  manifest: Table;
}

/** The nearest Cargo.toml with a `[workspace]`; the crate itself if there is none. */
async function workspaceOf(dir: string, manifest: Table): Promise<CrateRoot> {
  const named = text(tableAt(manifest, 'package')['workspace']);
  if (named !== undefined) {
    const root = path.resolve(dir, named);
    return { dir: root, manifest: (await readCrate(root)) ?? {} };
  }
  for (let folder = dir; ; folder = path.dirname(folder)) {
    const above = folder === dir ? manifest : await readCrate(folder);
    if (above?.['workspace'] !== undefined) return { dir: folder, manifest: above };
    if (path.dirname(folder) === folder) return { dir, manifest };
  }
}

function localDependencies(manifest: Table, dir: string, root: CrateRoot): string[] {
  const targets = tableAt(manifest, 'target');
  const places = [manifest, ...Object.keys(targets).map((name) => tableAt(targets, name))];
  const shared = tableAt(root.manifest, 'workspace', 'dependencies');
  const own = places
    .flatMap((place) => [tableAt(place, 'dependencies'), tableAt(place, 'build-dependencies')])
    .flatMap((table) => Object.keys(table).map((name) => ({ name, dependency: tableAt(table, name) })))
    .flatMap(({ name, dependency }) => {
      const { path: local, workspace } = dependency;
      if (local === undefined && workspace === true) return folderOf(root.dir, tableAt(shared, name)['path']);
      return folderOf(dir, local);
    });
  const patches = tableAt(root.manifest, 'patch');
  const patched = Object.keys(patches)
    .map((name) => tableAt(patches, name))
    .flatMap((table) => Object.keys(table).flatMap((name) => folderOf(root.dir, tableAt(table, name)['path'])));
  return [...own, ...patched];
}

function folderOf(base: string, value: unknown): string[] {
  return typeof value === 'string' ? [path.resolve(base, value)] : [];
}

/** As the peer calls it; Amazon Linux 2 has an older C library than what is built for by default. */
function buildFlags({ architecture, runtime, buildProperties }: BuildDefinition, context: BuildContext): string[] {
  const flags = context.options.env['SAM_BUILD_MODE'] === 'debug' ? [] : ['--release'];
  const machine = architecture === 'arm64' ? 'aarch64' : 'x86_64';
  if (runtime === 'provided.al2') flags.push('--target', `${machine}-unknown-linux-gnu.2.26`);
  else flags.push(architecture === 'arm64' ? '--arm64' : '--x86-64');
  const binary = buildProperties['Binary'];
  if (typeof binary === 'string') flags.push('--bin', binary);
  const features = buildProperties['Features'];
  const list = Array.isArray(features) ? features : [features];
  const names = list.filter((name): name is string => typeof name === 'string');
  if (names.length > 0) flags.push('--features', names.join(','));
  return flags;
}

interface CargoJob {
  definition: BuildDefinition;
  context: BuildContext;
  flags: readonly string[];
  /** Programs are put there, not into the one folder that all builds of a workspace share. */
  scratch: string;
}

async function runCargo(job: CargoJob, target: string): Promise<void> {
  const { definition, context, scratch } = job;
  const { tools, stepId } = context;
  const cargo = await needTool(tools, 'cargo', definition.ids, 'Install Rust: https://rustup.rs.');
  const hint =
    'Install it with Zig, by which it links for Lambda: pip install cargo-lambda, or brew install cargo-lambda.';
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

/** Cargo takes programs for an older C library for those of the newer one, so they get a folder of their own. */
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
  throw new UserError(`${definition.ids.join(', ')}: cargo lambda made ${names.join(', ') || 'no program'}`, {
    hint: 'Say which one is meant: Metadata BuildProperties Binary: NAME.',
  });
}
