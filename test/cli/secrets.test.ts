import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { watchProcesses } from '../support/process-spy.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import type { PackageIndex } from '../support/python-packages.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { isResource, startReadyWatch } from '../support/watch-cli.ts';

const mark = (name: string): string => `marker-${name}-${randomBytes(6).toString('hex')}`;

/** Each secret where a user keeps it; none may be seen anywhere else. */
const SECRETS = {
  noEcho: mark('noecho'),
  noEchoDefault: mark('default'),
  secretKey: mark('secretkey'),
  sessionToken: mark('session'),
  indexPassword: mark('index'),
  extraIndexPassword: mark('extra'),
  registryToken: mark('registry'),
  registryEnvironment: mark('registryenv'),
  urlToken: mark('url'),
  container: mark('container'),
  proxy: mark('proxy'),
};
const MFA_CODE = '918273';

let cloud: TestCloud;
let index: PackageIndex;
beforeAll(async () => {
  // the requests are signed with a marker, which the checks of requests do not know
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_EXTENSION: '' });
  index = await startIndex(
    [{ name: 'tiny', version: '1.0', files: { 'tiny.py': 'X = 1\n' } }],
    `user:${SECRETS.indexPassword}`,
  );
});
afterAll(() => cloud?.stop());

const withLogin = (password: string): string => index.url.replace('//', `//user:${password}@`);

const RESOURCES = {
  Py: `
    Type: AWS::Serverless::Function
    Properties: { CodeUri: py, Handler: app.handler, Runtime: python3.12, Environment: { Variables: { SECRET: !Ref Secret, OTHER: !Sub '\${Other}-\${Plain}' } } }`,
  Js: `
    Type: AWS::Serverless::Function
    Properties: { CodeUri: js, Handler: app.handler, Runtime: nodejs22.x }`,
  Flow: `
    Type: AWS::Serverless::StateMachine
    Properties: { DefinitionUri: flow.json, DefinitionSubstitutions: { Secret: !Ref Secret } }`,
};

type ResourceId = keyof typeof RESOURCES;

function appFiles(ids: readonly ResourceId[]): Record<string, string> {
  return {
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters:
  Secret: { Type: String, NoEcho: true, Default: ${SECRETS.noEchoDefault}, AllowedPattern: '.*' }
  Other: { Type: String, NoEcho: true, Default: ${SECRETS.noEchoDefault} }
  Plain: { Type: String, Default: plain }
Resources:
${ids.map((id) => `  ${id}:${RESOURCES[id]}\n`).join('')}`,
    'flow.json': '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${Secret}", "End": true}}}',
    'py/app.py': 'import tiny\n\ndef handler(event, context):\n    return tiny.X\n',
    'py/requirements.txt': 'tiny==1.0\n',
    'js/app.js': 'exports.handler = async () => 1;\n',
    'js/package.json': '{ "name": "js", "version": "1.0.0", "dependencies": { "local": "file:../local" } }',
    'js/.npmrc': `//127.0.0.1:9/:_authToken=${SECRETS.registryToken}\n`,
    'local/package.json': '{ "name": "local", "version": "1.0.0" }',
    'local/index.js': '',
  };
}

interface Machine {
  dir: string;
  env: Record<string, string | undefined>;
  args: readonly string[];
}

async function machine(
  stackName: string,
  ids: readonly ResourceId[],
  files: Readonly<Record<string, string>> = {},
): Promise<Machine> {
  const dir = await tempFolder({ ...appFiles(ids), ...files });
  const env = {
    ...cloud.env,
    HOME: await tempFolder(),
    AWS_SECRET_ACCESS_KEY: SECRETS.secretKey,
    AWS_SESSION_TOKEN: SECRETS.sessionToken,
    PIP_INDEX_URL: withLogin(SECRETS.indexPassword),
    PIP_EXTRA_INDEX_URL: withLogin(SECRETS.extraIndexPassword),
    'npm_config_//127.0.0.1:9/:_authToken': SECRETS.registryEnvironment,
    SAM_CLI_POLL_DELAY: '0.05',
  };
  return { dir, env, args: ['--stack-name', stackName, '--yes', '--parameter-overrides', `Secret=${SECRETS.noEcho}`] };
}

/** Where secrets are in a text; the user's own words and files are not looked at. */
function leaks(text: string): string[] {
  return [...Object.entries(SECRETS), ['mfa', MFA_CODE] as const]
    .filter(([, secret]) => text.includes(secret))
    .map(
      ([name, secret]) => `${name}: …${text.slice(Math.max(0, text.indexOf(secret) - 90), text.indexOf(secret) + 10)}`,
    );
}

/** Every file below \`.aws-sam\` with secrets in it, and those of ours that others may read although they are private. */
async function filesWithSecrets(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const item of await fs.readdir(path.join(dir, '.aws-sam'), { recursive: true, withFileTypes: true })) {
    // a lock file with a login is packed, as SAM CLI does, and a warning says so
    if (!item.isFile() || item.name === 'uv.lock') continue;
    const file = path.join(item.parentPath, item.name);
    // the user's own templates, whose defaults are written in them
    const text = (await fs.readFile(file, 'latin1')).replaceAll(SECRETS.noEchoDefault, '');
    found.push(...leaks(text).map((leak) => `${path.relative(dir, file)}: ${leak}`));
  }
  return found;
}

/** Runs a command; nothing that is printed or written and no command line holds a secret. */
async function runUnseen({ dir, env, args }: Machine, more: readonly string[], input?: string): Promise<string> {
  const spy = watchProcesses();
  const { stdout, stderr } = await runCli([...more, ...args], {
    cwd: dir,
    env,
    ...(input === undefined ? {} : { input }),
  });
  spy.stop();
  expect(leaks(stdout + stderr)).toEqual([]);
  expect(await filesWithSecrets(dir).catch(() => [])).toEqual([]);
  // the command that the user typed has them, and npm hands URLs of repositories to git
  const others = spy.commandLines().filter((line) => !/sam-sync\.cjs|^\S*\bgit\b/.test(line));
  expect(others.flatMap(leaks)).toEqual([]);
  return stdout + stderr;
}

describe('no secret is seen', () => {
  it('in a first sync, a code sync, a sync without changes and a dry run', async () => {
    const app = await machine('seen', ['Py', 'Js', 'Flow']);
    expect(await runUnseen(app, ['--debug'])).toContain('is in sync');
    await fs.appendFile(path.join(app.dir, 'py/app.py'), '# changed\n');
    await fs.appendFile(path.join(app.dir, 'flow.json'), '\n');
    await runUnseen(app, ['--code', '--debug', '--output', 'json']);
    await runUnseen(app, ['--debug', '--output', 'json']);
    await runUnseen({ ...app, args: app.args.slice(0, 3) }, ['--dry-run', '--debug']);
    const { s3 } = clients(cloud.endpoint);
    for (const { Name: Bucket } of (await s3.send(new ListBucketsCommand({}))).Buckets ?? [])
      for (const { Key } of (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []) {
        const body = await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString('latin1');
        expect(leaks((body ?? '').replaceAll(SECRETS.noEchoDefault, ''))).toEqual([]);
      }
  });

  const FAILURES: readonly (readonly [what: string, files: Record<string, string>])[] = [
    ['a package that the index does not have', { 'py/requirements.txt': '--index-url INDEX\nmissing==1.0\n' }],
    ['an index that refuses the login', { 'py/requirements.txt': '--index-url EXTRA\ntiny==1.0\n' }],
    [
      'a package that is built from source',
      {
        ...localPackage('py/here', 'here', { value: 'x' }),
        'py/requirements.txt': '--index-url INDEX\n./here\n',
        'py/here/backend.py': 'wrong',
      },
    ],
    ['a requirement of a URL', { 'py/requirements.txt': 'tiny @ URL/tiny-1.0-py3-none-any.whl?token=TOKEN\n' }],
    [
      'a requirement of a repository',
      { 'py/requirements.txt': 'tiny @ git+http://user:TOKEN@127.0.0.1:9/tiny.git@v1\n' },
    ],
    [
      'a package of a repository in uv.lock',
      {
        'py/pyproject.toml': '[project]\nname = "py"\nversion = "1.0"\ndependencies = ["tiny"]\n',
        'py/uv.lock': `version = 1
requires-python = ">=3.10"
[[package]]
name = "py"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "tiny" }]
[[package]]
name = "tiny"
version = "1.0"
source = { git = "http://user:TOKEN@127.0.0.1:9/tiny.git#0123456789012345678901234567890123456789" }
`,
      },
    ],
    [
      'an npm package of a URL',
      { 'js/package.json': '{ "name": "js", "dependencies": { "x": "URL/x.tgz?token=TOKEN" } }' },
    ],
    [
      'an npm package of a repository',
      { 'js/package.json': '{ "name": "js", "dependencies": { "x": "git+http://user:TOKEN@127.0.0.1:9/x.git" } }' },
    ],
    [
      'a template that is wrong',
      {
        'template.yaml':
          'Parameters:\n  Secret: { Type: String, NoEcho: true }\nResources: { A: { Type: "AWS::Serverless::Function", Properties: { CodeUri: !Sub "./${Secret}", Handler: a.b, Runtime: nodejs22.x } } }\nTransform: AWS::Serverless-2016-10-31\n',
      },
    ],
  ];

  it.each(FAILURES)('in the failure of %s', async (_what, given) => {
    const fill = (text: string): string =>
      text
        .replace('INDEX', withLogin(SECRETS.indexPassword))
        .replace('EXTRA', withLogin(SECRETS.extraIndexPassword))
        .replace('URL', withLogin(SECRETS.urlToken).replace(/\/$/, ''))
        .replace('TOKEN', SECRETS.urlToken);
    const filled = Object.fromEntries(Object.entries(given).map(([file, text]) => [file, fill(text)]));
    const ids: ResourceId[] = Object.keys(given).some((file) => file.startsWith('js')) ? ['Js'] : ['Py'];
    await runUnseen(await machine('failing', ids, filled), ['--debug', '--output', 'json']);
  });

  it('in a container of a build', async () => {
    const app = await machine('container', ['Js']);
    const bin = await tempFolder({
      docker: `#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case "$1 $2" in
  'network ls') echo bridge ;;
  'image inspect') echo 'sha256:0123 amd64' ;;
  run*) echo ready; exec cat ;;
  exec*) sleep 0.2; echo "docker: $*" >&2; exit 1 ;;
esac
`,
    });
    await fs.chmod(path.join(bin, 'docker'), 0o755);
    const env = { ...app.env, PATH: `${bin}:${process.env['PATH']}` };
    const variables = [
      '-e',
      `TOKEN=${SECRETS.container}`,
      '-e',
      `HTTPS_PROXY=http://user:${SECRETS.proxy}@127.0.0.1:9`,
    ];
    const printed = await runUnseen({ ...app, env, args: [...variables, ...app.args] }, ['--use-container', '--debug']);
    expect(printed).toContain('Docker failed');
    const calls = await fs.readFile(path.join(bin, 'calls'), 'utf8');
    expect(calls).toContain('--env=TOKEN');
    expect(leaks(calls)).toEqual([]);
  });

  it('in a run that asks for the code of an MFA device', async () => {
    const app = await machine('mfa', ['Flow']);
    const aws = path.join(String(app.env['HOME']), '.aws');
    await fs.mkdir(aws);
    await fs.writeFile(
      path.join(aws, 'config'),
      '[profile r]\nrole_arn = arn:aws:iam::000000000000:role/r\nsource_profile = dev\nmfa_serial = arn:aws:iam::000000000000:mfa/me\nregion = us-east-1\n',
    );
    await fs.writeFile(
      path.join(aws, 'credentials'),
      `[dev]\naws_access_key_id = test\naws_secret_access_key = ${SECRETS.secretKey}\n`,
    );
    const env = {
      ...app.env,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
    };
    await runUnseen({ ...app, env }, ['--dry-run', '--debug', '--profile', 'r'], `${MFA_CODE}\n`);
    const [session = ''] = await fs.readdir(path.join(aws, 'cli/cache'));
    expect((await fs.stat(path.join(aws, 'cli/cache', session))).mode & 0o777).toBe(0o600);
  });

  it('in a watch, with a save that works and one that fails', async () => {
    const app = await machine('watched', ['Py', 'Flow']);
    const watch = await startReadyWatch(app.dir, app.env, ['--debug', ...app.args]);
    await watch.save('py/app.py', (text) => `${text}# saved\n`, 'Py');
    const failed = `--index-url ${withLogin(SECRETS.indexPassword)}\nmissing==1.0\n`;
    await watch.after(() => watch.write('py/requirements.txt', failed), isResource('Py', 'failed'));
    await watch.stop();
    expect(leaks(watch.lines.map((line) => JSON.stringify(line)).join('\n') + watch.stderr())).toEqual([]);
    expect(await filesWithSecrets(app.dir)).toEqual([]);
  });
});

it('what is remembered of stacks is readable by its owner only', async () => {
  const app = await machine('private', ['Flow']);
  await runCli(app.args, { cwd: app.dir, env: app.env });
  const stacks = path.join(app.dir, '.aws-sam/sam-sync/stacks');
  const modes = await Promise.all(
    (await fs.readdir(stacks)).map(async (name) => (await fs.stat(path.join(stacks, name))).mode & 0o777),
  );
  expect(modes.length).toBeGreaterThan(0);
  expect(new Set(modes)).toEqual(new Set([0o600]));
});
