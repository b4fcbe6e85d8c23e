import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, readTextIfExists, writeFileAtomic } from '../../../support/files.ts';
import { isBelow } from '../../../support/places.ts';
import type { BuildInput } from '../../build-result.ts';
import { hashOf, keyOf, withoutLogins } from '../../build-key.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { copySource } from '../copy-source.ts';
import { localGems } from './local-gems.ts';
import { GEMFILE_LOCK, installGems } from './install-gems.ts';
import { findNamedVariables, LOGINS, variableParts, whyVariable } from '../named-variables.ts';
import type { VariableSyntax } from '../named-variables.ts';
import { keyOfInputs } from '../traced-inputs.ts';
import { sharing } from '../workflow.ts';
import type { DependencySet, PreparedBuild, Workflow, BuildContext } from '../workflow.ts';

const EXCLUDES = ['.aws-sam', '.git'];
/** Also without Bundler's settings for this machine. */
const SOURCE_EXCLUDES = [...EXCLUDES, '/.bundle'];
const CONFIG = path.join('.bundle', 'config');

/**
 * Builds Ruby functions and layers: the source, and the gems of the Gemfile where Lambda looks for them (`GEM_PATH`):
 * `vendor/bundle/ruby/<abi>` in a function, `ruby/gems/<abi>` in a layer.
 */
export const rubyWorkflow: Workflow = {
  name: 'ruby',
  version: 1,
  prepare: async (definition, context): Promise<PreparedBuild> => {
    const gems = await gemSet(definition, context);
    const excludes = gems === undefined ? EXCLUDES : [...SOURCE_EXCLUDES, ...VENDOR_EXCLUDES];
    const inputs: BuildInput[] = [{ path: definition.codeDir, excludes }, ...(gems?.inputs ?? [])];
    // it decides which gems are installed
    if (gems !== undefined) inputs.push({ path: path.join(definition.codeDir, CONFIG), excludes: [] });
    return {
      label: gems === undefined ? 'copied' : 'bundler',
      inputs: async () => inputs,
      dependencies: gems?.set,
      sourceKey: async () =>
        keyOf(
          await context.hasher.hashTree(definition.codeDir, excludes),
          gems?.set.key,
          definition.wantsDependencyLayer,
        ),
      make: async (target, installed) => {
        await copySource(context, { source: definition.codeDir, target, excludes });
        if (installed !== undefined) await writeBundle(definition, installed, target);
        return {};
      },
      share: async () => sharing(gems?.unshared, inputs),
    };
  },
};

const VENDOR_EXCLUDES = ['/vendor/bundle'];
const NO_LOCK = 'Gemfile has no lock file (bundle lock makes one)';

/** Variables in a Gemfile, which is a program. */
const VARIABLES: VariableSyntax = {
  isFile: () => true,
  uses: /\bENV\b(?:(?:\.fetch\s*\(|\[)\s*["']([^"']+)["'])?/g,
  ignored: LOGINS,
  excludes: [],
};

interface GemSet {
  set: DependencySet;
  /** Why another machine may install other gems; undefined: the project's files decide them. */
  unshared: string | undefined;
  inputs: readonly BuildInput[];
}

async function gemSet(definition: BuildDefinition, context: BuildContext): Promise<GemSet | undefined> {
  const { codeDir, ids } = definition;
  const gemfile = await readTextIfExists(path.join(codeDir, 'Gemfile'));
  if (gemfile === undefined) return undefined;
  const version = /^ruby(\d+\.\d+)$/.exec(definition.runtime ?? '')?.[1];
  if (version === undefined)
    throw new UserError(`${ids.join(', ')}: the Ruby version is unknown`, {
      hint: 'Give the function a Runtime, such as ruby3.4.',
    });
  const lock = await readTextIfExists(path.join(codeDir, GEMFILE_LOCK));
  const locals = localGems(codeDir, gemfile, lock);
  const inputs = locals.map((dir) => ({ path: dir, excludes: [...EXCLUDES, '/vendor/bundle'] }));
  const outside = locals.filter((dir) => !isBelow(dir, codeDir));
  if (outside.length > 0)
    context.note('warning', `gems outside CodeUri are not part of the function: ${outside.join(', ')}`);
  const config = withoutLogins((await readTextIfExists(path.join(codeDir, CONFIG))) ?? '');
  const target = { version, abi: `${version}.0`, architecture: definition.architecture };
  const specs = (await fs.readdir(codeDir)).filter((name) => name.endsWith('.gemspec')).sort();
  const texts = await Promise.all(specs.map((name) => readTextIfExists(path.join(codeDir, name))));
  const parts = ['bundler', target, gemfile, lock, config, texts];
  const manifests = ['Gemfile', ...specs].map((name) => path.join(codeDir, name));
  const variables = await findNamedVariables(manifests, VARIABLES);
  const unshared = lock === undefined ? NO_LOCK : whyVariable(variables);
  const localHashes = await Promise.all(inputs.map((input) => context.hasher.hashPath(input.path, input.excludes)));
  return {
    inputs,
    unshared,
    set: {
      key: keyOf(...parts, await keyOfInputs(inputs, context), ...variableParts(variables, context.tools.env)),
      share: { key: hashOf(parts, localHashes), whyNot: async () => unshared },
      folder: `ruby/gems/${target.abi}`,
      inFunction: path.join('vendor', 'bundle', 'ruby', target.abi),
      use: 'runtime',
      install: (folder) =>
        context.cache.withScratch((scratch) =>
          installGems({ codeDir, locals, target, scratch, ids, tools: context.tools, stepId: context.stepId }, folder),
        ),
    },
  };
}

/**
 * Writes what `bundler/setup` needs to find the gems: the resolved lock file and settings. Gems in a dependency layer are found
 * by `GEM_PATH`; a path would hide them.
 */
async function writeBundle(definition: BuildDefinition, installed: string, target: string): Promise<void> {
  const lock = path.join(installed, GEMFILE_LOCK);
  if (await exists(lock)) {
    await fs.rm(path.join(target, GEMFILE_LOCK), { force: true });
    await fs.copyFile(lock, path.join(target, GEMFILE_LOCK));
  }
  if (definition.kind === 'layer') return;
  const inside = definition.wantsDependencyLayer ? '' : 'BUNDLE_DEPLOYMENT: "true"\nBUNDLE_PATH: "vendor/bundle"\n';
  await writeFileAtomic(path.join(target, CONFIG), `---\n${inside}BUNDLE_WITHOUT: "development:test"\n`);
}
