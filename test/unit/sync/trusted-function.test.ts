import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { AwsCredentialIdentity } from '@smithy/types';
import { createAws } from '../../../src/aws/aws.ts';
import { callerMark } from '../../../src/aws/caller-mark.ts';
import { openConfirmedFunctions } from '../../../src/cloud/confirmed-functions.ts';
import type { ConfirmedFunction } from '../../../src/cloud/confirmed-functions.ts';
import { UserError } from '../../../src/errors.ts';
import type { FunctionResource } from '../../../src/model/stack.ts';
import { restoreCode } from '../../../src/services/lambda/code-ahead.ts';
import type { CodeArtifact, CodeArtifacts } from '../../../src/services/lambda/code-artifacts.ts';
import { toFunctionState } from '../../../src/services/lambda/function-state.ts';
import type { LambdaAccess } from '../../../src/services/lambda/lambda-client.ts';
import type { PackedCode } from '../../../src/services/lambda/pack-code.ts';
import { planAhead } from '../../../src/sync/code/ahead/trusted-function.ts';
import { hashFile } from '../../../src/support/files.ts';
import { silent } from '../../support/cloud.ts';
import { fakeFunction } from '../../support/stack-builder.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const MINUTE = 60_000;

let folder: string;
let known: ConfirmedFunction;

beforeEach(async () => {
  folder = await tempFolder();
  const zip = { path: path.join(folder, 'package.zip'), size: 3, sha256: 'old' };
  await fs.writeFile(zip.path, 'zip');
  known = {
    caller: 'us',
    at: Date.now(),
    name: 'app-Fn-1',
    revisionId: 'r1',
    layers: [],
    dependencies: 'layer',
    packageType: 'Zip',
    runtime: 'python3.13',
    architecture: 'x86_64',
    zip,
  };
});

function artifact(sha256: string, size = 3): CodeArtifact {
  return { item: { kind: 'zip', path: folder, label: 'Fn' }, path: path.join(folder, 'new.zip'), size, sha256 };
}

interface Case {
  caller?: string;
  known?: Partial<ConfirmedFunction>;
  fn?: Partial<FunctionResource>;
  code?: CodeArtifact;
  dependencies?: CodeArtifact | 'none' | 'failed';
}

/** The name of the function that gets code before CloudFormation has answered. */
function sentTo(given: Case): string | undefined {
  const { dependencies = artifact('layer') } = given;
  const packed: PackedCode = {
    code: new Map([['Fn', given.code ?? artifact('new')]]),
    dependencies: new Map(typeof dependencies === 'string' ? [] : [['Fn', dependencies]]),
    images: new Map(),
    properties: { handlers: new Map(), sourceMaps: new Set() },
    failures: dependencies === 'failed' ? [{ id: 'Fn', error: new UserError('disk full') }] : [],
  };
  const functions = openConfirmedFunctions({ storeDir: folder, region: 'us-east-1', stackName: 'app' });
  const trust = { id: 'Fn', caller: given.caller ?? 'us', askedAt: Date.now(), functions };
  const fn = fakeFunction({ id: 'Fn', ...given.fn });
  return planAhead({ ...trust, known: { ...known, ...given.known } }, fn, packed)?.update.FunctionName;
}

it('new code of a function that was confirmed minutes ago is sent at once', () => {
  expect(sentTo({})).toBe('app-Fn-1');
  expect(sentTo({ known: { at: Date.now() - 4 * MINUTE } })).toBe('app-Fn-1');
  expect(sentTo({ known: { dependencies: undefined }, dependencies: 'none' })).toBe('app-Fn-1');
});

it.each<[string, () => Case]>([
  ['it was confirmed more than five minutes ago', () => ({ known: { at: Date.now() - 5 * MINUTE } })],
  ['the clock went back since', () => ({ known: { at: Date.now() + MINUTE } })],
  ['the account, Region, profile or endpoint is another one', () => ({ caller: 'them' })],
  ['its code is the same', () => ({ code: artifact('old') })],
  ['its code does not fit into a request', () => ({ code: artifact('new', 50 * 1024 * 1024) })],
  ['its dependency layer changes', () => ({ dependencies: artifact('other') })],
  [
    'its first dependency layer could not be zipped',
    () => ({ known: { dependencies: undefined }, dependencies: 'failed' }),
  ],
  ['it had no dependency layer', () => ({ known: { dependencies: undefined } })],
  ['its previous code is gone', () => ({ known: { zip: { ...known.zip, path: path.join(folder, 'gone') } } })],
  ['its previous code is another file', () => ({ known: { zip: { ...known.zip, size: 4 } } })],
  ['its runtime changes', () => ({ fn: { runtime: 'python3.14' } })],
  ['it becomes an image', () => ({ fn: { packageType: 'Image', runtime: undefined } })],
  ['a version is published for its alias', () => ({ fn: { properties: { AutoPublishAlias: 'live' } } })],
  ['it has a capacity provider', () => ({ fn: { properties: { CapacityProviderConfig: {} } } })],
  ['it has layers', () => ({ fn: { properties: { Layers: [] } } })],
  ['its code is signed', () => ({ fn: { properties: { CodeSigningConfigArn: 'arn' } } })],
  ['its code is encrypted with a key', () => ({ fn: { properties: { SourceKMSKeyArn: 'arn' } } })],
  ['it is another function', () => ({ fn: { id: 'Other' } })],
])('CloudFormation is waited for if %s', (_why, given) => {
  expect(sentTo(given())).toBeUndefined();
});

it('confirmed functions are remembered by stack name and Region, until a deployment or a newer one', async () => {
  const open = (region: string, stackName = 'app') => openConfirmedFunctions({ storeDir: folder, region, stackName });
  const here = open('us-east-1');
  await here.write('Fn', known, 0);
  expect(await here.read('Fn')).toEqual(known);
  expect(await open('eu-west-1').read('Fn')).toBeUndefined();
  expect(await open('us-east-1', 'other').read('Fn')).toBeUndefined();
  await here.write('Other', { ...known, at: known.at + 1 }, known.at);
  expect(await here.read('Fn')).toEqual(known);
  await here.write('Other', known, known.at + 1);
  expect(await here.read('Fn')).toBeUndefined();
  await here.forget();
  expect(await here.read('Other')).toBeUndefined();
  await here.write('Fn', known, 0);
  const damaged = path.join(folder, 'confirmed');
  for (const name of await fs.readdir(damaged)) await fs.writeFile(path.join(damaged, name), '{"Fn": {"name": 1}}');
  expect(await here.read('Fn')).toBeUndefined();
  // something else in its place, which the write cannot replace
  for (const name of await fs.readdir(damaged)) {
    await fs.rm(path.join(damaged, name));
    await fs.mkdir(path.join(damaged, name, 'full'), { recursive: true });
  }
  expect(await here.read('Fn')).toBeUndefined();
  await here.write('Fn', known, 0);
  await here.write('Fn', known, 0);
  expect(await here.read('Fn')).toEqual(known);
});

it('runs for other accounts, Regions and endpoints do not trust each other', async () => {
  const usual = {
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'A', secretAccessKey: 's' },
  };
  const markOf = (given: Partial<typeof usual & { credentials: AwsCredentialIdentity }>): Promise<string> =>
    callerMark(createAws({ env: {}, reporter: silent, ...usual, ...given }));
  const credentials = { accessKeyId: 'B', secretAccessKey: 's' };
  const mark = await markOf({});
  expect(await markOf({})).toBe(mark);
  expect(await markOf({ credentials })).not.toBe(mark);
  expect(await markOf({ region: 'eu-west-1' })).not.toBe(mark);
  expect(await markOf({ endpoint: 'http://127.0.0.1:2' })).not.toBe(mark);
  // new keys of the same account
  const inAccount = await markOf({ credentials: { ...credentials, accountId: '1' } });
  expect(await markOf({ credentials: { ...credentials, accessKeyId: 'C', accountId: '1' } })).toBe(inAccount);
  expect(await markOf({ credentials: { ...credentials, accountId: '2' } })).not.toBe(inAccount);
});

it.each<[string, Partial<FunctionConfiguration>, string]>([
  ['it has its previous code', {}, 'restored'],
  ['the update failed', { LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'no such role' }, 'kept: no such role'],
  ['it does not show it', { CodeSha256: 'new' }, 'kept: Lambda accepted it, but the function does not have it'],
])('code is put back, and Lambda answers that %s', async (_what, answer, expected) => {
  const sha256 = await hashFile(known.zip.path, 'sha256', 'base64');
  const before = {
    FunctionName: known.name,
    RevisionId: 'r2',
    CodeSha256: 'new',
    LastUpdateStatus: 'Successful',
  } as const;
  const states: FunctionConfiguration[] = [before, { ...before, CodeSha256: sha256, ...answer }];
  const requests: object[] = [];
  const lambda = {
    settled: () => Promise.resolve(toFunctionState(states.shift() ?? before)),
    service: () =>
      Promise.resolve({
        UpdateFunctionCodeCommand,
        send: ({ input }: UpdateFunctionCodeCommand) => Promise.resolve(requests.push(input) && { CodeSha256: sha256 }),
      }),
  } as unknown as LambdaAccess;
  const artifacts = { send: (_code, request) => request({ ZipFile: Buffer.from('zip') }) } as CodeArtifacts;
  const update = {
    FunctionName: known.name,
    code: { kind: 'zip', artifact: artifact('new'), key: undefined },
  } as const;
  const ahead = { update, known: { ...known, zip: { ...known.zip, sha256 } } };
  const restored = await restoreCode({ lambda, artifacts }, ahead, { kind: 'accepted', answer: before });
  expect(restored.kind === 'kept' ? `kept: ${restored.reason}` : restored.kind).toBe(expected);
  expect(requests).toMatchObject([{ FunctionName: known.name, RevisionId: 'r2' }]);
});
