import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spawn } from '../../src/support/spawn.ts';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';

let cloud: TestCloud;
let proxy: FaultProxy;
let folder: string;
let probe: string;

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-probe-'));
  probe = path.join(folder, 'probe.mjs');
  await build({
    entryPoints: ['test/fixtures/aws/probe.ts'],
    outfile: probe,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
});
beforeEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
  await fs.rm(folder, { recursive: true, force: true });
});

interface Machine {
  /** Below the home folder. */
  files?: Record<string, string>;
  env?: Record<string, string>;
  options?: { profile?: string; region?: string; mfaCode?: string };
}

interface Report {
  region?: string;
  profile?: string;
  message?: string;
  hint?: string;
  stderr: string;
  home: string;
}

/** Runs the probe on a machine with just these files and variables. */
async function runProbe({ files = {}, env = {}, options = {} }: Machine, home?: string): Promise<Report> {
  const folder = home ?? (await tempFolder());
  await writeFiles(folder, files);
  const result = await spawn(process.execPath, [probe, JSON.stringify(options)], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      USERPROFILE: folder,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: proxy.endpoint,
      ...env,
    },
  });
  expect(result.stdout, result.output).not.toBe('');
  return { ...(JSON.parse(result.stdout) as Report), stderr: result.stderr, home: folder };
}

/** The access keys of the calls that arrived: `Operation KEY`. */
function callers(): string[] {
  return proxy.calls.map(({ operation, headers }) => {
    const key = /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1] ?? 'nobody';
    return `${operation} ${key}`;
  });
}

const KEYS = { AWS_ACCESS_KEY_ID: 'ENVKEY', AWS_SECRET_ACCESS_KEY: 'secret' };
const PROFILES = {
  '.aws/credentials': `
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = secret
[dev]
aws_access_key_id = DEVKEY
aws_secret_access_key = secret
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
    ['--profile over access keys', { files: PROFILES, env: KEYS, options: { profile: 'dev' } }, 'DEVKEY'],
    [
      'files elsewhere',
      {
        files: {
          'a/config': '[profile x]\nregion = eu-west-3',
          'a/keys': '[x]\naws_access_key_id = XKEY\naws_secret_access_key = s',
        },
        env: { AWS_CONFIG_FILE: '~/a/config', AWS_SHARED_CREDENTIALS_FILE: '~/a/keys', AWS_PROFILE: 'x' },
      },
      'XKEY',
    ],
    [
      'a process',
      {
        files: {
          '.aws/config': `[profile p]\ncredential_process = "${process.execPath}" -p "JSON.stringify({ Version: 1, AccessKeyId: 'PROCESSKEY', SecretAccessKey: 's' })"`,
        },
        options: { profile: 'p' },
      },
      'PROCESSKEY',
    ],
  ])('%s', async (_name, machine, key) => {
    expect(await runProbe(machine)).toMatchObject({ region: 'eu-west-1', stderr: '' });
    expect(callers()).toEqual([`GetCallerIdentity ${key}`]);
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
    const machine = { files, env: { AWS_REGION: '' }, options: { profile: 'role', mfaCode: '123456' } };
    const { home, ...first } = await runProbe(machine);
    expect(first).toMatchObject({ region: 'eu-north-1', profile: 'role' });
    expect(callers()).toEqual(['AssumeRole DEVKEY', expect.not.stringContaining('DEVKEY')]);
    expect(proxy.calls[0]?.body.toString()).toContain('TokenCode=123456');
    const session = callers()[1];
    proxy.clear();
    await runProbe({ ...machine, options: { profile: 'role' } }, home);
    expect(callers()).toEqual([session]);
  });

  it('a web identity token', async () => {
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: 'token',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ci',
      AWS_ROLE_SESSION_NAME: 'ci',
    };
    const home = await tempFolder({ token: 'a.b.c' });
    await runProbe({ env: { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(home, 'token') } }, home);
    expect(callers()[0]).toBe('AssumeRoleWithWebIdentity nobody');
    expect(callers()[1]).toMatch(/^GetCallerIdentity \w+$/);
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
    await runProbe({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/creds` } });
    expect(callers()).toEqual(['GetCallerIdentity CONTAINERKEY']);
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
    await runProbe({ files, env: { AWS_ENDPOINT_URL_SSO: portal.url }, options: { profile: 'sso' } });
    expect(callers()).toEqual(['GetCallerIdentity SSOKEY']);
    await portal.stop();
  });

  it.each([
    ['over', { [cacheFile('corp')]: token('2020-01-01T00:00:00Z') }],
    ['missing', {}],
  ])('a single sign-on session that is %s: says how to sign in', async (_name, cache) => {
    const config = `[sso-session corp]\n${SSO}\n[profile sso]\nsso_session = corp\n${ROLE}`;
    const report = await runProbe({ files: { '.aws/config': config, ...cache }, env: { AWS_PROFILE: 'sso' } });
    expect(report.message).toMatch(/^The AWS credentials of profile sso have expired: /);
    expect(report.hint).toContain('`aws sso login --profile sso`');
    expect(callers()).toEqual([]);
  });
});

describe('what is wrong, in a sentence', () => {
  it.each<[string, Machine, string, string]>([
    ['no credentials at all', {}, 'There are no AWS credentials', '--local'],
    [
      'half of the keys',
      { env: { AWS_ACCESS_KEY_ID: 'K' } },
      'AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not',
      '--profile',
    ],
    [
      'a profile that is nowhere',
      { files: PROFILES, options: { profile: 'dve' } },
      'There is no AWS profile dve',
      'Did you mean dev?',
    ],
    [
      'a profile without keys',
      { files: { '.aws/config': '[profile empty]\nregion = x' }, options: { profile: 'empty' } },
      'The AWS profile empty holds no credentials',
      'aws configure',
    ],
    ['no region', { env: { ...KEYS, AWS_REGION: '' } }, 'No AWS region is set', '--region'],
    [
      'an MFA device and nobody to ask',
      {
        files: {
          ...PROFILES,
          '.aws/config': '[profile r]\nrole_arn = arn:r\nsource_profile = dev\nmfa_serial = arn:mfa',
        },
        options: { profile: 'r' },
      },
      'wants a code of the MFA device arn:mfa',
      'terminal',
    ],
    [
      'certificates that are not there',
      { env: { ...KEYS, AWS_CA_BUNDLE: '/nowhere.pem' } },
      'The certificates in /nowhere.pem could not be read',
      'AWS_CA_BUNDLE',
    ],
  ])('%s', async (_name, machine, message, hint) => {
    const report = await runProbe(machine);
    expect(report.message).toContain(message);
    expect(report.hint).toContain(hint);
    expect(report.stderr).toBe('');
    expect(callers()).toEqual([]);
  });

  it('a role that may not be assumed', async () => {
    const message =
      'User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r';
    proxy.fault({ operation: 'AssumeRole' }, { kind: 'error', status: 403, code: 'AccessDenied', message });
    const files = { ...PROFILES, '.aws/config': '[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = dev' };
    const report = await runProbe({ files, options: { profile: 'r' } });
    expect(report.message).toContain(
      'Access denied: arn:aws:iam::1:user/me may not do sts:AssumeRole on arn:aws:iam::1:role/r',
    );
  });
});
