import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerOptions } from '../../src/builder/containers/container-options.ts';
import { buildApp, pathWith, toolEnv } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { addUser, importImage, startTestEngine } from '../support/docker.ts';
import { countInterruptions } from '../support/interruption/containers.ts';
import { CERTIFICATES, CONTAINER_TEMPLATE, packageJson, WAITING } from '../support/container-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

const engine = await startTestEngine();
const { unavailable } = engine;

const GREETING = `node -e "require('fs').writeFileSync('made.txt', process.env.GREETING)"`;
const APP = {
  'template.yaml': CONTAINER_TEMPLATE,
  'py/app.py': 'import six\n',
  'py/requirements.txt': 'six==1.16.0\n',
  'js/app.js': 'exports.handler = async () => 1;\n',
  'js/package.json': packageJson(GREETING),
};
const IMAGES = { Py: 'local/build-python', Js: 'local/build-node' };

const inContainers = (more: Partial<ContainerOptions> = {}): ContainerOptions => ({
  image: undefined,
  images: IMAGES,
  env: CERTIFICATES,
  envById: { Js: { GREETING: 'hello' } },
  ...more,
});

const registry = (text: string): string => text.replace('REGISTRY', engine.registry);

/** A folder for PATH without the machine's own tools: what is built is built in containers. */
async function onlyDocker(dir: string): Promise<string> {
  const bin = path.join(dir, 'only-docker');
  const program = (await fs.stat('/usr/local/bin/docker').catch(() => undefined))
    ? '/usr/local/bin/docker'
    : '/usr/bin/docker';
  if (!(await fs.stat(bin).catch(() => undefined))) await pathWith(bin, { docker: program });
  return bin;
}

describe.skipIf(unavailable !== undefined)(`--use-container${unavailable ? ` (${unavailable})` : ''}`, () => {
  const { containers, env: engineEnv } = engine;
  beforeAll(async () => {
    await importImage(engine, IMAGES.Py, { python: true });
    await importImage(engine, IMAGES.Js, { node: true });
  });
  afterAll(() => engine.stop());

  const build = async (dir: string, how: Parameters<typeof buildApp>[1] = {}): Promise<BuiltApp> => {
    const bin = await onlyDocker(dir);
    return buildApp(dir, { env: toolEnv({ ...engineEnv, PATH: bin }), container: inContainers(), ...how });
  };

  it('builds Python and Node.js in their images, with variables, once; nothing is left', async () => {
    const dir = await tempFolder(APP);
    const app = await build(dir, { dependencyLayer: true });
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Py'))).toEqual(expect.arrayContaining(['app.py', 'six.py']));
    expect(await app.files('Js')).toMatchObject({
      'made.txt': 'hello',
      'node_modules/is-number/index.js': expect.anything(),
    });
    // it does not go with containers
    expect(app.result.dependencyLayers.size).toBe(0);
    expect(await containers()).toEqual([]);
    expect(await build(dir)).toMatchObject({ commands: [], outcomes: { Py: 'unchanged', Js: 'unchanged' } });
    // its user may not write our files, and gets copies
    await addUser(engine, IMAGES.Py, 'local/with-user');
    const container = inContainers({ images: { ...IMAGES, Py: 'local/with-user' } });
    expect(await build(dir, { container })).toMatchObject({ failures: [], outcomes: { Py: 'done', Js: 'unchanged' } });
    expect(await containers()).toEqual([]);
    const other = inContainers({ envById: { Js: { GREETING: 'bye' } } });
    expect((await (await build(dir, { container: other })).files('Js'))['made.txt']).toBe('bye');
  });

  it('interrupted: nothing is left running, the next build is right', async () => {
    const dir = await tempFolder({ ...APP, 'js/package.json': packageJson(WAITING) });
    const stop = new AbortController();
    const onEvent: NonNullable<Parameters<typeof buildApp>[1]>['onEvent'] = (event) => {
      if (event.type === 'tool-output' && event.line === 'waiting') stop.abort(new Error('stopped'));
    };
    await expect(build(dir, { signal: stop.signal, onEvent, only: new Set(['Js']) })).rejects.toThrow('stopped');
    expect(await containers()).toEqual([]);
    await writeFiles(dir, { 'js/package.json': packageJson(GREETING) });
    expect((await (await build(dir)).files('Js'))['made.txt']).toBe('hello');
  });

  it('interrupted while the container is being prepared: it ends with the build, not with the process', async () => {
    const dir = await tempFolder(APP);
    const bin = await onlyDocker(dir);
    const docker = await fs.readlink(path.join(bin, 'docker'));
    const begun = path.join(dir, 'begun');
    // the first program in the container is the look at who owns what it writes
    const script = `#!/bin/sh\n[ "$1" != exec ] || { echo > '${begun}'; sleep 300; }\nexec ${docker} "$@"\n`;
    await fs.rm(path.join(bin, 'docker'));
    await fs.writeFile(path.join(bin, 'docker'), script, { mode: 0o755 });
    const stop = new AbortController();
    const env = toolEnv({ ...engineEnv, PATH: `${bin}${path.delimiter}/bin${path.delimiter}/usr/bin` });
    const building = build(dir, { env, signal: stop.signal, only: new Set(['Py']) });
    building.catch(() => {});
    await poll(async () => ((await fs.stat(begun).catch(() => undefined)) ? true : undefined));
    stop.abort(new Error('stopped'));
    await expect(building).rejects.toThrow('stopped');
    expect(await containers()).toEqual([]);
  });

  it.each([
    [
      'no engine',
      { PATH: '/nowhere' },
      {},
      '--use-container needs Docker, Podman or Finch, but none of them is on PATH',
    ],
    ['not running', { DOCKER_HOST: 'unix:///nowhere.sock' }, {}, 'Docker is unreachable'],
    ['no image', {}, { images: { Py: 'REGISTRY/none:1' } }, 'Image REGISTRY/none:1 does not exist'],
    ['an image without a shell', {}, { env: { PATH: '/nowhere' } }, /^Docker failed: .*"sh": .*not found/],
  ])('one sentence: %s', async (_what, env, container, message) => {
    const images = Object.fromEntries(
      Object.entries((container as ContainerOptions).images ?? IMAGES).map(([id, uri]) => [id, registry(uri)]),
    );
    const dir = await tempFolder(APP);
    const app = await buildApp(dir, {
      env: toolEnv({ ...engineEnv, ...env }),
      container: inContainers({ ...container, images }),
      only: new Set(['Py']),
    });
    expect(app.failures).toEqual([
      expect.objectContaining({
        message: typeof message === 'string' ? registry(message) : expect.stringMatching(message),
      }),
    ]);
    expect(app.failures[0]?.message.split('\n')).toHaveLength(1);
  });

  describe('the command', () => {
    let cloud: TestCloud;
    beforeAll(async () => {
      cloud = await startTestCloud();
    });
    afterAll(() => cloud?.stop());
    const args = ['sync', '--stack-name', 'in-containers', '--yes', '--use-container', '--debug'];
    const settings = (dir: string): Record<string, string> => ({
      ...process.env,
      ...cloud.env,
      ...engineEnv,
      HOME: dir,
    });
    const images = ['--build-image', `Py=${IMAGES.Py}`, '--build-image', `Js=${IMAGES.Js}`];
    const variables = [
      '--container-env-var',
      `NODE_EXTRA_CA_CERTS=${CERTIFICATES.NODE_EXTRA_CA_CERTS}`,
      '--container-env-var-file',
      'variables.json',
    ];
    const start = (dir: string, more: string[] = [], { user = [] as string[], env = {} } = {}) => {
      const program = [
        ...user,
        process.execPath,
        path.join(import.meta.dirname, '../../bin/sam.cjs'),
        ...args,
        ...images,
        ...variables,
        ...more,
      ];
      const child = spawn(program[0]!, program.slice(1), { cwd: dir, env: { ...settings(dir), ...env } });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
      return { child, ended, output: () => output };
    };
    const files = { ...APP, 'variables.json': JSON.stringify({ Js: { GREETING: 'from the file' } }) };

    it('a code sync and a watch build in the container of the function that changed', async () => {
      const dir = await tempFolder(files);
      const env = { PATH: await onlyDocker(dir) };
      const first = start(dir, [], { env });
      expect(await first.ended, first.output()).toBe(0);
      // it is said once, and all goes on
      expect(first.output()).toContain('--use-container turns the dependency layer off');
      const handler = 'import six\nhandler = lambda event, context: "code with " + six.__version__\n';
      await writeFiles(dir, { 'py/app.py': handler, 'py/requirements.txt': 'six==1.17.0\n' });
      const code = start(dir, ['--code', '--resource-id', 'Py'], { env });
      expect(await code.ended, code.output()).toBe(0);
      expect(code.output()).toContain('Code sync: 1 synced');
      expect(code.output()).not.toContain('Building Js');
      const { lambda } = clients(cloud.endpoint);
      const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
      const name = Functions.find(({ FunctionName }) => FunctionName?.includes('Py'))?.FunctionName ?? '';
      expect(await invoke(cloud.endpoint, name)).toBe('code with 1.17.0');
      const again = start(dir, ['--code', '--resource-id', 'Py'], { env });
      expect(await again.ended, again.output()).toBe(0);
      expect(again.output()).toContain('Code sync: 1 unchanged');

      const watch = await startReadyWatch(dir, { ...settings(dir), ...env }, [
        ...args.slice(1),
        ...images,
        ...variables,
      ]);
      await watch.save('py/app.py', (text) => text.replace('code', 'watch'), 'Py');
      expect(await invoke(cloud.endpoint, name)).toBe('watch with 1.17.0');
      expect(await watch.stop()).toMatchObject({ code: 0 });
      expect(await containers()).toEqual([]);
    });

    const interrupted = countInterruptions('test/integration/container-builds.test.ts', 'a build in a container');
    it.each(interrupted.signals)('%s in the middle: nothing is left running, the next one is right', async (signal) => {
      interrupted.begun();
      const dir = await tempFolder({ ...files, 'js/package.json': packageJson(WAITING) });
      const first = start(dir);
      await poll(async () => (first.output().includes('waiting\n') ? true : undefined));
      expect(await containers()).not.toEqual([]);
      first.child.kill(signal);
      expect(await first.ended).toBe(signal === 'SIGKILL' ? null : 130);
      await poll(async () => ((await containers()).length === 0 ? true : undefined));
      await writeFiles(dir, { 'js/package.json': packageJson(GREETING) });
      const second = start(dir);
      expect(await second.ended, second.output()).toBe(0);
      expect(await fs.readFile(path.join(dir, '.aws-sam/build/Js/made.txt'), 'utf8')).toBe('from the file');
      interrupted.passed();
    });

    it.skipIf(process.getuid?.() !== 0)('files belong to the user who runs it', async () => {
      const dir = await tempFolder(files);
      const nobody = 65_534;
      await fs.chmod(engineEnv['DOCKER_HOST']!.replace('unix://', ''), 0o666);
      await fs.chmod(path.dirname(engineEnv['DOCKER_HOST']!.replace('unix://', '')), 0o755);
      for (const item of [dir, ...(await fs.readdir(dir, { recursive: true })).map((name) => path.join(dir, name))])
        await fs.chown(item, nobody, nobody);
      const run = start(dir, [], { user: ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] });
      expect(await run.ended, run.output()).toBe(0);
      const owners = new Map<number, string>();
      for (const name of await fs.readdir(dir, { recursive: true }))
        owners.set((await fs.lstat(path.join(dir, name))).uid, name);
      expect([...owners]).toEqual([[nobody, expect.anything()]]);
    });
  });
});
