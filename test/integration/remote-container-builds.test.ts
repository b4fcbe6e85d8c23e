import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import type { BuildAppOptions, BuiltApp } from '../support/build-app.ts';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import { importImage, startTestEngine } from '../support/docker.ts';
import { CERTIFICATES, CONTAINER_TEMPLATE, packageJson, WAITING } from '../support/container-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

const engine = await startTestEngine({ isRemote: true });
const { unavailable, containers } = engine;

const MAKING = `node -e "require('fs').writeFileSync('made.txt', require('fs').readFileSync('seed.txt'))"`;
const APP = {
  'template.yaml': CONTAINER_TEMPLATE,
  // beside the code
  'common.txt': 'six==1.16.0\n',
  'py/app.py': 'import six\nhandler = lambda event, context: "code with " + six.__version__\n',
  'py/requirements.txt': '-r ../common.txt\n',
  'js/app.js': 'exports.handler = async () => 1;\n',
  'js/seed.txt': 'from the source',
  'js/package.json': packageJson(MAKING),
};
const IMAGE = 'local/build-python-and-node';
const DOCKER = '/usr/bin/docker';

/** A way to the engine that a test can cut. */
async function startWay(listen: net.ListenOptions): Promise<{ port: number; cut(): void; stop(): void }> {
  const { hostname, port } = new URL(engine.env['DOCKER_HOST'] ?? '');
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
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
  const only = async (dir: string, docker = DOCKER): Promise<string> => {
    const bin = path.join(dir, '.bin');
    if (!(await fs.stat(bin).catch(() => undefined))) await pathWith(bin, { docker });
    return bin;
  };
  const build = async (dir: string, { env = {}, ...how }: BuildAppOptions = {}): Promise<BuiltApp> =>
    buildApp(dir, {
      env: toolEnv({ ...engine.env, PATH: await only(dir), ...env }),
      container: { image: IMAGE, images: {}, env: CERTIFICATES, envById: {} },
      ...how,
    });

  it('builds Python and Node.js from copies, once, as many at once as the engine has processors; nothing is left', async () => {
    const dir = await tempFolder(APP);
    const docker = path.join(dir, 'docker');
    await writeFiles(dir, { docker: `#!/bin/sh\n[ "$1" != info ] || { echo 1; exit; }\nexec ${DOCKER} "$@"\n` });
    await fs.chmod(docker, 0o755);
    const env = { PATH: `${await only(dir, docker)}${path.delimiter}/bin` };
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
    expect(order.toSorted()).toEqual(['build:Js', 'build:Py']);
    expect(await containers()).toEqual([]);
    expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/tmp'))).toEqual([]);
    // as everywhere, prepack writes beside the source
    expect(await fs.readdir(path.join(dir, 'js'))).toEqual(['app.js', 'made.txt', 'package.json', 'seed.txt']);
    expect(await fs.readdir(path.join(dir, 'py'))).toEqual(['app.py', 'requirements.txt']);
    expect(await build(dir)).toMatchObject({ commands: [], outcomes: { Py: 'unchanged', Js: 'unchanged' } });
  });

  it.each(['stays away', 'comes back'])(
    'the connection is cut and %s: one sentence, no artifact, no container; the next build is right',
    async (what) => {
      const dir = await tempFolder({ ...APP, 'js/package.json': packageJson(WAITING) });
      const way = await startWay({ host: '127.0.0.1', port: 0 });
      const endpoint = `tcp://127.0.0.1:${way.port}`;
      const onEvent: BuildAppOptions['onEvent'] = (event) => {
        if (event.type === 'tool-output' && event.line === 'waiting')
          if (what === 'stays away') way.stop();
          else way.cut();
      };
      const app = await build(dir, { env: { DOCKER_HOST: endpoint }, onEvent, only: new Set(['Js']) });
      way.stop();
      expect(app.failures.map(({ message }) => message)).toEqual([
        `The connection to Docker at ${endpoint} was lost during a build in ${IMAGE}`,
      ]);
      expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/artifacts')).catch(() => [])).toEqual([]);
      expect(await fs.readdir(path.join(dir, '.aws-sam/sam-sync/tmp'))).toEqual([]);
      // the engine notices the end of the connection
      await poll(async () => ((await containers()).length === 0 ? true : undefined));
      if (what === 'comes back') return;
      await writeFiles(dir, { 'js/package.json': packageJson(MAKING) });
      expect((await (await build(dir)).files('Js'))['made.txt']).toBe('from the source');
    },
  );

  it('a local socket that leads to another machine: its containers see no file of ours, so that they get copies', async () => {
    const dir = await tempFolder(APP);
    const socket = path.join(dir, 'engine.sock');
    const way = await startWay({ path: socket });
    const app = await build(dir, { env: { DOCKER_HOST: `unix://${socket}` }, only: new Set(['Py']) });
    way.stop();
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Py'))).toContain('six.py');
  });

  it('a watch builds a saved change', async () => {
    const dir = await tempFolder(APP);
    const cloud = await startTestCloud();
    try {
      const args = ['--stack-name', 'far-away', '--yes', '--use-container', '--build-image', IMAGE];
      const variables = ['--container-env-var', `NODE_EXTRA_CA_CERTS=${CERTIFICATES.NODE_EXTRA_CA_CERTS}`];
      const env = { ...process.env, ...cloud.env, ...engine.env, HOME: dir, PATH: await only(dir) };
      const watch = await startReadyWatch(dir, env, [...args, ...variables]);
      await watch.save('common.txt', 'six==1.17.0\n', 'Py');
      const { lambda } = clients(cloud.endpoint);
      const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
      const name = Functions.find(({ FunctionName }) => FunctionName?.includes('Py'))?.FunctionName ?? '';
      expect(await invoke(cloud.endpoint, name)).toBe('code with 1.17.0');
      expect(await watch.stop()).toMatchObject({ code: 0 });
      expect(await containers()).toEqual([]);
    } finally {
      await cloud.stop();
    }
  });
});
