import type { BundleJob } from './bundle-job.ts';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { Metafile, OutputFile } from 'esbuild';
import { UserError } from '../../../errors.ts';
import { makeFolder, readTextIfExists, statIfExists, writeFileAtomic } from '../../../support/files.ts';
import { placeBelow, withSlashes } from '../../../support/places.ts';
import { parseJson } from '../../../support/shapes.ts';
import type { BuildInput } from '../../build-result.ts';
import { keyOf } from '../../build-key.ts';
import { buildStoreDir } from '../../build-options.ts';
import type { BuildDefinition } from '../../plan-build.ts';
import { bundledEntryPoint, bundledHandler, entryOfHandler, firstEntry, resolveEntry } from './entry-points.ts';
import { inputsOfTrace, keyOfBundleInputs, readBundleInputs, traceOfMetafile } from './bundle-inputs.ts';
import type { BundleInputs, BundleTrace } from './bundle-inputs.ts';
import { bundlesFolder, layerEntries, nameBundles } from './layer-bundles.ts';
import { readBundleOptions } from './bundle-options.ts';
import { findEsbuild } from './find-esbuild.ts';
import { runEsbuild } from './run-esbuild.ts';
import { shareBundle } from './share-bundle.ts';
import { watchedInputs } from './watched-inputs.ts';
import { findMismatchedPackages } from './mismatched-packages.ts';
import { localInputs, nodeDependencies } from '../node/install-dependencies.ts';
import { updateNodeModules } from '../node/install-in-source.ts';
import { NO_LOCAL_PACKAGES } from '../node/local-packages.ts';
import { readManifest } from '../node/manifest.ts';
import { readNodeProject } from '../node/project.ts';
import { SourceChangedError } from '../workflow.ts';
import type { BuildOutput, PreparedBuild, Workflow } from '../workflow.ts';

/**
 * Bundles with esbuild in the source. A record of the files in a bundle, also outside the function's folder, decides whether it
 * is built again.
 */
export const esbuildWorkflow: Workflow = {
  name: 'esbuild',
  version: 1,
  prepare: async (planned, context): Promise<PreparedBuild> => {
    // esbuild resolves links
    const definition = { ...planned, codeDir: await fs.realpath(planned.codeDir) };
    const manifest = await readManifest(definition.codeDir);
    const project = manifest && (await readNodeProject(definition.codeDir, manifest, context));
    const options = readBundleOptions(definition.buildProperties, definition.ids.join(', '));
    if (definition.wantsSourceMaps && options.esbuild.sourcemap === undefined) options.esbuild.sourcemap = true;
    const inSource = context.options.buildInSource && project?.manager === 'npm';
    if (inSource) await updateNodeModules(definition, project, context);
    const mismatched = project && !inSource ? await findMismatchedPackages(project) : [];
    const dependencies =
      project && mismatched.length > 0 ? await nodeDependencies(definition, project, context) : undefined;
    const job: BundleJob = {
      definition,
      context,
      options,
      manifest: manifest ?? {},
      program: await findEsbuild(definition.codeDir, context),
      dependenciesKey: dependencies?.key,
      locals: dependencies && project ? project.locals : NO_LOCAL_PACKAGES,
      outdated: mismatched.filter(({ found }) => found !== undefined),
    };
    return {
      label: `esbuild ${job.program.version}`,
      inputs: () => listInputs(job),
      dependencies: dependencies && { ...dependencies, use: 'build' },
      sourceKey: async () => {
        const inputs = await readInputs(job);
        return inputs && bundleKey(job, inputs);
      },
      make: async (target, installed) => bundle(job, target, installed && (await fs.realpath(installed))),
      share: async () => {
        const { files = [], settings = [] } = (await readInputs(job)) ?? {};
        const read = [...files, ...settings];
        const made = {
          project,
          inputs: await listInputs(job),
          files: read,
          hasDependencies: dependencies !== undefined,
        };
        return shareBundle(made, context.options.projectDir);
      },
    };
  },
};

function recordFile({ definition, context }: BundleJob): string {
  return path.join(buildStoreDir(context.options.projectDir), 'bundles', `${definition.key}.json`);
}

/** Reads the inputs of the last bundle; undefined if there is none, or the record is damaged. */
async function readInputs(job: BundleJob): Promise<BundleInputs | undefined> {
  return readBundleInputs(parseJson((await readTextIfExists(recordFile(job))) ?? ''));
}

/** Returns the key of the bundle with these inputs. */
async function bundleKey(job: BundleJob, inputs: BundleInputs): Promise<string> {
  return keyOf(
    job.definition.key,
    job.program.version,
    job.dependenciesKey,
    await keyOfBundleInputs(inputs, job.context),
  );
}

async function listInputs(job: BundleJob): Promise<BuildInput[]> {
  const { codeDir } = job.definition;
  const { projectDir } = job.context.options;
  const { folders } = job.context;
  const inputs = job.failed ? await resolveInputs(job, job.failed.trace, job.failed.installed) : await readInputs(job);
  const locals = localInputs(job.locals);
  if (!inputs) return [{ path: codeDir, excludes: ['.aws-sam', '.git', 'node_modules'] }, ...locals];
  const locks = ['package.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'];
  const decisive = new Set([...locks.map((name) => path.join(codeDir, name)), ...job.program.decidedBy]);
  return [
    ...watchedInputs(inputs, { projectDir, folders }),
    ...[...decisive].map((file) => ({ path: file, excludes: [] })),
    ...locals,
  ];
}

/** `installed`: the folder of packages installed for the build, whose files never change. */
function resolveInputs(job: BundleJob, trace: BundleTrace, installed: string | undefined): Promise<BundleInputs> {
  const { definition, options } = job;
  const { codeDir } = definition;
  const entries = entryNames(job).map((name) => ({ from: codeDir, specifier: path.resolve(codeDir, name) }));
  const whole = { ...trace, imports: [...trace.imports, ...entries] };
  const immutable = installed && path.dirname(installed);
  return inputsOfTrace(whole, { codeDir, options: options.esbuild, immutable });
}

async function bundle(job: BundleJob, target: string, installed: string | undefined): Promise<BuildOutput> {
  const { definition, options } = job;
  noteOutdated(job);
  const before = await readInputs(job);
  const beforeKey = before && (await bundleKey(job, before));
  const started = Date.now();
  job.failed = { trace: { files: [], imports: [], filesWithErrors: [] }, installed };
  const entries = await entryPoints(job);
  const result = await runEsbuild(job, entries, installed);
  job.failed = undefined;
  const outdir = definition.codeDir;
  const what = definition.ids.join(', ');
  const metafile = result.metafile as Metafile;
  const { format } = options.esbuild;
  const isLayer = definition.kind === 'layer';
  const place = isLayer ? bundlesFolder(target, format) : target;
  await writeOutputs(result.outputFiles ?? [], { outdir, target: place, installed, what });
  if (isLayer) await nameBundles(target, { metafile, manifest: job.manifest, format });
  const inputs = await resolveInputs(job, traceOfMetafile(metafile, definition.codeDir), installed);
  await writeFileAtomic(recordFile(job), JSON.stringify(inputs));
  // read before the checks: what is saved after them is not in this key, and what was saved before fails them
  const key = await bundleKey(job, inputs);
  // a file saved while esbuild ran may be in the bundle in either form
  if (before && (await bundleKey(job, before)) !== beforeKey) throw new SourceChangedError();
  const known = new Set(before?.files);
  await assertOlderThan(
    started,
    inputs.files.filter((file) => !known.has(file)),
  );
  return {
    sourceKey: key,
    handler: await movedEntry(definition, { metafile, codeDir: definition.codeDir, target }),
    sourceMaps: options.esbuild.sourcemap !== undefined && options.esbuild.sourcemap !== false,
  };
}

function movedEntry(
  { kind, handler }: BuildDefinition,
  bundled: { metafile: Metafile; codeDir: string; target: string },
): Promise<string | undefined> {
  return kind === 'web-function' && handler !== undefined
    ? bundledEntryPoint(handler, bundled)
    : bundledHandler(handler, bundled);
}

async function entryPoints(job: BundleJob): Promise<string[]> {
  const { definition, options } = job;
  const names = entryNames(job);
  if (names.length === 0) {
    throw new UserError(
      `${definition.ids.join(', ')}: there is neither a Handler nor BuildProperties EntryPoints to bundle`,
    );
  }
  if (definition.kind === 'layer' && options.entryPoints === undefined) return [await firstEntry(definition, names)];
  return Promise.all(names.map((name) => resolveEntry(definition, name)));
}

/** Returns the entry points as written, maybe without endings; for a layer without any, all candidates. */
function entryNames({ definition, options, manifest }: BundleJob): readonly string[] {
  if (options.entryPoints !== undefined) return options.entryPoints;
  if (definition.kind === 'layer') return layerEntries(manifest);
  if (definition.handler === undefined) return [];
  return [definition.kind === 'web-function' ? definition.handler : entryOfHandler(definition.handler)];
}

async function writeOutputs(
  files: readonly OutputFile[],
  { outdir, target, installed, what }: { outdir: string; target: string; installed: string | undefined; what: string },
): Promise<void> {
  // esbuild writes paths of modules into comments and source maps: hide where ours are installed
  const ours = installed && `${withSlashes(path.relative(outdir, installed))}/node_modules/`;
  for (const file of files) {
    const place = placeBelow(target, path.relative(outdir, file.path), `${what}: a file that esbuild makes`);
    const isText = /\.([cm]?js|css|map)$/.test(place);
    await makeFolder(path.dirname(place));
    await fs.writeFile(
      place,
      ours !== undefined && isText ? file.text.replaceAll(ours, 'node_modules/') : file.contents,
    );
  }
}

function noteOutdated({ context, outdated }: BundleJob): void {
  if (outdated.length === 0) return;
  const list = outdated.map(({ name, found, wanted }) => `${name} ${found} (package.json: ${wanted})`).join(', ');
  const text = `node_modules is out of date: ${list}; the versions of package.json were installed separately`;
  context.note('warning', text);
}

/** Checks the time stamps of new inputs: one saved during the build may be in the bundle in either form, so build again. */
async function assertOlderThan(started: number, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const stat = await statIfExists(file);
    if (!stat || Math.max(stat.mtimeMs, stat.ctimeMs) >= started) throw new SourceChangedError();
  }
}
