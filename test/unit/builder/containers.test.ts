import { describe, expect, it, test } from 'vitest';
import { changesScript } from '../../../src/builder/containers/changes-script.ts';
import { containerSettings } from '../../../src/builder/containers/container-options.ts';
import type { ContainerOptions } from '../../../src/builder/containers/container-options.ts';
import { mountOf, mountOption, outermostFolders, translatePaths } from '../../../src/builder/containers/mounts.ts';
import { passVariables } from '../../../src/builder/containers/pass-variables.ts';
import { readContainerEnvFile } from '../../../src/builder/containers/container-env-file.ts';
import { planBuild } from '../../../src/builder/plan-build.ts';
import { engineError, unknownFailure } from '../../../src/support/engine/container-engine.ts';
import { findEngine } from '../../../src/support/engine/find-engine.ts';
import { fakeFunction, fakeLayer, fakeStack } from '../../support/stack-builder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

const NONE: ContainerOptions = { image: undefined, images: {}, env: {}, envById: {} };
const built = { id: 'Child/F', logicalId: 'F', method: 'python3.13', architecture: 'arm64' } as const;

test.each<[string, Partial<ContainerOptions>, string]>([
  ['that of the runtime', {}, 'public.ecr.aws/sam/build-python3.13:latest-arm64'],
  ['one for all', { image: 'mine' }, 'mine'],
  ['by id', { image: 'mine', images: { 'Child/F': 'own', F: 'short' } }, 'own'],
  ['by logical id', { image: 'mine', images: { F: 'short' } }, 'short'],
])('build image: %s', (_what, options, image) => {
  expect(containerSettings(built, { ...NONE, ...options })?.image).toBe(image);
});

it('variables: those of one beat those of all', () => {
  const options = { ...NONE, env: { A: '1', B: '1' }, envById: { F: { B: '2' }, 'Child/F': { C: '3' } } };
  expect(containerSettings(built, options)?.env).toEqual({ A: '1', B: '2', C: '3' });
  expect(containerSettings(built, undefined)).toBeUndefined();
});

it('the plan knows the container; the peer’s names of images', () => {
  const functions = [
    fakeFunction({ id: 'Go', runtime: 'provided.al2023', buildMethod: 'go1.x' }),
    fakeFunction({ id: 'Aot', runtime: 'provided.al2023', buildMethod: 'dotnet7' }),
    fakeFunction({ id: 'A', runtime: 'python3.13' }),
    fakeFunction({ id: 'B', runtime: 'python3.13' }),
  ];
  const layers = [fakeLayer({ id: 'L', buildMethod: 'makefile', compatibleRuntimes: ['java21'] })];
  const options = { projectDir: '/app', stackName: 's', dependencyLayer: true, buildInSource: false, env: {} };
  const container = { ...NONE, images: { B: 'own' } };
  const { definitions } = planBuild(fakeStack({ functions, layers }), { ...options, container });
  expect(
    definitions.map(({ ids, container: its, wantsDependencyLayer }) => [ids, its?.image, wantsDependencyLayer]),
  ).toEqual([
    [['L'], 'public.ecr.aws/sam/build-java21:latest-x86_64', false],
    [['Go'], 'public.ecr.aws/sam/build-provided.al2023:latest-x86_64', false],
    [['Aot'], 'public.ecr.aws/sam/build-dotnet7:latest-x86_64', false],
    [['A'], 'public.ecr.aws/sam/build-python3.13:latest-x86_64', false],
    [['B'], 'own', false],
  ]);
  const [withoutContainer] = planBuild(fakeStack({ functions: [fakeFunction({ id: 'A' })] }), options).definitions;
  expect(withoutContainer).not.toHaveProperty('container');
});

describe('folders that a container sees', () => {
  it('whatever their names are', () => {
    expect(mountOption({ source: '/a', target: '/a' })).toBe('type=bind,source=/a,target=/a');
    expect(mountOption({ source: '/a,readonly', target: '/b"c' })).toBe(
      'type=bind,"source=/a,readonly","target=/b""c"',
    );
  });

  it('without those inside of others', () => {
    expect(outermostFolders(['/a/b', '/a', '/ab', '/a/b/c', '/x'])).toEqual(['/a', '/x', '/ab']);
  });

  test.each([
    ['/home/me/app', 'linux', '/home/me/app'],
    ['C:\\Users\\me\\app', 'win32', '/c/Users/me/app'],
    ['D:\\', 'win32', '/d'],
  ] as const)('%s on %s is %s', (folder, platform, target) => {
    expect(mountOf(folder, platform)).toEqual({ source: folder, target });
  });

  it('paths in arguments and variables are those of the container', () => {
    const mounts = [mountOf('C:\\app', 'win32')];
    expect(translatePaths('--file=C:\\app\\src\\x.txt', mounts)).toBe('--file=/c/app/src/x.txt');
    expect(translatePaths('a\\b', mounts)).toBe('a\\b');
  });
});

it('values of variables are on no command line, but for those that the engine’s program itself reads', () => {
  expect(passVariables({ TOKEN: 'secret', PATH: '/x' })).toEqual({
    options: ['--env=TOKEN', '--env=PATH=/x'],
    env: { TOKEN: 'secret' },
  });
});

it.skipIf(process.platform === 'win32').each([
  ['writes nothing', 'true', ''],
  ['writes a file', 'echo 1 > b/file', ' 1'],
  ['removes a file', 'rm a/old', ' 0'],
  ['runs while the clock goes back', 'touch -t 209901010000 started; echo 1 > b/file', ' 0 1'],
])('places that a program in a container has changed: one that %s', async (_, program, changed) => {
  const dir = await tempFolder({ 'a/old': '', 'b/old': '' });
  const script = changesScript([path.join(dir, 'a'), path.join(dir, 'b')]);
  const args = ['-c', script, 'TOKEN', path.join(dir, 'started'), 'sh', '-c', program];
  expect(execFileSync('sh', args, { cwd: dir, encoding: 'utf8' })).toBe(`TOKEN 0${changed}.`);
});

describe('--container-env-var-file', () => {
  it('has variables for all and for one', async () => {
    const dir = await tempFolder({ 'env.json': '{"Parameters": {"A": 1}, "Child/F": {"B": "x=y", "C": true}}' });
    expect(await readContainerEnvFile(path.join(dir, 'env.json'))).toEqual({
      env: { A: '1' },
      envById: { 'Child/F': { B: 'x=y', C: 'true' } },
    });
    expect(await readContainerEnvFile(undefined)).toEqual({ env: {}, envById: {} });
  });

  test.each([
    ['[]', 'must hold a JSON object'],
    ['{', 'is not valid JSON'],
    ['{"F": "x"}', 'F must be an object of variables'],
    ['{"F": {"A": {}}}', 'F.A must be a string or a number'],
  ])('%s', async (text, message) => {
    const dir = await tempFolder({ 'env.json': text });
    await expect(readContainerEnvFile(path.join(dir, 'env.json'))).rejects.toThrow(message);
  });
});

// what the programs print, as their documentation and sources give it
test.each([
  [
    'docker',
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'is unreachable',
  ],
  ['docker', 'failed to connect to the docker API at unix:///var/run/docker.sock', 'is unreachable'],
  [
    'docker',
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial',
    'no permission to use it',
  ],
  [
    'podman',
    'Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`',
    'is unreachable',
  ],
  ['finch', 'time="…" level=fatal msg="instance \\"finch\\" does not exist"', 'is unreachable'],
  [
    'docker',
    'docker: Error response from daemon: manifest for img:1 not found: manifest unknown',
    'Image img does not exist',
  ],
  [
    'docker',
    "pull access denied for img, repository does not exist or may require 'docker login'",
    'Image img does not exist',
  ],
  ['finch', 'failed to resolve reference "img": img: not found', 'Image img does not exist'],
  ['docker', 'exec /bin/sh: exec format error', 'is for another processor architecture'],
  [
    'docker',
    'no matching manifest for linux/arm64/v8 in the manifest list entries',
    'does not exist for this architecture',
  ],
  ['docker', 'no basic auth credentials', 'not logged in'],
  ['docker', 'Error processing tar file(exit status 1): write /a/b: no space left on device', 'has no disk space left'],
  [
    'docker',
    'the --mount option requires BuildKit. Refer to https://docs',
    'needs BuildKit, which Docker does not have',
  ],
  ['docker', 'denied: Your authorization token has expired. Reauthenticate and try again.', 'not logged in'],
  [
    'docker',
    "name unknown: The repository with name 'x' does not exist in the registry with id '1'",
    'The repository of img does not exist',
  ],
  ['docker', 'Get "https://r/v2/": dial tcp: lookup r: i/o timeout', 'could not reach the registry'],
  ['docker', 'Get "http://r:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'could not reach the registry'],
  ['docker', 'Get "https://r/v2/": dial tcp: lookup r: no such host', 'could not reach the registry'],
  ['docker', 'Error response from daemon: Client sent an HTTP request to an HTTPS server.', 'expects TLS'],
  [
    'docker',
    'error during connect: Get "https://h:2376/v1.50/networks": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'is unreachable over TLS',
  ],
  [
    'docker',
    'error during connect: Get "https://h:2375/v1.50/networks": http: server gave HTTP response to HTTPS client',
    'is unreachable over TLS',
  ],
  ['docker', 'error during connect: Get "http://h:2375/v1.24/info": dial tcp: connection refused', 'is unreachable'],
] as const)('%s: %s', (name, output, message) => {
  const error = engineError(name, output, { image: 'img' });
  expect(error?.message).toContain(message);
  expect(error?.hint).toBeTruthy();
});

const overSsh = (why: string): string =>
  `error during connect: Get "http://docker.example.com/v1.50/networks": command [ssh -o ConnectTimeout=30 -T -l me -p 22 -- far docker system dial-stdio] has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${why}\n\n`;
it.each([
  [
    overSsh('@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nHost key verification failed.'),
    'Docker is unreachable over ssh at me@far:22: the host key has changed',
    "ssh-keygen -R '[far]:22'",
  ],
  [overSsh('Host key verification failed.'), 'over ssh at me@far:22: the host key is not known', 'ssh -p 22 me@far'],
  // not the group docker of this machine
  [overSsh('me@far: Permission denied (publickey).'), 'over ssh at me@far:22: the login was refused', 'ssh-agent'],
  [
    overSsh('ssh: connect to host far port 22: Connection refused'),
    'over ssh at me@far:22: Connection refused',
    'ssh -p 22 me@far docker version',
  ],
  [
    overSsh('bash: docker: command not found'),
    'over ssh at me@far:22: there is no docker command',
    'Install Docker there',
  ],
  [
    'command [ssh far docker system dial-stdio] has exited with exit status 255, please make sure the URL is valid: stderr=odd\n',
    'Docker is unreachable over ssh at far: odd',
    'ssh far docker version',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": exec: "ssh": executable file not found in $PATH',
    'Docker needs ssh to reach its engine, and ssh is not on PATH',
    'Install OpenSSH',
  ],
  [
    'Cannot connect to the Docker daemon at http://docker.example.com. Is the docker daemon running?',
    'Docker does not answer on the machine that it reaches over ssh',
    'Start Docker there',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": net/http: HTTP/1.x transport connection broken: malformed HTTP status code "account"',
    'Docker is unreachable over ssh: the login printed text before Docker answered',
    'its shell prints nothing',
  ],
])('over ssh: %s', (output, message, hint) => {
  const error = engineError('docker', output);
  expect(error?.message).toContain(message);
  expect(error?.hint).toContain(hint);
});

it('what is not known is told in the engine’s words', () => {
  // no ssh
  const malformed =
    'error during connect: Get "http://h:2375/v1.24/info": net/http: HTTP/1.x transport connection broken: malformed HTTP response "x"';
  expect(engineError('docker', malformed)?.message).toBe('Docker is unreachable');
  expect(engineError('docker', 'something new')).toBeUndefined();
  const output = "docker: Error response from daemon: odd thing\n\nRun 'docker run --help' for more information\n";
  expect(unknownFailure('docker', output).message).toBe('Docker failed: Error response from daemon: odd thing');
});

describe.skipIf(process.platform === 'win32')('the engine', () => {
  const signal = new AbortController().signal;
  const found = async (docker: string, env: Record<string, string> = {}): Promise<string> => {
    const bin = await tempFolder({
      docker: `#!/bin/sh\n${docker}\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n`,
      podman: '#!/bin/sh\necho podman\n',
    });
    for (const name of ['docker', 'podman']) await fs.chmod(path.join(bin, name), 0o755);
    return findEngine('It', { env: { PATH: `${bin}:/bin`, ...env }, signal }).then(
      ({ name }) => name,
      (error: Error) => error.message,
    );
  };
  const RUNS = 'exit 0';
  const context = (endpoint: string): string => `[ "$1" != context ] || { echo ${endpoint}; exit; }`;
  it.each([
    ['the first that runs', 'podman', context('unix:///var/run/docker.sock'), {}],
    ['the one that the environment names', 'podman', RUNS, { CONTAINER_HOST: 'ssh://me@far/run/podman.sock' }],
    ['Docker, if it names both', 'docker', RUNS, { DOCKER_HOST: 'tcp://far:1', CONTAINER_HOST: 'tcp://far:2' }],
    ['no other than the one it names', 'Docker is unreachable', '', { DOCKER_HOST: 'unix:///gone.sock' }],
    [
      'no other than that of a context on another machine',
      'Docker at tcp://far:1 is unreachable',
      context('tcp://far:1'),
      {},
    ],
  ])('is %s', async (_what, expected, docker, env) => {
    expect(await found(docker, env as Record<string, string>)).toBe(expected);
  });
});
