import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import type { LocalImage } from '../../model/built-stack.ts';
import { engineError, imageIds } from '../../support/engine/container-engine.ts';
import type { Engine } from '../../support/engine/container-engine.ts';
import { findLostConnection } from '../../support/engine/engine-failure.ts';
import { exists, readTextIfExists, writeFileAtomic } from '../../support/files.ts';
import { fields, parseJson, text, textsOf } from '../../support/shapes.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import { keyOf } from '../build-key.ts';
import type { BuildCache } from '../cache/build-cache.ts';
import { passVariables } from '../containers/pass-variables.ts';
import type { PassedVariables } from '../containers/pass-variables.ts';
import type { SourceHasher } from '../cache/source-hash.ts';
import { ToolError } from '../tools/tools.ts';
import type { Tools } from '../tools/tools.ts';
import { readBaseImages } from './base-images.ts';
import { contextHash } from './docker-context.ts';
import type { DockerfileSource, ImageDefinition } from './plan-images.ts';

/** The context of image builds. */
export interface ImageBuildContext {
  engine: () => Promise<Engine>;
  hasher: SourceHasher;
  cache: BuildCache;
  tools: Tools;
  /** Runs the steps that name images one at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Folder of records: which image was built from what. Absolute. */
  recordDir: string;
  stepId: string;
  /** Returns the ID of an image that another machine made of this source, if the functions' repositories have it. */
  findShared(content: string): Promise<string | undefined>;
}

/** An image of the engine, or of a registry. */
export interface BuiltImage {
  image: Omit<LocalImage, 'name'>;
  cached: boolean;
  /** It has its names on this machine, or there is no engine to give them. */
  isNamed: boolean;
  /** It is in the repositories of its functions, and not on this machine. */
  isShared?: true;
  /** Hash of the source that it was built from; undefined: that changed meanwhile, or is none of the project's. */
  content?: string;
}

/** Returns the image of a definition: the last one if its source did not change, else builds or loads it. */
export async function obtainImage(definition: ImageDefinition, context: ImageBuildContext): Promise<BuiltImage> {
  const { source } = definition;
  if (source.kind === 'local') return findLocalImage(source.name, definition, context);
  const content = await sourceHash(source, definition, context);
  const recordFile = path.join(context.recordDir, `${keyOf(definition.key, content)}.json`);
  const recorded = parseRecord(await readTextIfExists(recordFile));
  const bases = source.kind === 'archive' ? [] : await readBaseImages(source);
  const findHere = async (): Promise<BuiltImage | undefined> => {
    const found = recorded && (await findRecorded(context, recorded, { names: definition.names.values(), bases }));
    return found && { image: { imageId: recorded.imageId, recordFile }, cached: true, content, ...found };
  };
  const existing =
    recorded?.isShared === true
      ? ((await takeShared(content, { context, recordFile, recorded })) ?? (await findHere()))
      : ((await findHere()) ?? (await takeShared(content, { context, recordFile, recorded })));
  if (existing) return existing;
  const engine = await context.engine();
  const before = await imageIds(engine, bases);
  const imageId =
    source.kind === 'archive'
      ? await context.inTurn(() => loadArchive(source.path, definition, { engine, ...engineContext(context) }))
      : await buildDockerfile(source, definition, { engine, ...engineContext(context) });
  const after = await imageIds(engine, bases);
  // the build may have pulled some
  const isSettled = before.every((id) => after.includes(id));
  const isCurrent = isSettled && (await sourceHash(source, definition, context)) === content;
  if (isCurrent) await writeFileAtomic(recordFile, JSON.stringify({ imageId, bases: after }));
  return { image: { imageId, recordFile }, cached: false, isNamed: false, ...(isCurrent ? { content } : {}) };
}

async function takeShared(
  content: string,
  how: { context: ImageBuildContext; recordFile: string; recorded: ImageRecord | undefined },
): Promise<BuiltImage | undefined> {
  const { context, recordFile, recorded } = how;
  const imageId = await context.findShared(content);
  if (imageId === undefined) return undefined;
  const cached = recorded?.isShared === true && recorded.imageId === imageId;
  if (!cached) await writeFileAtomic(recordFile, JSON.stringify({ imageId, shared: true }));
  return { image: { imageId, recordFile }, cached, isNamed: true, isShared: true };
}

function engineContext({ cache, tools, stepId }: ImageBuildContext): Omit<EngineContext, 'engine'> {
  return { cache, tools, stepId };
}

interface EngineContext {
  engine: Engine;
  cache: BuildCache;
  tools: Tools;
  stepId: string;
}

/** Finds the engine's image of this name; nothing is built. */
async function findLocalImage(
  name: string,
  { key, ids }: ImageDefinition,
  context: ImageBuildContext,
): Promise<BuiltImage> {
  const engine = await context.engine();
  const [imageId] = await imageIds(engine, [name]);
  if (imageId === undefined)
    throw new UserError(`${ids.join(', ')}: ${engine.name} has no image ${name}, and the file ${name} does not exist`, {
      hint: 'Build or pull the image, or write the URI of one in Amazon ECR: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/NAME:TAG',
    });
  const recordFile = path.join(context.recordDir, `${keyOf(key, imageId)}.json`);
  return { image: { imageId, recordFile }, cached: true, isNamed: true };
}

/** Hashes what the image is made of, in hex. */
async function sourceHash(
  source: Exclude<ImageDefinition['source'], { kind: 'local' }>,
  { ids }: ImageDefinition,
  { hasher }: ImageBuildContext,
): Promise<string> {
  if (source.kind === 'archive') return (await hasher.hashFile(source.path)) ?? '';
  const file = path.resolve(source.context, source.dockerfile);
  if (!(await exists(file))) {
    throw new UserError(`${ids.join(', ')}: ${file} does not exist`, {
      hint: 'Metadata Dockerfile is a path relative to DockerContext.',
    });
  }
  return contextHash(source, hasher);
}

/** A built image. */
interface ImageRecord {
  imageId: string;
  /** IDs of the images that it was built from, as far as the engine has them. */
  bases: readonly string[];
  /** Another machine made it, and this one's engine does not have it. */
  isShared: boolean;
}

/** Returns undefined without a record, or with a damaged one: the image is built again. */
function parseRecord(json: string | undefined): ImageRecord | undefined {
  const record = fields(parseJson(json ?? ''));
  const imageId = text(record?.['imageId']);
  if (imageId === undefined) return undefined;
  return { imageId, bases: textsOf(record?.['bases']), isShared: record?.['shared'] === true };
}

/**
 * Returns undefined if the image does not exist, or was built from images whose names stand for others now; else whether the
 * names are those of the image, which may be an older one than the last. Without an engine nothing is known: the registry may
 * have the image, or the push reports what is missing.
 */
async function findRecorded(
  context: ImageBuildContext,
  { imageId, bases }: ImageRecord,
  now: { names: Iterable<string>; bases: readonly string[] },
): Promise<Pick<BuiltImage, 'isNamed'> | undefined> {
  let engine: Engine;
  try {
    engine = await context.engine();
  } catch (error) {
    if (error instanceof UserError) return { isNamed: true };
    throw error;
  }
  const names = [imageId, ...new Set(now.names)];
  const [named, based] = await Promise.all([imageIds(engine, names), imageIds(engine, now.bases)]);
  const found = named.filter((id) => bareId(id) === bareId(imageId));
  if (found.length === 0 || based.join() !== bases.join()) return undefined;
  return { isNamed: found.length === names.length };
}

/** Podman prints IDs without the algorithm. */
function bareId(id: string): string {
  return id.replace(/^sha256:/, '');
}

async function buildDockerfile(
  source: DockerfileSource,
  definition: ImageDefinition,
  context: EngineContext,
): Promise<string> {
  const { engine } = context;
  const variables = passVariables(source.args, '--build-arg');
  return context.cache.withScratch(async (scratch) => {
    const idFile = path.join(scratch, 'image-id');
    const args = [
      ...(await buildCommand(engine)),
      '--platform',
      definition.architecture === 'arm64' ? 'linux/arm64' : 'linux/amd64',
      '--file',
      path.resolve(source.context, source.dockerfile),
      '--iidfile',
      idFile,
      ...engine.network,
      ...variables.options,
      ...(source.target === undefined ? [] : [`--target=${source.target}`]),
      ...source.extra,
      source.context,
    ];
    await runEngine(args, definition, { ...context, env: variables.env, task: `${engine.name} build` });
    return ((await readTextIfExists(idFile)) ?? '').trim();
  });
}

/** Uses BuildKit if it exists, without provenance and SBOM: they would create an index, and Lambda accepts plain manifests only. */
async function buildCommand(engine: Engine): Promise<string[]> {
  // Docker's own way to ask for the classic builder
  if (
    engine.name !== 'docker' ||
    engine.env['DOCKER_BUILDKIT'] === '0' ||
    (await engine.run(['buildx', 'version'])).code !== 0
  )
    return ['build'];
  return ['buildx', 'build', '--load', '--provenance=false', '--sbom=false', '--progress=plain'];
}

async function loadArchive(file: string, definition: ImageDefinition, context: EngineContext): Promise<string> {
  const { engine } = context;
  const { stdout } = await runEngine(['load', '--input', file], definition, {
    ...context,
    task: `${engine.name} load`,
  });
  const reference = [...stdout.matchAll(/Loaded image(?: ID|\(s\))?: *(\S+)/gi)].at(-1)?.[1];
  const inspected = reference && (await engine.run(['image', 'inspect', '--format', '{{.Id}}', '--', reference]));
  if (inspected && inspected.code === 0) return inspected.stdout.trim();
  throw new UserError(`${definition.ids.join(', ')}: ${file} contains no image`, {
    hint: `Create it with ${engine.name} save --output FILE IMAGE.`,
  });
}

async function runEngine(
  args: readonly string[],
  definition: ImageDefinition,
  how: EngineContext & { env?: PassedVariables['env']; task: string },
): Promise<SpawnResult> {
  const { engine, tools, stepId, env = {}, task } = how;
  tools.report(stepId, `$ ${engine.name} ${args.join(' ')}`.slice(0, 500));
  const result = await engine.run(args, { env, onLine: (line) => tools.report(stepId, line) });
  if (result.code === 0) return result;
  const lost = await findLostConnection(engine, result.output, `${task} for ${definition.ids.join(', ')}`);
  if (lost) throw lost;
  const explained = engineError(engine.name, result.output, { image: `a base image of ${definition.ids.join(', ')}` });
  throw new ToolError(
    `${task} failed with exit code ${result.code}`,
    result.output.trim(),
    explained && `${explained.message}. ${explained.hint}`,
  );
}

/** Tags the image with its names on this machine. */
export async function nameImage(engine: Engine, imageId: string, names: Iterable<string>): Promise<void> {
  for (const name of new Set(names)) {
    const { code, output } = await engine.run(['tag', '--', imageId, name]);
    if (code !== 0) throw new UserError(`The image cannot be tagged ${name}: ${output.trim()}`);
  }
}
