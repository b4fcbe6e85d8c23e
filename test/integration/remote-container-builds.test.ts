import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import type { BuildAppOptions, BuiltApp } from '../support/build-app.ts';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import { addUser, importImage, startTestEngine } from '../support/docker.ts';
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
/** A local package whose build needs no other one. */
const BACKEND = `import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "common-1-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.write("common.py")
        wheel.writestr("common-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: common\\nVersion: 1\\n")
        wheel.writestr("common-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("common-1.dist-info/RECORD", "")
    return name
`;
const PYPROJECT = `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "common"
version = "1"
`;
const MAKEFILE = 'build-Mk:\n\tcp -r . "$(ARTIFACTS_DIR)"\n';
/** Files of the Makefile's function. */
const ODD: Record<string, string> = {
  ...Object.fromEntries(['-rf', ' a b ', 'ü"$x\'', '*?[x]', 'new\nline'].map((name) => [name, name])),
  empty: '',
};
const ODD_APP = {
  'template.yaml': containerTemplate('Py', 'Js', 'Gr', 'Mv', 'Mk', 'Img', 'Own'),
  'common.txt': 'six==1.16.0\n-e ../lib\n',
  'lib/common.py': 'X = 1\n',
  'lib/pyproject.toml': PYPROJECT,
  'lib/backend.py': BACKEND,
  'shared.py': 'S = 1\n',
  'mk/Makefile': MAKEFILE,
  ...Object.fromEntries(Object.entries(ODD).map(([name, text]) => [`mk/${name}`, text])),
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

  it('builds all from copies, once, as many at once as the engine has processors, images too; nothing is left; a project with an odd path', async () => {
    const dir = path.join(await tempFolder(), 'my äpp');
    await writeFiles(dir, { ...APP, ...ODD_APP });
    await fs.symlink('../shared.py', path.join(dir, 'mk/shared.py'));
    await executable(dir);
    const log = path.join(dir, 'log');
    const docker = await dockerAfter(`case "$1" in info) echo 1; exit;; cp) echo "$2" >> '${log}';; esac`);
    const env = { PATH: `${await only(dir, { docker })}${path.delimiter}/bin` };
    const order: string[] = [];
    const onEvent: BuildAppOptions['onEvent'] = (event) => {
      if (event.type === 'tool-output' && order.at(-1) !== event.id) order.push(event.id);
    };
    const app = await build(dir, { env, onEvent });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Py'))).toEqual(expect.arrayContaining(['app.py', 'common.py', 'six.py']));
    expect(await app.files('Mk')).toEqual({ ...ODD, Makefile: MAKEFILE, 'shared.py': 'S = 1\n' });
    expect(await app.files('Js')).toMatchObject({
      'made.txt': 'from the source',
      'node_modules/is-number/index.js': expect.anything(),
    });
    for (const id of ['Gr', 'Mv']) expect(await app.files(id)).toMatchObject({ text: 'class App {}\nrun\nrun\n' });
    expect([...app.result.images.keys()].toSorted()).toEqual(['Img', 'Own']);
    expect(order.toSorted()).toEqual(['Gr', 'Img', 'Js', 'Mk', 'Mv', 'Own', 'Py'].map((id) => `build:${id}`));
    expect(await containers()).toEqual([]);
    expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/tmp'))).toEqual([]);
    // as everywhere, prepack writes beside the source
    expect(await fs.readdir(path.join(dir, 'js'))).toEqual(['app.js', 'made.txt', 'package.json', 'seed.txt']);
    expect(await fs.readdir(path.join(dir, 'py'))).toEqual(['app.py', 'requirements.txt']);
    // only results come back, and of the code what was written there
    const back = (await fs.readFile(log, 'utf8')).split('\n').filter((line) => line.startsWith('sam-sync'));
    expect(back.filter((line) => /\/(?:gr|mk|mv|py)\/\.$/.test(line))).toEqual([]);
    const [maven = ''] = back.find((line) => line.endsWith('/target/.'))?.split(':') ?? [];
    expect(back.filter((line) => line.startsWith(maven) && !line.endsWith('/target/.'))).toEqual([]);
    const again = await build(dir);
    expect(again).toMatchObject({ commands: [], failures: [] });
    expect(new Set(Object.values(again.outcomes))).toEqual(new Set(['unchanged']));
  });

  it('what the engine reports is not taken for more than it is', async () => {
    const dir = await tempFolder({ ...APP, 'gr/gradlew': '#!/bin/sh\nrm -rf /tmp/sam-sync-container*; exit 3\n' });
    await executable(dir);
    const endpoint = engine.env['DOCKER_HOST'];
    const failure = async (id: string, line: string | undefined, onEvent?: BuildAppOptions['onEvent']) => {
      const programs = line === undefined ? undefined : { docker: await dockerAfter(line) };
      const bin = await tempFolder();
      if (programs) await pathWith(bin, programs);
      const env = programs ? { PATH: `${bin}${path.delimiter}/bin` } : {};
      const app = await build(dir, { env, only: new Set([id]), ...(onEvent && { onEvent }) });
      await nothingLeft(dir);
      return app.failures.map(({ message }) => message);
    };
    // the program leaves nothing that could be copied
    expect(await failure('Gr', undefined)).toEqual(['gradle samSyncLib failed with exit code 3']);
    // success, though its output was lost
    const lost = `The connection to Docker at ${endpoint} was lost during a build in ${IMAGE}`;
    expect(await failure('Js', `[ "$1" != exec ] || exec ${DOCKER} "$@" > /dev/null`)).toEqual([lost]);
    // created, and not started
    const created = `[ "$1" != run ] || { shift; ${DOCKER} create "$@" > /dev/null; echo odd >&2; exit 125; }`;
    expect(await failure('Js', created)).toEqual(['Docker failed: odd']);
    await writeFiles(dir, { 'gr/gradlew': WAITING_GRADLEW });
    const remove = (): void => void containers().then((names) => engine.docker('rm', '--force', ...names));
    expect(await failure('Gr', undefined, whenWaiting(remove))).toEqual([
      `Docker at ${endpoint} ended the container of a build in ${IMAGE}`,
    ]);
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

  it('a local socket that leads to another machine: its containers get copies, which the image’s user may write', async () => {
    const dir = await tempFolder(APP);
    await executable(dir);
    const socket = path.join(dir, 'engine.sock');
    const way = await startWay({ path: socket });
    const image = `${IMAGE}-with-user`;
    await addUser(engine, IMAGE, image);
    const container = { image, images: {}, env: CERTIFICATES, envById: {} };
    const app = await build(dir, { env: { DOCKER_HOST: `unix://${socket}` }, container, only: new Set(['Gr']) });
    way.stop();
    expect(app.failures).toEqual([]);
    expect((await app.files('Gr'))['text']).toContain('class App');
  });

  it('a watch keeps its containers: of a saved change only what changed travels, and it is deployed', async () => {
    const kinds = { 'gr/file/old.txt': '1', 'gr/folder': '1' };
    const dir = await tempFolder({ ...APP, ...kinds, 'template.yaml': containerTemplate('Py', 'Gr', 'Mv', 'Img') });
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
      expect(running).toHaveLength(3);
      expect(await copiedBy('gr/src/App.java', 'class Second {}\n', 'Gr')).toEqual(['./init.gradle', './src/App.java']);
      expect(await containers()).toEqual(running);
      expect(await copiedBy('img/app.py', '2\n', 'Img')).toEqual([]);
      // Maven builds in a copy, which the container makes
      expect(await copiedBy('mv/src/App.java', 'class Second {}\n', 'Mv')).toEqual(['./src/App.java']);
      // an unpacked archive: the time and the size of the file before, and other kinds
      const source = path.join(dir, 'gr/src/App.java');
      const { atime, mtime } = await fs.stat(source);
      await writeFiles(dir, { 'other.java': 'class Thirds {}\n' });
      await fs.utimes(path.join(dir, 'other.java'), atime, mtime);
      await watch.atOnce(async () => {
        await fs.rename(path.join(dir, 'other.java'), source);
        for (const name of ['file', 'folder']) await fs.rm(path.join(dir, 'gr', name), { recursive: true });
        await writeFiles(dir, { 'gr/file': '2', 'gr/folder/new.txt': '2' });
      });
      await copiedBy('gr/src/more.txt', '1', 'Gr');
      const inContainers = await Promise.all(
        running.map((each) =>
          engine
            .docker('exec', each, 'sh', '-c', `cd '${dir}/gr' && cat src/App.java file folder/* && ls`)
            .catch(() => ''),
        ),
      );
      expect(inContainers.join('')).toBe('class Thirds {}\n22build.gradle\nfile\nfolder\ngradlew\nsrc');
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
