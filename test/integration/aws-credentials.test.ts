import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { openTerminal } from '../support/terminal.ts';
import { haveTools } from '../support/toolchains.ts';
import { openCloud } from '../support/open-cloud.ts';

const { proxy } = await openCloud();

beforeEach(() => proxy.clear());

const QUEUE = { 'template.yaml': 'Resources: {Queue: {Type: AWS::SQS::Queue}}' };
const hasTmux = haveTools(['tmux'], ['tmux']);

interface Machine {
  /** Below the home folder. */
  files?: Record<string, string>;
  env?: Record<string, string>;
  args?: readonly string[];
  /** What is typed. */
  input?: string;
}

/** Has the command look at a stack, on a machine with just these files and variables. */
async function look({ files = {}, env = {}, args = [], input = '' }: Machine, home?: string): Promise<CliResult> {
  const folder = home ?? (await tempFolder());
  await writeFiles(folder, { ...QUEUE, ...files });
  return await runCli(['--stack-name', 'look', '--dry-run', ...args], {
    cwd: folder,
    input,
    env: {
      HOME: folder,
      USERPROFILE: folder,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: proxy.endpoint,
      REQUESTS_CA_BUNDLE: undefined,
      ...env,
    },
  });
}

/** The same; it must succeed. */
async function seen(machine: Machine, home?: string): Promise<string[]> {
  const { code, stderr } = await look(machine, home);
  expect(code, stderr).toBe(0);
  return callers();
}

/** Who called where (or assumed a role), once each, in the order in which they came. */
function callers(): string[] {
  const scopes = proxy.calls.map(({ operation, headers }) => {
    const [, key = 'nobody', region = ''] = /Credential=([^/]+)\/\d+\/([^/]+)/.exec(headers.authorization ?? '') ?? [];
    return [key, ...(operation.startsWith('AssumeRole') ? [operation] : []), region].join(' ').trim();
  });
  return [...new Set(scopes)];
}

const KEYS = { AWS_ACCESS_KEY_ID: 'ENVKEY', AWS_SECRET_ACCESS_KEY: 'ENVKEY' };
const PROFILES = {
  '.aws/credentials': `
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = DEFAULTKEY
[dev]
aws_access_key_id = DEVKEY
aws_secret_access_key = DEVKEY
`,
};

describe('which credentials count, as with the AWS CLI', () => {
  it.each<[string, Machine, string]>([
    ['access keys of the environment', { env: KEYS }, 'ENVKEY'],
    ['the default profile', { files: PROFILES }, 'DEFAULTKEY'],
    ['environment over the default profile', { files: PROFILES, env: KEYS }, 'ENVKEY'],
    ['AWS_PROFILE', { files: PROFILES, env: { AWS_PROFILE: 'dev' } }, 'DEVKEY'],
    ['AWS_DEFAULT_PROFILE', { files: PROFILES, env: { AWS_DEFAULT_PROFILE: 'dev' } }, 'DEVKEY'],
    ['access keys over AWS_PROFILE', { files: PROFILES, env: { ...KEYS, AWS_PROFILE: 'dev' } }, 'ENVKEY'],
    ['--profile over access keys', { files: PROFILES, env: KEYS, args: ['--profile', 'dev'] }, 'DEVKEY'],
    [
      'files elsewhere',
      {
        files: {
          'a/config': '[profile x]\nregion = eu-west-3',
          'a/keys': '[x]\naws_access_key_id = XKEY\naws_secret_access_key = XKEY',
        },
        env: { AWS_CONFIG_FILE: '~/a/config', AWS_SHARED_CREDENTIALS_FILE: '~/a/keys', AWS_PROFILE: 'x' },
      },
      'XKEY',
    ],
    [
      'a process',
      {
        files: {
          '.aws/config': `[profile p]\ncredential_process = "${process.execPath}" -p "JSON.stringify({ Version: 1, AccessKeyId: 'PROCESSKEY', SecretAccessKey: 'PROCESSKEY' })"`,
        },
        args: ['--profile', 'p'],
      },
      'PROCESSKEY',
    ],
  ])('%s', async (_name, machine, key) => {
    expect(await seen(machine)).toEqual([`${key} eu-west-1`]);
  });

  it('a role, with the keys of its source profile and an MFA code; the session is kept for the next run', async () => {
    const files = {
      ...PROFILES,
      '.aws/config': `
[profile role]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = dev
mfa_serial = arn:aws:iam::123456789012:mfa/me
region = eu-north-1
`,
    };
    const machine = { files, env: { AWS_REGION: '' }, args: ['--profile', 'role'] };
    const home = await tempFolder();
    const asked = await look({ ...machine, input: '123456\n' }, home);
    expect(asked, asked.stderr).toMatchObject({ code: 0 });
    // nor is it repeated where a pipe gives it
    expect(asked.stderr).toContain('Code of MFA device arn:aws:iam::123456789012:mfa/me:');
    expect(asked.stderr).not.toContain('123456\n');
    const [assumed, called] = callers();
    expect(assumed).toBe('DEVKEY AssumeRole eu-north-1');
    expect(called).toMatch(/^(?!DEVKEY)\w+ eu-north-1$/);
    expect(proxy.calls[0]?.body.toString()).toContain('TokenCode=123456');
    proxy.clear();
    expect(await seen(machine, home)).toEqual([called]);
  });

  it.skipIf(!hasTmux)('the code of an MFA device is not shown on a terminal; Ctrl-C ends the question', async () => {
    const cwd = await tempFolder({
      ...QUEUE,
      ...PROFILES,
      '.aws/config':
        '[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = dev\nmfa_serial = GAHT12345678',
    });
    const command = `"${process.execPath}" "${path.resolve('bin/sam-sync.cjs')}" --stack-name mfa --dry-run --profile r`;
    const env = { HOME: cwd, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: proxy.endpoint, REQUESTS_CA_BUNDLE: '' };
    const stopped = await openTerminal(command, { cwd, env });
    await stopped.shows(/Code of MFA device GAHT12345678:/);
    await stopped.press('1', '2', 'C-c');
    await stopped.shows(/exit code 130/);
    const terminal = await openTerminal(command, { cwd, env });
    await terminal.shows(/Code of MFA device GAHT12345678:/);
    await terminal.press('1', '2', '9', 'BSpace', '3', '4', '5', '6', 'Enter');
    expect(await terminal.shows(/exit code 0/)).not.toMatch(/(?<!GAHT)12/);
    expect(proxy.calls.find(({ operation }) => operation === 'AssumeRole')?.body.toString()).toContain(
      'TokenCode=123456',
    );
  });

  it('a web identity token', async () => {
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: 'token',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ci',
      AWS_ROLE_SESSION_NAME: 'ci',
    };
    const home = await tempFolder({ token: 'a.b.c' });
    const machine = { env: { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(home, 'token') } };
    expect(await seen(machine, home)).toEqual([
      'nobody AssumeRoleWithWebIdentity',
      expect.stringMatching(/^(?!nobody)\w+ eu-west-1$/),
    ]);
  });
});

/** A server that answers each path with a JSON document. */
async function serveJson(answers: Record<string, object>): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const server = http.createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://localhost').pathname];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => new Promise((resolve) => server.close(resolve)) };
}

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();

const SSO = `sso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start`;
const ROLE = `sso_account_id = 123456789012\nsso_role_name = Dev`;
const token = (expiresAt: string): string =>
  JSON.stringify({
    accessToken: 'token',
    expiresAt,
    region: 'eu-west-1',
    startUrl: 'https://example.awsapps.com/start',
  });
const cacheFile = (name: string): string => `.aws/sso/cache/${createHash('sha1').update(name).digest('hex')}.json`;

describe('credentials from servers', () => {
  it('a container', async () => {
    const container = await serveJson({
      '/creds': { AccessKeyId: 'CONTAINERKEY', SecretAccessKey: 's', Token: 't', Expiration: IN_AN_HOUR },
    });
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/creds` };
    expect(await seen({ env })).toEqual(['CONTAINERKEY eu-west-1']);
    await container.stop();
  });

  it.each([
    ['a session section', `[sso-session corp]\n${SSO}\n[profile sso]\nsso_session = corp\n${ROLE}`, 'corp'],
    ['the older form', `[profile sso]\n${SSO}\n${ROLE}`, 'https://example.awsapps.com/start'],
  ])('single sign-on: %s', async (_name, config, cached) => {
    const roleCredentials = {
      accessKeyId: 'SSOKEY',
      secretAccessKey: 's',
      sessionToken: 't',
      expiration: Date.parse(IN_AN_HOUR),
    };
    const portal = await serveJson({ '/federation/credentials': { roleCredentials } });
    const files = { '.aws/config': config, [cacheFile(cached)]: token(IN_AN_HOUR) };
    const machine = { files, env: { AWS_ENDPOINT_URL_SSO: portal.url }, args: ['--profile', 'sso'] };
    expect(await seen(machine)).toEqual(['SSOKEY eu-west-1']);
    await portal.stop();
  });

  it.each([
    ['over', { [cacheFile('corp')]: token('2020-01-01T00:00:00Z') }],
    ['missing', {}],
  ])('a single sign-on session that is %s: says how to sign in', async (_name, cache) => {
    const config = `[sso-session corp]\n${SSO}\n[profile sso]\nsso_session = corp\n${ROLE}`;
    const { code, stderr } = await look({ files: { '.aws/config': config, ...cache }, env: { AWS_PROFILE: 'sso' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: The AWS credentials of profile sso have expired: /m);
    expect(stderr).toContain('`aws sso login --profile sso`');
    expect(callers()).toEqual([]);
  });
});

describe('what is wrong, in a sentence', () => {
  it.each<[string, Machine, string, string]>([
    ['no credentials at all', {}, 'No AWS credentials found', '--local'],
    [
      'half of the keys',
      { env: { AWS_ACCESS_KEY_ID: 'K' } },
      'AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not',
      '--profile',
    ],
    [
      'a profile that is nowhere',
      { files: PROFILES, args: ['--profile', 'dve'] },
      'AWS profile dve does not exist',
      'Did you mean dev?',
    ],
    [
      'a profile without keys',
      { files: { '.aws/config': '[profile empty]\nregion = x' }, args: ['--profile', 'empty'] },
      'The AWS profile empty has no credentials',
      'aws configure',
    ],
    ['no region', { env: { ...KEYS, AWS_REGION: '' } }, 'No AWS Region is set', '--region'],
    [
      'an MFA device and nobody to ask',
      {
        files: {
          ...PROFILES,
          '.aws/config': '[profile r]\nrole_arn = arn:r\nsource_profile = dev\nmfa_serial = arn:mfa',
        },
        args: ['--profile', 'r'],
      },
      'No answer: stdin is closed',
      'terminal',
    ],
    [
      'certificates that are not there',
      { env: { ...KEYS, AWS_CA_BUNDLE: '/nowhere.pem' } },
      'Could not read the certificates in /nowhere.pem',
      'AWS_CA_BUNDLE',
    ],
  ])('%s', async (_name, machine, message, hint) => {
    const { code, stderr } = await look(machine);
    // a name on the command line that does not exist is a mistake of the command line
    expect(code).toBe(machine.args?.includes('dve') ? 2 : 1);
    const said = /Error: (.*)\n$/.exec(stderr)?.[1] ?? '';
    expect(said, stderr).toContain(message);
    expect(said).toContain(hint);
    expect(callers()).toEqual([]);
  });

  it('a role that may not be assumed', async () => {
    const message =
      'User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r';
    proxy.fault({ operation: 'AssumeRole' }, { kind: 'error', status: 403, code: 'AccessDenied', message });
    const files = { ...PROFILES, '.aws/config': '[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = dev' };
    expect((await look({ files, args: ['--profile', 'r'] })).stderr).toContain(
      'Access denied: arn:aws:iam::1:user/me may not perform sts:AssumeRole on arn:aws:iam::1:role/r',
    );
  });
});
