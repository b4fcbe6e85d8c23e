import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import type { BuildAppOptions, BuiltApp } from '../support/build-app.ts';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import { importImage, startTestEngine } from '../support/docker.ts';
import { CERTIFICATES, containerTemplate, moreFiles, packageJson, WAITING_GRADLEW } from '../support/container-app.ts';
import { sshUnavailable, startSshServer } from '../support/ssh-server.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

const engine = await startTestEngine({ isRemote: true });
const { unavailable, containers } = engine;

const MAKING = `node -e "require('fs').writeFileSync('made.txt', require('fs').readFileSync('seed.txt'))"`;
const IMAGE = 'local/build-python-and-node';
const APP = {
  'template.yaml': containerTemplate('Py', 'Js', 'Gr', 'Mv', 'Img', 'Own'),
  ...moreFiles(IMAGE),
  // beside the code
  'common.txt': 'six==1.16.0\n',
  'py/app.py': 'import six\nhandler = lambda event, context: "code with " + six.__version__\n',
  'py/requirements.txt': '-r ../common.txt\n',
  'js/app.js': 'exports.handler = async () => 1;\n',
  'js/seed.txt': 'from the source',
  'js/package.json': packageJson(MAKING),
};
const WAITING_IMAGE = `FROM ${IMAGE}\nRUN echo waiting; sleep 600\n`;
const DOCKER = '/usr/bin/docker';

/** A way to a port that a test can cut, by default to the engine's. */
async function startWay(
  listen: net.ListenOptions,
  port: number | string = new URL(engine.env['DOCKER_HOST'] ?? '').port,
): Promise<{ port: number; cut(): void; stop(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(listen, resolve));
  const address = server.address();
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  const stop = (): void => {
    server.close();
    cut();
  };
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, cut, stop };
}

describe.skipIf(unavailable !== undefined)(`a remote engine${unavailable ? ` (${unavailable})` : ''}`, () => {
  beforeAll(async () => {
    await importImage(engine, IMAGE, { python: true, node: true });
  });
  afterAll(() => engine.stop());

  /** Without the machine's own tools: what is built is built in containers. */
  const only = async (dir: string, programs: Record<string, string> = { docker: DOCKER }): Promise<string> => {
    const bin = path.join(dir, '.bin');
    if (!(await fs.stat(bin).catch(() => undefined))) await pathWith(bin, programs);
    return bin;
  };
  /** Docker, after a line of shell. */
  const dockerAfter = async (line: string): Promise<string> => {
    const folder = await tempFolder({ docker: `#!/bin/sh\n${line}\nexec ${DOCKER} "$@"\n` });
    await fs.chmod(path.join(folder, 'docker'), 0o755);
    return path.join(folder, 'docker');
  };
  const build = async (dir: string, { env = {}, ...how }: BuildAppOptions = {}): Promise<BuiltApp> =>
    buildApp(dir, {
      env: toolEnv({ ...engine.env, PATH: await only(dir), ...env }),
      container: { image: IMAGE, images: {}, env: CERTIFICATES, envById: {} },
      ...how,
    });
  const executable = async (dir: string): Promise<void> => {
    for (const name of ['gr/gradlew', 'mv/mvnw']) await fs.chmod(path.join(dir, name), 0o755);
  };
  /** Does something when a build prints that it waits. */
  const whenWaiting =
    (act: () => void): NonNullable<BuildAppOptions['onEvent']> =>
    (event) => {
      if (event.type === 'tool-output' && event.line.endsWith('waiting')) act();
    };
  const nothingLeft = async (dir: string): Promise<void> => {
    expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/artifacts')).catch(() => [])).toEqual([]);
    expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/tmp')).catch(() => [])).toEqual([]);
    // the engine notices the end of the connection
    await poll(async () => ((await containers()).length === 0 ? true : undefined));
  };

  it('builds all from copies, once, as many at once as the engine has processors, images too; nothing is left', async () => {
    const dir = await tempFolder(APP);
    await executable(dir);
    const docker = await dockerAfter('[ "$1" != info ] || { echo 1; exit; }');
    const env = { PATH: `${await only(dir, { docker })}${path.delimiter}/bin` };
    const order: string[] = [];
    const onEvent: BuildAppOptions['onEvent'] = (event) => {
      if (event.type === 'tool-output' && order.at(-1) !== event.id) order.push(event.id);
    };
    const app = await build(dir, { env, onEvent });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Py'))).toEqual(expect.arrayContaining(['app.py', 'six.py']));
    expect(await app.files('Js')).toMatchObject({
      'made.txt': 'from the source',
      'node_modules/is-number/index.js': expect.anything(),
    });
    for (const id of ['Gr', 'Mv']) expect(await app.files(id)).toMatchObject({ text: 'class App {}\nrun\nrun\n' });
    expect([...app.result.images.keys()].toSorted()).toEqual(['Img', 'Own']);
    expect(order.toSorted()).toEqual(['Gr', 'Img', 'Js', 'Mv', 'Own', 'Py'].map((id) => `build:${id}`));
    expect(await containers()).toEqual([]);
    expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/tmp'))).toEqual([]);
    // as everywhere, prepack writes beside the source
    expect(await fs.readdir(path.join(dir, 'js'))).toEqual(['app.js', 'made.txt', 'package.json', 'seed.txt']);
    expect(await fs.readdir(path.join(dir, 'py'))).toEqual(['app.py', 'requirements.txt']);
    const again = await build(dir);
    expect(again).toMatchObject({ commands: [], failures: [] });
    expect(new Set(Object.values(again.outcomes))).toEqual(new Set(['unchanged']));
  });

  it.each([
    ['Gr', 'stays away', `a build in ${IMAGE}`],
    ['Gr', 'comes back', `a build in ${IMAGE}`],
    ['Img', 'stays away', 'docker build for Img'],
    ['Img', 'comes back', 'docker build for Img'],
  ])(
    'the connection is cut in the build of %s and %s: one sentence, no artifact, no container; the next build is right',
    async (id, what, during) => {
      const dir = await tempFolder({ ...APP, 'gr/gradlew': WAITING_GRADLEW, 'img/Dockerfile': WAITING_IMAGE });
      await executable(dir);
      const way = await startWay({ host: '127.0.0.1', port: 0 });
      const endpoint = `tcp://127.0.0.1:${way.port}`;
      const onEvent = whenWaiting(() => (what === 'stays away' ? way.stop() : way.cut()));
      const app = await build(dir, { env: { DOCKER_HOST: endpoint }, onEvent, only: new Set([id]) });
      way.stop();
      expect(app.failures.map(({ message }) => message)).toEqual([
        `The connection to Docker at ${endpoint} was lost during ${during}`,
      ]);
      await nothingLeft(dir);
      if (what === 'comes back') return;
      await writeFiles(dir, moreFiles(IMAGE));
      expect((await build(dir, { only: new Set([id]) })).failures).toEqual([]);
    },
  );

  it('a local socket that leads to another machine: its containers see no file of ours, so that they get copies', async () => {
    const dir = await tempFolder(APP);
    await executable(dir);
    const socket = path.join(dir, 'engine.sock');
    const way = await startWay({ path: socket });
    const app = await build(dir, { env: { DOCKER_HOST: `unix://${socket}` }, only: new Set(['Gr']) });
    way.stop();
    expect(app.failures).toEqual([]);
    expect((await app.files('Gr'))['text']).toContain('class App');
  });

  it('a watch keeps its containers: of a saved change only what changed travels, and it is deployed', async () => {
    const dir = await tempFolder({ ...APP, 'template.yaml': containerTemplate('Py', 'Gr', 'Img') });
    await executable(dir);
    const copied = path.join(dir, 'copied.txt');
    const list = `case "$1 $2" in 'cp '*/stage/.) (cd "$2" && /usr/bin/find . -type f >> '${copied}');; esac`;
    const cloud = await startTestCloud();
    try {
      const args = ['--stack-name', 'far-away', '--yes', '--use-container', '--build-image', IMAGE];
      const more = ['--container-env-var', `NODE_EXTRA_CA_CERTS=${CERTIFICATES.NODE_EXTRA_CA_CERTS}`];
      const repository = ['--image-repository', `${engine.registry}/far-away`];
      const PATH = await only(dir, { docker: await dockerAfter(list) });
      const env = { ...process.env, ...cloud.env, ...engine.env, HOME: dir, PATH };
      const watch = await startReadyWatch(dir, env, [...args, ...more, ...repository]);
      const copiedBy = async (file: string, text: string, id: string): Promise<string[]> => {
        await fs.rm(copied, { force: true });
        expect(await watch.save(file, text, id)).toMatchObject({ state: 'in-sync' });
        const names = await fs.readFile(copied, 'utf8').catch(() => '');
        return names
          .split('\n')
          .filter((name) => name !== '')
          .toSorted();
      };
      const running = await containers();
      expect(running).toHaveLength(2);
      expect(await copiedBy('gr/src/App.java', 'class Second {}\n', 'Gr')).toEqual(['./init.gradle', './src/App.java']);
      expect(await containers()).toEqual(running);
      expect(await copiedBy('img/app.py', '2\n', 'Img')).toEqual([]);
      await copiedBy('common.txt', 'six==1.17.0\n', 'Py');
      const { lambda } = clients(cloud.endpoint);
      const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
      const name = Functions.find(({ FunctionName }) => FunctionName?.includes('Py'))?.FunctionName ?? '';
      expect(await invoke(cloud.endpoint, name)).toBe('code with 1.17.0');
      // the engine has lost them
      await engine.docker('rm', '--force', ...running);
      expect(await copiedBy('gr/src/App.java', 'class Third {}\n', 'Gr')).toContain('./gradlew');
      expect(await containers()).toHaveLength(1);
      expect(await watch.stop()).toMatchObject({ code: 0 });
      await poll(async () => ((await containers()).length === 0 ? true : undefined));
    } finally {
      await cloud.stop();
    }
  });

  const noSsh = sshUnavailable();
  describe.skipIf(noSsh !== undefined)(`over ssh${noSsh ? ` (${noSsh})` : ''}`, () => {
    const sshTo = async (dir: string, { isTrusted = true } = {}) => {
      const server = await startSshServer(engine.env);
      const way = await startWay({ host: '127.0.0.1', port: 0 }, server.port);
      const PATH = await only(dir, { docker: DOCKER, ssh: await server.client(isTrusted) });
      const place = `root@127.0.0.1:${way.port}`;
      return { way, place, env: { PATH, DOCKER_HOST: `ssh://${place}` } };
    };

    it('builds in a container and an image; interrupted, nothing is left', async () => {
      const dir = await tempFolder(APP);
      await executable(dir);
      const { way, env } = await sshTo(dir);
      const app = await build(dir, { env, only: new Set(['Gr', 'Img']) });
      expect(app.failures).toEqual([]);
      expect((await app.files('Gr'))['text']).toContain('class App');
      expect(app.result.images.get('Img')?.imageId).toMatch(/^sha256:/);
      await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
      await writeFiles(dir, { 'gr/gradlew': WAITING_GRADLEW });
      const stop = new AbortController();
      const aborted = { onEvent: whenWaiting(() => stop.abort(new Error('stopped'))), signal: stop.signal };
      await expect(build(dir, { env, ...aborted, only: new Set(['Gr']) })).rejects.toThrow('stopped');
      await nothingLeft(dir);
      way.stop();
    });

    it('a server with another key is one sentence', async () => {
      const dir = await tempFolder(APP);
      const { way, place, env } = await sshTo(dir, { isTrusted: false });
      const { failures } = await build(dir, { env, only: new Set(['Py', 'Img']) });
      way.stop();
      const message = `Docker is unreachable over ssh at ${place}: the host key has changed`;
      expect(failures.map((failure) => failure.message)).toEqual([message, message]);
    });
  });
});
