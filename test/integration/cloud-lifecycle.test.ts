import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  CreateBasePathMappingCommand,
  CreateDomainNameCommand,
  CreateRestApiCommand,
} from '@aws-sdk/client-api-gateway';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCloudCommand } from '../../src/cli/local-cloud/cloud-command.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import { UsageError } from '../../src/errors.ts';
import { cloudStatus, ensureCloud, readCloudLog, resetCloud, stopCloud } from '../../src/local/cloud.ts';
import { ensureInstalled, readPlugin } from '../../src/local/installation.ts';
import { isRunning } from '../../src/support/process/running.ts';
import { clients, poll, sharedCacheDir, silent, startTestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const never = new AbortController().signal;
const posix = process.platform !== 'win32';

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A place for a cloud of the test's own, with the packages that all tests share. */
async function newPlace() {
  const home = await tempFolder();
  const cacheDir = path.join(home, 'sam-sync');
  const plugin = await readPlugin();
  await ensureInstalled(plugin, { cacheDir: sharedCacheDir(), env: process.env, reporter: silent });
  const packages = `python-${plugin.requirements}`;
  await fs.mkdir(cacheDir);
  await fs.symlink(path.join(sharedCacheDir(), packages), path.join(cacheDir, packages), 'junction');
  const place = { cacheDir, port: await freePort() };
  onTestFinished(async () => void (await stopCloud(place).catch(() => {})));
  return { ...place, env: process.env, reporter: silent, home };
}

describe('the local cloud', () => {
  it('starts, is reused, outlives who started it, forgets, and stops', async () => {
    const place = await newPlace();
    expect(await cloudStatus(place)).toBeUndefined();
    await expect(resetCloud(place)).rejects.toThrow('No local cloud is running');
    await expect(readCloudLog(place)).rejects.toThrow('has no log: it was never started');

    const cloud = await ensureCloud(place);
    expect(cloud).toMatchObject({ endpoint: `http://127.0.0.1:${place.port}`, region: 'us-east-1', started: true });
    const { Account } = await clients(cloud.endpoint).sts.send(new GetCallerIdentityCommand());
    expect(Account).toBe('000000000000');
    expect(await ensureCloud(place)).toEqual({ ...cloud, started: false });
    expect(await cloudStatus(place)).toMatchObject({ pid: cloud.pid, answering: true });

    await resetCloud(place);
    expect((await readCloudLog(place)).text).toContain('State reset complete');
    expect(await stopCloud(place)).toBe(true);
    expect(isRunning(cloud.pid)).toBe(false);
    expect(await stopCloud(place)).toBe(false);

    const again = await ensureCloud(place);
    expect(again.pid).not.toBe(cloud.pid);
    // the log begins anew
    expect((await readCloudLog(place)).text).not.toContain('State reset complete');
  });

  it('is one, however many start it at once', async () => {
    const place = await newPlace();
    const clouds = await Promise.all([ensureCloud(place), ensureCloud(place), ensureCloud(place)]);
    expect(new Set(clouds.map((cloud) => cloud.pid)).size).toBe(1);
  });

  it('is not taken for one of another version', async () => {
    const place = await newPlace();
    const { pid } = await ensureCloud(place);
    const other = await tempFolder();
    await fs.cp((await readPlugin()).dir, other, { recursive: true });
    await writeFiles(other, { 'more.py': '' });
    await expect(ensureCloud({ ...place, pluginDir: other })).rejects.toMatchObject({
      message: expect.stringContaining('another version of sam-sync'),
      hint: expect.stringContaining('sam-sync cloud stop'),
    });
    expect(isRunning(pid)).toBe(true);
  });

  it('says so if it does not forget', async () => {
    const place = await newPlace();
    await ensureCloud(place);
    const proxy = await startFaultProxy(`http://127.0.0.1:${place.port}`);
    onTestFinished(() => proxy.stop());
    // the proxy is taken for a cloud of its own port
    const renamed = (text: string): string => text.replaceAll(`cloud-${place.port}`, `cloud-${proxy.port}`);
    const isReset = ({ method }: ProxiedCall): boolean => method === 'POST';
    proxy.fault({ when: isReset }, { kind: 'answer', status: 503, body: 'busy' });
    proxy.fault({}, { kind: 'change', body: renamed }, { times: Infinity });
    await expect(resetCloud({ ...place, port: proxy.port })).rejects.toThrow(
      'Could not reset the local cloud (HTTP 503): busy',
    );
  });

  it('says so if the port is taken', async () => {
    const place = await newPlace();
    const server = http.createServer((_request, response) => response.end('hello')).listen(place.port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const taken = {
      message: `Port ${place.port} of the local cloud is in use by another program`,
      hint: expect.stringContaining('SAM_SYNC_CLOUD_PORT='),
    };
    await expect(ensureCloud(place)).rejects.toMatchObject(taken);
    await expect(cloudStatus(place)).rejects.toMatchObject(taken);
    await expect(stopCloud(place)).rejects.toMatchObject(taken);
  });

  it('a process that has got the id of one that ended is not taken for it, and not killed', async () => {
    const place = await newPlace();
    const innocent = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)'], { stdio: 'ignore' });
    onTestFinished(() => void innocent.kill('SIGKILL'));
    // it takes connections and gives no answer, as a cloud that hangs
    const silentServer = net.createServer((socket) => socket.resetAndDestroy()).listen(place.port, '127.0.0.1');
    onTestFinished(() => void silentServer.close());
    const state = JSON.stringify({ pid: innocent.pid, port: place.port });
    await writeFiles(place.cacheDir, { [`cloud-${place.port}/state.json`]: state });
    for (const act of [stopCloud, cloudStatus, ensureCloud]) {
      await expect(act(place)).rejects.toThrow('is in use by another program');
    }
    expect(isRunning(innocent.pid ?? 0)).toBe(true);
  });

  // a process that is stopped answers nothing: that takes the 10 s that a busy cloud is given
  it.skipIf(!posix)('that does not answer is killed', async () => {
    const place = await newPlace();
    const { pid } = await ensureCloud(place);
    process.kill(pid, 'SIGSTOP');
    expect(await stopCloud(place)).toBe(true);
    expect(isRunning(pid)).toBe(false);
  });

  it('is not that of another user', async () => {
    const [ours, theirs] = [await newPlace(), await newPlace()];
    await ensureCloud(theirs);
    await expect(ensureCloud({ ...ours, port: theirs.port })).rejects.toThrow('another user or cache folder');
  });

  it('shows the end of its log if it cannot start, and leaves no process', async () => {
    const place = await newPlace();
    const pluginDir = await tempFolder();
    await fs.cp((await readPlugin()).dir, pluginDir, { recursive: true });
    await writeFiles(pluginDir, { 'plugin.py': 'raise RuntimeError("broken on purpose")' });
    await expect(ensureCloud({ ...place, pluginDir })).rejects.toThrow(/ended with exit code 1[^]*broken on purpose/);
    expect(await cloudStatus(place)).toBeUndefined();
  });

  it('takes no longer to start than the user wants', async () => {
    const place = await newPlace();
    const controller = new AbortController();
    const starting = ensureCloud({ ...place, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(starting).rejects.toThrow();
    expect(await cloudStatus(place)).toBeUndefined();
  });

  it('answers this machine only, and no pages of other sites', async () => {
    const cloud = await startTestCloud();
    onTestFinished(() => cloud.stop());
    const address = Object.values(os.networkInterfaces())
      .flat()
      .find((found) => found?.family === 'IPv4' && !found.internal)?.address;
    if (address !== undefined) {
      const socket = net.connect(cloud.port, address);
      await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
    const status = async (headers: Record<string, string>) => {
      const answer = await fetch(`${cloud.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15`, { headers });
      return answer.status;
    };
    expect(await status({ origin: 'https://evil.test' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ origin: 'http://localhost:3000' })).toBe(200);
    expect(await status({})).toBe(200);
  });

  it('answers to its own names and those of AWS, not to one that was led here', async () => {
    const cloud = await startTestCloud();
    onTestFinished(() => cloud.stop());
    const { apigateway } = clients(cloud.endpoint);
    await apigateway.send(new CreateDomainNameCommand({ domainName: 'api.example.test' }));
    const { id: restApiId } = await apigateway.send(new CreateRestApiCommand({ name: 'mapped' }));
    await apigateway.send(new CreateBasePathMappingCommand({ domainName: 'api.example.test', restApiId }));
    const { port } = cloud;
    const ask = async (host: string, where = '/?Action=GetCallerIdentity&Version=2011-06-15') => {
      const request = http.get({ host: '127.0.0.1', port, path: where, headers: { host }, agent: false });
      const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      return { status: answer.statusCode, text: Buffer.concat(chunks).toString() };
    };
    for (const host of [`127.0.0.1:${port}`, `LOCALHOST:${port}`, '[::1]', 'sts.us-east-1.amazonaws.com'])
      expect(await ask(host), host).toMatchObject({ status: 200 });
    const rebound = `evil.test:${port}`;
    for (const host of [
      rebound,
      'localhost.evil.test',
      'amazonaws.com.evil.test',
      '12345678.execute-api.evil.test',
      '10.0.0.1',
      '[',
      'notlocalhost',
    ])
      for (const where of [
        '/',
        '/bucket/key',
        '/_sam-sync/health',
        '/_aws/execute-api/12345678/dev/',
        '/restapis/12345678/dev/_user_request_/',
      ])
        expect(await ask(host, where), `${host} ${where}`).toMatchObject({ status: 403 });
    expect((await ask(rebound)).text).toContain(`The local cloud is called localhost or 127.0.0.1, not ${rebound}.`);
    // what a deployed API is called is the user's own
    const bodies = await Promise.all(
      ['api.example.test', `12345678.execute-api.localhost:${port}`].map((host) => ask(host, '/dev')),
    );
    for (const { text } of bodies) expect(text).not.toContain('The local cloud is called');
  });
});

/** A `python3` of the given version whose virtual environments hold a Python that does what `inside` says. */
const fakePython = (version: string, inside = 'exit 0', venv = 'yes') => `#!/bin/sh
case "$1" in
  -c) echo "${version} ${venv} $0" ;;
  -m) mkdir -p "$3/bin"; printf '#!/bin/sh\\n%s\\n' '${inside}' > "$3/bin/python"; chmod +x "$3/bin/python" ;;
esac
`;

/** A machine whose PATH has nothing but these programs (and what they use themselves), and an empty cache. */
async function newMachine(programs: Record<string, string>, signal?: AbortSignal) {
  const folder = await tempFolder();
  const add = (name: string, script: string) => fs.writeFile(path.join(folder, name), script, { mode: 0o755 });
  for (const [name, script] of Object.entries(programs)) await add(name, script);
  for (const tool of ['sh', 'mkdir', 'chmod', 'sleep']) {
    const places = ['/bin', '/usr/bin'].map((place) => path.join(place, tool));
    for (const place of places) await fs.symlink(await fs.realpath(place), path.join(folder, tool)).catch(() => {});
  }
  const cacheDir = await tempFolder();
  const events: SyncEvent[] = [];
  const reporter = { report: (event: SyncEvent) => void events.push(event) };
  const plugin = await readPlugin();
  const install = () => ensureInstalled(plugin, { cacheDir, env: { PATH: folder }, reporter, signal });
  return { install, add, folder, events, cached: () => fs.readdir(cacheDir) };
}

describe.skipIf(!posix)('setting up', () => {
  it.each([
    ['no Python at all', {}, /needs Python 3\.10 or newer: none is on PATH/],
    ['shims that fail', { python3: '#!/bin/sh\nexit 127', python: '#!/bin/sh\necho hi' }, /none is on PATH/],
    ['an old Python', { python3: fakePython('3.8') }, /needs Python 3\.10 or newer: python3 is 3\.8/],
    ['no venv', { python3: fakePython('3.11', '', 'no') }, /needs Python's venv module, but Python 3\.11/],
  ])('says what is missing: %s', async (_what, programs, message) => {
    const { install, cached } = await newMachine(programs);
    await expect(install()).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringContaining('nstall'),
    });
    expect(await cached()).toEqual([]);
  });

  it('takes the first Python that works, once', async () => {
    const machine = await newMachine({
      python3: '#!/bin/sh\nexit 127',
      python: fakePython('2.7'),
      'python3.12': fakePython('3.12'),
    });
    const { python } = await machine.install();
    expect(await fs.readFile(python, 'utf8')).toContain('exit 0');
    await fs.rm(path.join(machine.folder, 'python3.12'));
    expect((await machine.install()).python).toBe(python);
  });

  it('prefers a Python that there are packages for', async () => {
    const { install, events } = await newMachine({ python3: fakePython('3.99'), 'python3.13': fakePython('3.13') });
    await install();
    expect(events).toContainEqual(expect.objectContaining({ type: 'step-finished', detail: 'Python 3.13' }));
  });

  it('shows what pip says, and leaves nothing behind', async () => {
    const machine = await newMachine({ python3: fakePython('3.12', 'echo no matching distribution >&2; exit 3') });
    await expect(machine.install()).rejects.toThrow(/\(exit code 3\):\nno matching distribution/);
    expect(await machine.cached()).toEqual([]);
    const line = { type: 'tool-output', line: 'no matching distribution' };
    expect(machine.events).toContainEqual(expect.objectContaining(line));
    await machine.add('python3', fakePython('3.12'));
    await machine.install();
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const controller = new AbortController();
    const machine = await newMachine({ python3: fakePython('3.12', 'sleep 60') }, controller.signal);
    const installing = machine.install();
    await poll(async () => ((await machine.cached()).length > 0 ? true : undefined));
    controller.abort(new Error('enough'));
    await expect(installing).rejects.toThrow('enough');
    expect(await machine.cached()).toEqual([]);
  });

  it('may happen twice at once', async () => {
    const machine = await newMachine({ python3: fakePython('3.12') });
    const [first, second] = await Promise.all([machine.install(), machine.install()]);
    expect(first).toEqual(second);
    expect(await machine.cached()).toHaveLength(1);
  });

  it('begins anew when the Python is gone that it was made with', async () => {
    const machine = await newMachine({ python3: fakePython('3.12') });
    const { python } = await machine.install();
    await fs.rm(python);
    await fs.symlink('/no/such/python', python);
    await machine.install();
    expect(await fs.readFile(python, 'utf8')).toContain('exit 0');
  });
});

/** What commands run with that reach no cloud. */
const COMMAND = { env: {}, reporter: silent, signal: never, stderr: { write: () => {} }, cwd: () => '/' };

const BIN = path.resolve('bin/sam-sync.cjs');

/** The built command with a cloud of its own. */
async function newCommand() {
  const place = await newPlace();
  const env: Record<string, string | undefined> = {
    ...process.env,
    XDG_CACHE_HOME: place.home,
    SAM_SYNC_CLOUD_PORT: String(place.port),
  };
  const run = (...args: string[]) => runCli(args, { cwd: place.home, env });
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  return { run, start, place, env };
}

describe('sam-sync cloud', () => {
  it.skipIf(!posix)('starts, tells, runs a tool, resets, prints the log and stops', async () => {
    const { run, place, env } = await newCommand();
    expect(await run('cloud', 'status')).toMatchObject({ code: 1, stdout: `not running (port ${place.port})\n` });
    for (let round = 0; round < 2; round++) {
      const started = await run('cloud', 'start');
      expect(started).toMatchObject({ code: 0, stderr: expect.stringContaining('running') });
    }
    const running = await run('cloud', 'status');
    expect(running.code).toBe(0);
    expect(running.stdout).toMatch(
      new RegExp(`^running: http://127\\.0\\.0\\.1:${place.port} \\(process \\d+\\)\\nlog: `),
    );

    env['AWS_PROFILE'] = 'production';
    const file = path.join(place.home, 'environment.json');
    const script = `require('fs').writeFileSync(process.argv[1], JSON.stringify(process.env)); process.exit(7)`;
    expect((await run('cloud', 'exec', '--', process.execPath, '-e', script, file)).code).toBe(7);
    const seen = JSON.parse(await fs.readFile(file, 'utf8')) as Record<string, string>;
    expect(seen).toMatchObject({
      AWS_ENDPOINT_URL: `http://127.0.0.1:${place.port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
    });
    expect(seen['AWS_PROFILE']).toBeUndefined();
    // AWS CLI version 1 ignores the variable for some services
    const aws = path.join(place.home, 'aws');
    await fs.writeFile(aws, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    const endpoint = `--endpoint-url http://127.0.0.1:${place.port}`;
    expect((await run('cloud', 'exec', '--', aws, 'sqs', 'list-queues')).stdout).toBe(`${endpoint} sqs list-queues\n`);
    const given = ['--endpoint-url', 'http://h', 'sqs', 'list-queues'];
    expect((await run('cloud', 'exec', '--', aws, ...given)).stdout).toBe(`${given.join(' ')}\n`);
    expect((await run('cloud', 'exec', '--', 'no-such-tool')).stderr).toContain('no-such-tool is not on PATH');

    expect((await run('cloud', 'reset')).code).toBe(0);
    expect(await run('cloud', 'logs')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('State reset complete'),
    });
    expect((await run('cloud', 'stop')).stderr).toMatch(
      /Stopped the local cloud\n {2}Everything deployed to it is lost/,
    );
    expect(await run('cloud', 'stop')).toMatchObject({ code: 0, stderr: expect.stringContaining('No local cloud') });
  });

  it.skipIf(!posix)('invokes functions and prints what they logged', async () => {
    const { run, start, place, env } = await newCommand();
    expect((await run('cloud', 'invoke', 'Hello')).stderr).toContain('No local cloud is running');
    const nested =
      'Resources: {Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}, Hello: ';
    const handler = (name: string): string =>
      `{Type: AWS::Lambda::Function, Properties: {Runtime: python3.11, Handler: index.handler, Role: !Sub 'arn:aws:iam::\${AWS::AccountId}:role/x', Code: {ZipFile: "def handler(event, context):\\n    print('${name}', event)\\n    return event['n'] + 1\\n"}}}`;
    await writeFiles(place.home, {
      'template.yaml': `${nested}${handler('parent')}}`,
      'child.yaml': `Resources: {Hello: ${handler('child')}}`,
      'event.json': '{"n": 41}',
      'wrong.json': '{"n": ',
    });
    Object.assign(env, { HOME: place.home });
    const synced = await run('--local', '--stack-name', 'mine');
    expect(synced.code, synced.stderr).toBe(0);

    expect(await run('cloud', 'invoke', 'Hello', '--event', '{"n": 1}')).toMatchObject({ code: 0, stdout: '2\n' });
    const child = await run('cloud', 'invoke', 'Child/Hello', '--event=event.json');
    expect(child).toMatchObject({ code: 0, stdout: '42\n', stderr: expect.stringContaining("child {'n': 41}") });
    const failed = await run('cloud', 'invoke', 'Hello', '--stack-name', 'mine');
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('errorMessage') });
    const messages: [string[], number, string][] = [
      [['Helo'], 1, 'has no function Helo. Did you mean Hello?'],
      [['Hello', '--stack-name', 'other'], 1, 'Stack other of the local cloud has no function Hello'],
      [['Hello', '--event', 'none.json'], 2, 'There is no event file none.json'],
      [['Hello', '--event', 'wrong.json'], 2, 'wrong.json is not valid JSON'],
      [['Hello', '--event', '{"n"'], 2, '--event is not valid JSON'],
    ];
    for (const [args, code, message] of messages)
      expect(await run('cloud', 'invoke', ...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });

    const logged =
      /^\d\d:\d\d:\d\d\.\d{3} Hello parent \{'n': 1\}$[^]*^\d\d:\d\d:\d\d\.\d{3} Child\/Hello child \{'n': 41\}$/m;
    expect((await run('cloud', 'logs', 'Hello', 'Child/Hello')).stdout).toMatch(logged);
    const following = start('cloud', 'logs', 'Hello', '-f');
    const ended = once(following, 'exit');
    let seen = '';
    following.stdout.on('data', (chunk: Buffer) => (seen += String(chunk)));
    await run('cloud', 'invoke', 'Hello', '--event', '{"n": 7}');
    await poll(async () => (seen.includes("Hello parent {'n': 7}") ? true : undefined));
    following.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it.skipIf(!posix)('is where --local syncs to, whatever account the user has', async () => {
    const { run, place, env } = await newCommand();
    const elsewhere = '[default]\nregion = eu-west-1\nendpoint_url = http://real.invalid';
    await writeFiles(place.home, {
      'template.yaml': 'Resources: {Queue: {Type: AWS::SQS::Queue}}',
      '.aws/config': elsewhere,
    });
    Object.assign(env, {
      HOME: place.home,
      USERPROFILE: place.home,
      AWS_PROFILE: 'nowhere',
      AWS_ACCESS_KEY_ID: 'REAL',
      AWS_ENDPOINT_URL: 'http://real.invalid',
      HTTP_PROXY: 'http://127.0.0.1:1',
    });
    const { code, stderr, stdout } = await run('--local', '--stack-name', 'mine', '--output', 'json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'deployed', region: 'us-east-1', account: '000000000000' });
    expect((await cloudStatus(place))?.answering).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'has the delays that the user sets, and no other variable of the shell',
    async () => {
      const { run, place, env } = await newCommand();
      Object.assign(env, {
        SAM_SYNC_CLOUD_STATE_DELAY: '7',
        SAM_SYNC_CLOUD_DEPLOY_DELAY: '8',
        SAM_SYNC_CLOUD_EXTENSION: '/no/such/file.py',
        AWS_PROFILE: 'production',
      });
      expect((await run('cloud', 'start')).code).toBe(0);
      const status = await cloudStatus(place);
      const names = (await fs.readFile(`/proc/${status?.pid}/environ`, 'utf8')).split('\0');
      expect(names).toContain('SAM_SYNC_CLOUD_STATE_DELAY=7');
      expect(names).toContain('SAM_SYNC_CLOUD_DEPLOY_DELAY=8');
      expect(names.join(' ')).not.toMatch(/SAM_SYNC_CLOUD_EXTENSION|AWS_PROFILE/);
    },
  );

  it.skipIf(!posix)('follows the log', async () => {
    const { run, start } = await newCommand();
    await run('cloud', 'start');
    const following = start('cloud', 'logs', '--follow');
    const ended = once(following, 'exit');
    let seen = '';
    following.stdout.on('data', (chunk: Buffer) => (seen += String(chunk)));
    await run('cloud', 'reset');
    await poll(async () => (seen.includes('State reset complete') ? true : undefined));
    following.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it.skipIf(!posix)('passes signals on to the tool, and its end to who waits for us', async () => {
    const { start } = await newCommand();
    const tool = `process.on('SIGTERM', () => process.exit(42)); console.log('ready'); setInterval(() => {}, 1000)`;
    const child = start('cloud', 'exec', '--', process.execPath, '-e', tool);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([42, null]);
  });

  it.each([
    [['strat'], 'has no command "strat"', 'Did you mean start?'],
    [['--foo'], 'has no option "--foo"', undefined],
    [['logs', '--folow'], 'has no option "--folow"', 'Did you mean --follow?'],
    [['invoke'], 'needs the logical ID', undefined],
    [['invoke', 'A', '--evnt', 'x'], 'has no option "--evnt"', 'Did you mean --event?'],
    [['invoke', 'A', '--event'], '--event of sam-sync cloud invoke needs a value', undefined],
    [['invoke', 'A', 'B'], 'takes one function, but got A B', undefined],
    [['stop', 'now'], 'takes no arguments, but got now', undefined],
    [['exec'], 'needs a command to run', undefined],
    [['exec', '--'], 'needs a command to run', undefined],
  ])('refuses %o', async (args, message, hint) => {
    const environment = { ...COMMAND, stdout: { write: () => {} } };
    const error: unknown = await runCloudCommand(args, environment).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ message: expect.stringContaining(message), ...(hint === undefined ? {} : { hint }) });
  });

  it.each([[[]], [['--debug']], [['--help']], [['-h']], [['start', '--help']], [['exec', '--help']]])(
    'explains itself: %o',
    async (args) => {
      let written = '';
      const stdout = { write: (text: string) => (written += text) };
      expect(await runCloudCommand(args, { ...COMMAND, stdout })).toBe(0);
      expect(written).toMatch(/^Usage: sam-sync cloud COMMAND/);
      expect(written.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );
});
