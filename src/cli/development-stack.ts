import { createHash } from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';
import { makeFolder, readTextIfExists } from '../support/files.ts';
import { writeUserFile } from '../support/user-file.ts';
import type { Ask } from './ask.ts';

/** The stack that is asked about. */
export interface DevelopmentStack {
  account: string;
  region: string;
  stackName: string;
  /** Absolute; the peer remembers answers by it. */
  templateFile: string;
}

/** How to ask and where to remember the answer. */
export interface ConfirmOptions {
  ask: Ask;
  /** Questions answer themselves in this run; that is not remembered. */
  yes: boolean;
  /** The file that AWS SAM remembers things in; see `metadataFile`. */
  metadataFile: string;
}

/** Our list in the metadata file, of `account/region/stack`; the peer keeps what it does not know. */
const OUR_KEY = 'samSyncDevelopmentStacks';
/** The peer's list, of the MD5 of template path and stack name. */
const PEER_KEY = 'accelerateOptInStacks';

const NOTICE = `
sam sync changes functions, layers, APIs and state machines directly, without CloudFormation,
which then does not know of it. Use it for development stacks only.
`;

/** Whether the stack is a development stack: as answered before, by us or by the peer, else as the user answers now. */
export async function confirmDevelopmentStack(stack: DevelopmentStack, options: ConfirmOptions): Promise<boolean> {
  if (options.yes) return true;
  const known = await readMetadata(options.metadataFile);
  if (isKnown(stack, known)) return true;
  const { account, region, stackName } = stack;
  const question = `${NOTICE}\nIs ${stackName} in account ${account}, ${region}, a development stack?`;
  if (!(await options.ask(question, { default: true }))) return false;
  await remember(stack, options.metadataFile);
  return true;
}

/** Where the peer keeps its metadata, by platform. */
export function metadataFile(
  env: Readonly<Record<string, string | undefined>>,
  home: string = os.homedir(),
  platform: NodeJS.Platform = process.platform,
): string {
  const usual = platform === 'win32' ? path.join(env['APPDATA'] ?? home, 'AWS SAM') : path.join(home, '.aws-sam');
  return path.join(env['__SAM_CLI_APP_DIR'] ?? usual, 'metadata.json');
}

type Metadata = Record<string, unknown>;

function isKnown(stack: DevelopmentStack, metadata: Metadata): boolean {
  const checksum = createHash('md5').update(`${stack.templateFile}${stack.stackName}`).digest('hex');
  return listAt(metadata, OUR_KEY).includes(keyOf(stack)) || listAt(metadata, PEER_KEY).includes(checksum);
}

function keyOf({ account, region, stackName }: DevelopmentStack): string {
  return `${account}/${region}/${stackName}`;
}

function listAt(metadata: Metadata, key: string): unknown[] {
  const list = metadata[key];
  return Array.isArray(list) ? list : [];
}

/** A file that is missing, broken or not to be read says nothing. */
async function readMetadata(file: string): Promise<Metadata> {
  try {
    const metadata: unknown = JSON.parse((await readTextIfExists(file)) ?? '{}');
    return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? (metadata as Metadata) : {};
  } catch {
    return {};
  }
}

/** A home that cannot be written to only means that the question comes again. */
async function remember(stack: DevelopmentStack, file: string): Promise<void> {
  // read again: another run may have written while the question waited
  const metadata = await readMetadata(file);
  const stacks = [...new Set([...listAt(metadata, OUR_KEY), keyOf(stack)])];
  try {
    await makeFolder(path.dirname(file), { mode: 0o700 });
    await writeUserFile(file, JSON.stringify({ ...metadata, [OUR_KEY]: stacks }, null, 4));
  } catch {
    return;
  }
}
