import { readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ListBucketsCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import {
  GetAliasCommand,
  GetLayerVersionByArnCommand,
  ListLayerVersionsCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { isRunning } from '../../../src/support/running.ts';
import { clients, poll } from '../cloud.ts';
import { listResources } from '../snapshot.ts';
import type { Place } from './run.ts';

/** The ids of the processes of a run, whoever their parent is now (Linux; none elsewhere). */
async function processesOf(mark: string): Promise<number[]> {
  const names = await fs.readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
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

/** Parts of uploads that nobody will complete. */
export async function partsLeft(endpoint: string): Promise<string[]> {
  const { s3 } = clients(endpoint);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const answers = await Promise.all(
    Buckets.map(({ Name }) => s3.send(new ListMultipartUploadsCommand({ Bucket: Name }))),
  );
  return answers.flatMap(({ Bucket, Uploads = [] }) => Uploads.map(({ Key }) => `parts left: ${Bucket}/${Key}`));
}

/** Versions of a layer or a function with the same content, and aliases that lead to old code. */
export async function versionsTwice(endpoint: string, stackName: string): Promise<string[]> {
  const { lambda } = clients(endpoint);
  const problems: string[] = [];
  for (const [id, { type, physicalId }] of await listResources(endpoint, stackName)) {
    if (type === 'AWS::Lambda::LayerVersion') {
      const LayerName = physicalId.slice(0, physicalId.lastIndexOf(':'));
      const { LayerVersions = [] } = await lambda.send(new ListLayerVersionsCommand({ LayerName }));
      const contents = await Promise.all(
        LayerVersions.map(({ LayerVersionArn }) => lambda.send(new GetLayerVersionByArnCommand({ Arn: LayerVersionArn }))),
      );
      problems.push(...twice(contents.map(({ Content }) => Content?.CodeSha256)).map(() => `layer ${id} published twice`));
    }
    if (type !== 'AWS::Lambda::Function') continue;
    const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: physicalId }));
    const [latest, ...published] = Versions;
    problems.push(...twice(published.map(({ CodeSha256 }) => CodeSha256)).map(() => `${id}: version published twice`));
    if (published.length === 0) continue;
    const alias = await lambda.send(new GetAliasCommand({ FunctionName: physicalId, Name: 'live' }));
    const live = published.find(({ Version }) => Version === alias.FunctionVersion);
    if (live?.CodeSha256 !== latest?.CodeSha256) problems.push(`${id}: its alias leads to other code`);
  }
  return problems;
}

function twice(hashes: readonly (string | undefined)[]): (string | undefined)[] {
  return hashes.filter((hash, at) => hashes.indexOf(hash) !== at);
}

/** Makes a folder for a run and everything that it may write. */
export async function makePlace(folder: string): Promise<Place> {
  const names = ['app', 'home', 'temporary', 'tools'] as const;
  for (const name of names) await fs.mkdir(path.join(folder, name), { recursive: true });
  const [app, home, temporary, tools] = names.map((name) => path.join(folder, name)) as [string, string, string, string];
  return { app, home, temporary, tools, control: path.join(folder, 'control') };
}
