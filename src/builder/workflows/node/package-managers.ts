import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder, readTextIfExists, removeTree, statIfExists } from '../../../support/files.ts';
import { quoted } from '../../../support/places.ts';
import { withoutLoginLines } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import type { BuildInput } from '../../build-result.ts';
import { ToolError } from '../../tools/tools.ts';
import type { Tools } from '../../tools/tools.ts';
import { addInputs, placesAbove } from '../files-above.ts';
import type { BuildContext } from '../workflow.ts';
import type { NodeProject, PackageManager } from './project.ts';

/** An installation in a folder with the manifests and the lock file. */
export interface NodeInstall {
  project: NodeProject;
  tools: Tools;
  /** The folder in which the manager runs. */
  cwd: string;
  /** The workspace member to install, relative to `cwd`; '' for a single package. */
  member: string;
  architecture: 'x86_64' | 'arm64';
  /** `BuildProperties.UseNpmCi`. */
  useNpmCi: boolean;
  /** Install local packages as copies, not links: outside workspaces npm does not install what a linked folder needs. */
  copyLocals?: boolean;
  stepId: string;
  ids: readonly string[];
}

/** The managers' own files in `node_modules`, which differ from run to run. */
const BOOKKEEPING = [
  '.package-lock.json',
  '.modules.yaml',
  '.pnpm-workspace-state.json',
  '.pnpm-workspace-state-v1.json',
  '.pnpm',
  '.yarn-integrity',
  '.yarn-state.yml',
  '.package-map.json',
  '.cache',
];

/** Runs the package manager, for Linux and the function's processor if the manager can install for another system. */
export async function runPackageManager(install: NodeInstall): Promise<void> {
  const berry = install.project.manager === 'yarn' && (await isBerry(install.project));
  if (berry) await setArchitecture(install);
  const [program, prefix] = await findManager(install);
  const commands = commandsOf(install, berry);
  const run = async (args: readonly string[]): Promise<void> => {
    await install.tools.run(program, [...prefix, ...args], {
      cwd: install.cwd,
      env: berry ? { YARN_NODE_LINKER: 'node-modules', YARN_ENABLE_TELEMETRY: '0' } : {},
      stepId: install.stepId,
      task: `${install.project.manager} ${args[0]}`,
    });
  };
  try {
    await run([...commands.args, ...commands.platform]);
  } catch (error) {
    // packages whose install scripts run installed programs cannot be installed for another system
    if (!(error instanceof ToolError) || isLambdaLike(install.architecture) || commands.platform.length === 0)
      throw error;
    await removeTree(path.join(install.cwd, 'node_modules'));
    await run(commands.args);
  }
}

/** Sets the architecture for Yarn 2 and later, which choose native packages by a setting. */
async function setArchitecture({ cwd, architecture }: NodeInstall): Promise<void> {
  const file = path.join(cwd, '.yarnrc.yml');
  const text = (await readTextIfExists(file)) ?? '';
  if (/^supportedArchitectures:/m.test(text)) return;
  const setting = `supportedArchitectures:\n  os: [linux]\n  cpu: [${nodeArch(architecture)}]\n  libc: [glibc]\n`;
  await fs.writeFile(file, `${text}\n${setting}`);
}

/** Removes the manager's own files. */
export async function removeBookkeeping(nodeModules: string): Promise<void> {
  for (const name of BOOKKEEPING) await removeTree(path.join(nodeModules, name));
}

function isLambdaLike(architecture: 'x86_64' | 'arm64'): boolean {
  return process.platform === 'linux' && process.arch === nodeArch(architecture);
}

/** Returns the processor as Node.js names it. */
export function nodeArch(architecture: 'x86_64' | 'arm64'): 'x64' | 'arm64' {
  return architecture === 'arm64' ? 'arm64' : 'x64';
}

function commandsOf(install: NodeInstall, berry: boolean): { args: string[]; platform: string[] } {
  const { project, member } = install;
  const platform = ['--os=linux', `--cpu=${nodeArch(install.architecture)}`, '--libc=glibc'];
  if (project.manager === 'pnpm') {
    const scope = member === '' ? ['--ignore-workspace'] : ['--filter', `{./${member}}...`];
    const args = [
      'install',
      '--prod',
      '--frozen-lockfile',
      '--config.node-linker=hoisted',
      '--config.confirm-modules-purge=false',
      '--reporter=append-only',
      ...scope,
    ];
    return { args, platform: [] };
  }
  if (project.manager === 'bun') {
    const scope = member === '' ? [] : ['--filter', `./${member}`];
    // hard links would share files with Bun's cache, and other projects may write to them
    const args = ['install', '--production', '--frozen-lockfile', '--linker=hoisted', '--backend=copyfile'];
    return { args: [...args, '--no-progress', ...scope], platform: platform.slice(0, 2) };
  }
  if (project.manager === 'yarn' && berry) {
    return {
      args: ['workspaces', 'focus', ...(member === '' ? ['--all'] : [memberName(project)]), '--production'],
      platform: [],
    };
  }
  if (project.manager === 'yarn')
    return {
      args: ['install', '--production', '--frozen-lockfile', '--non-interactive', '--no-progress'],
      platform: [],
    };
  const scope = member === '' ? [] : [`--workspace=${member}`, '--include-workspace-root=false'];
  const verb =
    install.useNpmCi && project.lock !== undefined && !install.copyLocals ? ['ci'] : ['install', '--no-save'];
  return {
    args: [
      ...verb,
      '--omit=dev',
      '--no-audit',
      '--no-fund',
      '--no-progress',
      `--install-links=${install.copyLocals === true}`,
      ...scope,
    ],
    platform,
  };
}

/** The name of a package, which yarn takes for an option if it begins like one. */
function memberName({ dir, manifest: { name = '' } }: NodeProject): string {
  if (name !== '' && !name.startsWith('-')) return name;
  throw new UserError(`${path.join(dir, 'package.json')}: name cannot be ${quoted(name)}`, {
    hint: 'Give the package a name: yarn installs a package of a workspace by its name.',
  });
}

/** Finds the manager's program on PATH, or through corepack, which comes with Node.js 20 to 24. */
async function findManager(install: NodeInstall): Promise<[program: string, prefix: string[]]> {
  const name: PackageManager = install.project.manager;
  const [program] = await install.tools.find(name);
  if (program !== undefined) return [program, []];
  const [corepack] = name === 'npm' || name === 'bun' ? [] : await install.tools.find('corepack');
  if (corepack !== undefined) return [corepack, [name]];
  const ways: Record<PackageManager, string> = {
    npm: 'npm comes with Node.js: https://nodejs.org.',
    pnpm: 'Install it: npm install --global pnpm, or corepack enable.',
    yarn: 'Install it: npm install --global yarn, or corepack enable.',
    bun: 'Install it: npm install --global bun, or https://bun.com.',
  };
  const cause = install.project.lock === undefined ? '' : ` (there is a ${path.basename(install.project.lock)})`;
  throw new UserError(
    `${name} is needed to install the packages of ${install.ids.join(', ')}${cause}, and it is not on PATH`,
    {
      hint: ways[name],
    },
  );
}

/** Whether the lock file is of Yarn 2 or later. */
async function isBerry(project: NodeProject): Promise<boolean> {
  return project.lock !== undefined && ((await readTextIfExists(project.lock)) ?? '').includes('__metadata:');
}

/** Files beside a manifest that a manager reads: settings, plugins, patches. */
const SETTINGS = [
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.pnpmfile.cjs',
  'pnpm-workspace.yaml',
  'bunfig.toml',
  '.yarn/releases',
  '.yarn/plugins',
  '.yarn/patches',
  'patches',
];

/** Copies lock file and settings of the project's root. */
export async function copySettings(project: NodeProject, target: string): Promise<void> {
  const names = [...SETTINGS, ...(project.lock === undefined ? [] : [path.basename(project.lock)])];
  for (const name of names) {
    const source = path.join(project.root, name);
    // without links: changes of the copy must not reach the user's files
    if (await exists(source)) await fs.cp(source, path.join(target, name), { recursive: true, dereference: true });
  }
  // a package inside a workspace may have settings of its own
  const own = path.join(project.dir, '.npmrc');
  if (project.root === project.dir || !(await exists(own))) return;
  const inside = path.join(target, path.relative(project.root, project.dir));
  await makeFolder(inside);
  await fs.copyFile(own, path.join(inside, '.npmrc'));
}

/** Lists settings that decide an installation, files and folders, also those that do not exist. */
export function settingsPlaces({ root, dir, manager }: SettingsOwner, projectDir: string): BuildInput[] {
  const own = ownSettings({ root, dir });
  // above a package alone only Yarn reads settings
  const above = root === dir && manager !== 'yarn' ? [] : placesAbove('node', [dir], projectDir);
  return addInputs(
    own.map((place) => ({ path: place, excludes: [] })),
    above,
  );
}

type SettingsOwner = Pick<NodeProject, 'root' | 'dir' | 'manager'>;

/** The places of the project's own settings, each once. */
function ownSettings({ root, dir }: Pick<SettingsOwner, 'root' | 'dir'>): string[] {
  return [...new Set([...SETTINGS.map((name) => path.join(root, name)), path.join(dir, '.npmrc')])];
}

/** Returns what settings say, without logins and without the lock file, for the key of packages. */
export async function settingsKey(
  project: SettingsOwner,
  { hasher, options }: Pick<BuildContext, 'hasher' | 'options'>,
): Promise<KeyPart> {
  const own = ownSettings(project);
  const above = settingsPlaces(project, options.projectDir).map((input) => input.path);
  const places = [...new Set([...own, ...above.filter((place) => path.basename(place) === '.yarnrc.yml')])];
  return Promise.all(
    places.map(async (place) => {
      if ((await statIfExists(place))?.isDirectory()) return hasher.hashPath(place);
      return withoutLoginLines((await readTextIfExists(place)) ?? '');
    }),
  );
}
