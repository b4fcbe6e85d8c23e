import { createHash } from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';
import { makeFolder, readTextIfExists } from '../support/files.ts';
import { writeUserFile } from '../support/user-file.ts';
import type { Ask } from './ask.ts';

/** A stack that may be a development stack. */
export interface DevelopmentStack {
  account: string;
  region: string;
  stackName: string;
  /** Absolute. SAM CLI keys its answers by it. */
  templateFile: string;
}

/** How to ask, and where to store the answer. */
export interface ConfirmOptions {
  ask: Ask;
  /** Answer yes without asking or storing it. */
  yes: boolean;
  /** SAM CLI's file of answers; see `metadataFile`. */
  metadataFile: string;
}

/** Our list in the metadata file, of `account/region/stack`. SAM CLI keeps keys it does not know. */
const OUR_KEY = 'samSyncDevelopmentStacks';
/** SAM CLI's list, of the MD5 of template path and stack name. */
const SAM_CLI_KEY = 'accelerateOptInStacks';

/** JetBrains IDEs answer the question if they read the last sentence, which is SAM CLI's, and then `[Y/n]:`. */
const NOTICE = `
sam sync updates functions, layers, APIs and state machines directly instead of through CloudFormation,
so the stack drifts from its template. Use it for development stacks only.

Confirm that you are synchronizing a development stack.
`;

/** Asks whether the stack is a development stack, unless the user has already answered here or in SAM CLI. */
export async function confirmDevelopmentStack(stack: DevelopmentStack, options: ConfirmOptions): Promise<boolean> {
  if (options.yes) return true;
  if (isConfirmed(stack, await readMetadata(options.metadataFile))) return true;
  const { account, region, stackName } = stack;
  const question = `${NOTICE}\nSync stack ${stackName} in account ${account}, ${region}?`;
  if (!(await options.ask(question, { default: true }))) return false;
  await remember(stack, options.metadataFile);
  return true;
}

/** Whether that will not be asked, unless the stack turns out to be in another account than the one of the answer. */
export async function isKnownDevelopmentStack(
  stack: Omit<DevelopmentStack, 'account' | 'region'> & { region: string | undefined },
  options: Omit<ConfirmOptions, 'ask'>,
): Promise<boolean> {
  if (options.yes) return true;
  const metadata = await readMetadata(options.metadataFile);
  const end = `/${stack.region}/${stack.stackName}`;
  return isConfirmedInSamCli(stack, metadata) || listAt(metadata, OUR_KEY).some((key) => String(key).endsWith(end));
}

/** Returns the path of SAM CLI's metadata file on a platform. */
export function metadataFile(
  env: Readonly<Record<string, string | undefined>>,
  home: string = os.homedir(),
  platform: NodeJS.Platform = process.platform,
): string {
  const usual = platform === 'win32' ? path.join(env['APPDATA'] ?? home, 'AWS SAM') : path.join(home, '.aws-sam');
  return path.join(env['__SAM_CLI_APP_DIR'] ?? usual, 'metadata.json');
}

type Metadata = Record<string, unknown>;

function isConfirmed(stack: DevelopmentStack, metadata: Metadata): boolean {
  return listAt(metadata, OUR_KEY).includes(keyOf(stack)) || isConfirmedInSamCli(stack, metadata);
}

function isConfirmedInSamCli(
  { templateFile, stackName }: Pick<DevelopmentStack, 'templateFile' | 'stackName'>,
  metadata: Metadata,
): boolean {
  const checksum = createHash('md5').update(`${templateFile}${stackName}`).digest('hex');
  return listAt(metadata, SAM_CLI_KEY).includes(checksum);
}

function keyOf({ account, region, stackName }: DevelopmentStack): string {
  return `${account}/${region}/${stackName}`;
}

function listAt(metadata: Metadata, key: string): unknown[] {
  const list = metadata[key];
  return Array.isArray(list) ? list : [];
}

/** Reads the metadata; empty if the file is missing, damaged or unreadable. */
async function readMetadata(file: string): Promise<Metadata> {
  try {
    const metadata: unknown = JSON.parse((await readTextIfExists(file)) ?? '{}');
    return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? (metadata as Metadata) : {};
  } catch {
    return {};
  }
}

/** Stores the answer. In a read-only home the next run asks again. */
async function remember(stack: DevelopmentStack, file: string): Promise<void> {
  // another run may have written the file meanwhile
  const metadata = await readMetadata(file);
  const stacks = [...new Set([...listAt(metadata, OUR_KEY), keyOf(stack)])];
  try {
    await makeFolder(path.dirname(file), { mode: 0o700 });
    await writeUserFile(file, JSON.stringify({ ...metadata, [OUR_KEY]: stacks }, null, 4));
  } catch {
    return;
  }
}
