import { readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ListBucketsCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import {
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  paginateListLayerVersions,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import { isRunning } from '../../../src/support/process/running.ts';
import { clients, poll } from '../cloud.ts';
import { listResources } from '../snapshot.ts';
import type { Place } from './run.ts';

/** The ids of the processes of a run, whoever their parent is now (Linux; none elsewhere). */
async function processesOf(mark: string): Promise<number[]> {
  const names = await fs.readdir('/proc').catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`SAM_SYNC_TEST_RUN=${mark}\0`) && isRunning(pid);
      } catch {
        return false;
      }
    });
}

/** Processes of a run that do not end within seconds. */
export async function processesLeft(mark: string): Promise<string[]> {
  const gone = async (): Promise<true | undefined> => ((await processesOf(mark)).length === 0 ? true : undefined);
  if (await poll(gone, 5_000).catch(() => false)) return [];
  return (await processesOf(mark)).map((pid) => {
    try {
      return `process left: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
    } catch {
      return `process left: ${pid}`;
    }
  });
}

/** Temporary and lock files that are there. `but`: the id of a process that still runs. */
export async function filesLeft(place: Place, but = 0): Promise<string[]> {
  const own = `.tmp-${but}-`;
  const temporary = (await fs.readdir(place.temporary)).filter((name) => !name.includes(own));
  const others: string[] = [];
  for (const folder of [place.app, place.home]) {
    const names = await fs.readdir(folder, { recursive: true });
    others.push(...names.filter((name) => /\.tmp-\d+-/.test(name) && !name.includes(own)));
  }
  return [...temporary.map((name) => `file left: TMPDIR/${name}`), ...others.map((name) => `file left: ${name}`)];
}

/**
 * Uploads that nobody will complete. `withParts`: only those with parts, which cost money: a process that is killed when S3 has
 * begun an upload cannot remember it.
 */
export async function partsLeft(endpoint: string, { withParts = false } = {}): Promise<string[]> {
  const { s3 } = clients(endpoint);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const answers = await Promise.all(
    Buckets.map(({ Name }) => s3.send(new ListMultipartUploadsCommand({ Bucket: Name }))),
  );
  const uploads = answers.flatMap(({ Bucket, Uploads = [] }) =>
    Uploads.map(({ Key, UploadId }) => ({ Bucket, Key, UploadId })),
  );
  const left: string[] = [];
  for (const upload of uploads) {
    const { Parts = [] } = await s3.send(new ListPartsCommand(upload));
    if (!withParts || Parts.length > 0) left.push(`${Parts.length} parts left: ${upload.Bucket}/${upload.Key}`);
  }
  return left;
}

/** Versions of a layer or a function with the same content, and aliases that lead to old code. */
export async function versionsTwice(endpoint: string, stackName: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [id, { type, physicalId }] of await listResources(endpoint, stackName)) {
    if (type === 'AWS::Lambda::LayerVersion' && hasTwice(await layerContents(endpoint, physicalId)))
      problems.push(`layer ${id} published twice`);
    if (type === 'AWS::Lambda::Alias') problems.push(...(await wrongVersions(endpoint, id, physicalId)));
  }
  return problems;
}

/** Hashes of all versions of a layer, by the ARN of one. */
async function layerContents(endpoint: string, arn: string): Promise<(string | undefined)[]> {
  const { lambda } = clients(endpoint);
  const hashes: (string | undefined)[] = [];
  const pages = paginateListLayerVersions({ client: lambda }, { LayerName: arn.slice(0, arn.lastIndexOf(':')) });
  for await (const { LayerVersions = [] } of pages) {
    for (const { LayerVersionArn: Arn } of LayerVersions)
      hashes.push((await lambda.send(new GetLayerVersionByArnCommand({ Arn }))).Content?.CodeSha256);
  }
  return hashes;
}

/** What is wrong with the versions of the function that the alias (its ARN) belongs to. */
async function wrongVersions(endpoint: string, id: string, aliasArn: string): Promise<string[]> {
  const { lambda } = clients(endpoint);
  const FunctionName = aliasArn.slice(0, aliasArn.lastIndexOf(':'));
  const hashes: (string | undefined)[] = [];
  for await (const { Versions = [] } of paginateListVersionsByFunction({ client: lambda }, { FunctionName })) {
    // a deployment may publish the same code with other settings, or after a version that made room for it
    const contents = Versions.map(({ Version, CodeSha256, Description, Environment, Layers = [] }) => ({
      Version,
      content: JSON.stringify([CodeSha256, Description, Environment?.Variables, Layers.map(({ Arn }) => Arn)]),
    }));
    hashes.push(...contents.flatMap(({ Version, content }) => (Version === '$LATEST' ? [] : [content])));
  }
  const [latest, live] = await Promise.all([
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName: aliasArn })),
  ]);
  return [
    ...(hashes.some((hash, at) => at > 0 && hash === hashes[at - 1]) ? [`${id}: version published twice`] : []),
    ...(live.CodeSha256 === latest.CodeSha256 ? [] : [`${id} leads to other code`]),
  ];
}

function hasTwice(hashes: readonly (string | undefined)[]): boolean {
  return new Set(hashes).size < hashes.length;
}

/** Makes a folder for a run and everything that it may write. */
export async function makePlace(folder: string): Promise<Place> {
  const names = ['app', 'home', 'temporary', 'tools'] as const;
  for (const name of names) await fs.mkdir(path.join(folder, name), { recursive: true });
  const [app, home, temporary, tools] = names.map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  return { app, home, temporary, tools, control: path.join(folder, 'control') };
}
