import { GetFunctionConfigurationCommand, GetLayerVersionByArnCommand } from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { installSamCli, runPeer } from '../support/peer.ts';
import { runCli } from '../support/run-cli.ts';
import { listResources, zipContent } from '../support/snapshot.ts';
import { story } from '../support/story.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

const FN = 'Type: AWS::Serverless::Function';
const PYTHON = 'Runtime: python3.11, Handler: app.handler, Timeout: 30';
const NODE = 'Runtime: nodejs20.x, Handler: app.handler, Timeout: 30';

/** `code`: what the handler returns, with what it needs imported; requirements by name. */
const python = (value: string, ...imports: string[]) =>
  `${imports.map((name) => `import ${name}\n`).join('')}\ndef handler(event, context):\n    return ${value}\n`;

interface Result {
  status: string;
  outputs: Record<string, string>;
  resources: { id: string; outcome: string; detail?: string }[];
}

let cloud: TestCloud;
let proxy: FaultProxy;

beforeAll(async () => {
  await installSamCli();
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy?.stop();
  await cloud?.stop();
});

/** An application of these files, synced by the command. */
async function startApp(stackName: string, files: Readonly<Record<string, string>>) {
  const dir = await tempFolder(files);
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
  let outputs: Record<string, string> = {};
  const arnOf = (output: string): string => outputs[output] ?? '';
  return {
    dir,
    env,
    write: (changed: Readonly<Record<string, string>>) => writeFiles(dir, changed),
    sync: async (...args: string[]): Promise<Result> => {
      const run = await runCli(['--stack-name', stackName, '--yes', '--output', 'json', ...args], { cwd: dir, env });
      expect(run.code, run.stderr).toBe(0);
      const result = JSON.parse(run.stdout) as Result;
      outputs = { ...outputs, ...result.outputs };
      return result;
    },
    peer: async (...args: string[]): Promise<void> => {
      const run = await runPeer(['sync', '--stack-name', stackName, ...args], { cwd: dir, env });
      expect(run.code, run.stdout + run.stderr).toBe(0);
    },
    call: (output: string) => invoke(cloud.endpoint, arnOf(output)),
    layersOf: async (output: string): Promise<string[]> => {
      const command = new GetFunctionConfigurationCommand({ FunctionName: arnOf(output) });
      const { Layers = [] } = await clients(cloud.endpoint).lambda.send(command);
      return Layers.flatMap(({ Arn }) => Arn ?? []);
    },
  };
}

/** What was sent since the last look: bytes of all requests. */
function sentBytes(): number {
  return proxy.calls.reduce((sum, { body }) => sum + body.length, 0);
}

async function physicalIds(stackName: string): Promise<Record<string, string>> {
  const resources = await listResources(cloud.endpoint, stackName);
  return Object.fromEntries([...resources].map(([id, { physicalId }]) => [id, physicalId]));
}

async function layerFiles(arn: string): Promise<string[]> {
  const { Content } = await clients(cloud.endpoint).lambda.send(new GetLayerVersionByArnCommand({ Arn: arn }));
  return Object.keys(await zipContent(Content?.Location ?? ''));
}

describe('numpy and requests, two node packages, and a nested function', () => {
  const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Numbers: {${FN}, Properties: {CodeUri: numbers, ${PYTHON}}}
  Words: {${FN}, Properties: {CodeUri: words, ${NODE}}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child/template.yaml}}
Outputs:
  Numbers: {Value: !Ref Numbers}
  Words: {Value: !Ref Words}
  Inner: {Value: !GetAtt Child.Outputs.Inner}
`;
  const numbers = (version: number) =>
    python(`[${version}, int(numpy.arange(4).sum()), requests.__name__]`, 'numpy', 'requests');
  const words = (version: number) =>
    `const ms = require('ms');\nconst pad = require('left-pad');\nexports.handler = async () => [${version}, ms('1s'), pad('a', 3)];\n`;
  const inner = (version: number) => python(`[${version}, requests.__name__]`, 'requests');
  let app: Awaited<ReturnType<typeof startApp>>;

  const answers = async () => [await app.call('Numbers'), await app.call('Words'), await app.call('Inner')];
  const step = story('one application through its life');

  step('is deployed', async () => {
    app = await startApp('figures', {
      'template.yaml': TEMPLATE,
      'numbers/app.py': numbers(1),
      'numbers/requirements.txt': 'numpy==2.2.6\nrequests==2.32.3\n',
      'words/app.js': words(1),
      'words/package.json': JSON.stringify({ name: 'words', dependencies: { ms: '2.1.3', 'left-pad': '1.3.0' } }),
      'child/template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources: {Inner: {${FN}, Properties: {CodeUri: inner, ${PYTHON}}}}
Outputs: {Inner: {Value: !Ref Inner}}
`,
      'child/inner/app.py': inner(1),
      'child/inner/requirements.txt': 'requests==2.32.3\n',
    });
    await app.sync();
  });

  step('are mounted where Lambda looks for them, native files too', async () => {
    expect(await answers()).toEqual([
      [1, 6, 'requests'],
      [1, 1000, '  a'],
      [1, 'requests'],
    ]);
    const [numpy] = await app.layersOf('Numbers');
    const files = await layerFiles(numpy ?? '');
    expect(files.filter((file) => !file.startsWith('python/'))).toEqual([]);
    expect(files.some((file) => /^python\/numpy\/.*\.so$/.test(file))).toBe(true);
    const [node] = await app.layersOf('Words');
    expect((await layerFiles(node ?? '')).filter((file) => !file.startsWith('nodejs/node_modules/'))).toEqual([]);
  });

  step('a change of one line in each sends less than 20 kB, by a code sync and by a plain one', async () => {
    const layers = [await app.layersOf('Numbers'), await app.layersOf('Words'), await app.layersOf('Inner')];
    for (const [version, ...args] of [[2, '--code'], [3]] as const) {
      await app.write({
        'numbers/app.py': numbers(version),
        'words/app.js': words(version),
        'child/inner/app.py': inner(version),
      });
      proxy.clear();
      await app.sync(...args);
      expect(sentBytes()).toBeLessThan(20_000);
      expect(await answers()).toEqual([
        [version, 6, 'requests'],
        [version, 1000, '  a'],
        [version, 'requests'],
      ]);
    }
    expect([await app.layersOf('Numbers'), await app.layersOf('Words'), await app.layersOf('Inner')]).toEqual(layers);
  });

  step('a comment in the manifest publishes nothing', async () => {
    await app.write({ 'numbers/requirements.txt': '# numbers\nnumpy==2.2.6\nrequests==2.32.3\n' });
    proxy.clear();
    await app.sync('--code');
    expect(proxy.count('PublishLayerVersion')).toBe(0);
  });

  step('without the option everything is in the function, and with it again nothing stale is left', async () => {
    await app.sync('--no-dependency-layer');
    expect(await app.layersOf('Numbers')).toEqual([]);
    expect(await answers()).toEqual([
      [3, 6, 'requests'],
      [3, 1000, '  a'],
      [3, 'requests'],
    ]);
    await app.sync();
    expect(await app.layersOf('Words')).toHaveLength(1);
    expect(await answers()).toEqual([
      [3, 6, 'requests'],
      [3, 1000, '  a'],
      [3, 'requests'],
    ]);
  });
});

describe('a function', () => {
  const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Parameters: {More: {Type: CommaDelimitedList, Default: ''}}
Resources:
  Asks: {${FN}, Properties: {CodeUri: asks, ${PYTHON}}}
Outputs:
  Fn: {Value: !Ref Asks}
`;
  it('answers all the time while a package and its import arrive in one code sync', async () => {
    const app = await startApp('adds', {
      'template.yaml': TEMPLATE,
      'asks/app.py': python("['v1']"),
      'asks/requirements.txt': '',
    });
    await app.sync();
    await app.write({
      'asks/app.py': python("['v2', requests.__name__]", 'requests'),
      'asks/requirements.txt': 'requests==2.32.3\n',
    });
    let isDone = false;
    let calls = 0;
    const answers = new Set<string>();
    const calling = poll(async () => {
      answers.add(JSON.stringify(await app.call('Fn')));
      calls += 1;
      return isDone && answers.size > 1 ? true : undefined;
    });
    expect((await app.sync('--code')).resources).toMatchObject([{ id: 'Asks', outcome: 'synced' }]);
    isDone = true;
    await calling;
    // an invocation that failed has thrown
    expect([...answers]).toEqual(['["v1"]', '["v2","requests"]']);
    expect(calls).toBeGreaterThan(1);
  });

  it('keeps its dependencies when it gets another name', async () => {
    const app = await startApp('renames', {
      'template.yaml': TEMPLATE,
      'asks/app.py': python('requests.__name__', 'requests'),
      'asks/requirements.txt': 'requests==2.32.3\n',
    });
    await app.sync();
    await app.write({ 'template.yaml': TEMPLATE.replaceAll('Asks', 'Renamed') });
    await app.sync();
    expect(await app.call('Fn')).toBe('requests');
    const layers = [...(await listResources(cloud.endpoint, 'renames'))].flatMap(([id, { type }]) =>
      type === 'AWS::Lambda::LayerVersion' ? [id] : [],
    );
    expect(layers).toEqual([expect.stringMatching(/\/Renamed[0-9a-f]{8}DepLayer[0-9a-f]{10}$/)]);
    expect((await app.sync('--code')).status).toBe('unchanged');
  });
});

describe('manifests that are swapped', () => {
  const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  A: {${FN}, Properties: {CodeUri: a, ${PYTHON}}}
  B: {${FN}, Properties: {CodeUri: b, ${PYTHON}}}
Outputs:
  A: {Value: !Ref A}
  B: {Value: !Ref B}
`;
  const files = (a: string, b: string, version: number) => ({
    'a/app.py': python(`[${version}, ${a}.__name__]`, a),
    'a/requirements.txt': `${a}\n`,
    'b/app.py': python(`[${version}, ${b}.__name__]`, b),
    'b/requirements.txt': `${b}\n`,
  });

  it('are right in plain sync, code sync and watch', async () => {
    const app = await startApp('swaps', { 'template.yaml': TEMPLATE, ...files('idna', 'certifi', 1) });
    const answers = async () => [await app.call('A'), await app.call('B')];
    await app.sync();
    await app.write(files('certifi', 'idna', 2));
    await app.sync();
    expect(await answers()).toEqual([
      [2, 'certifi'],
      [2, 'idna'],
    ]);
    await app.write(files('idna', 'certifi', 3));
    await app.sync('--code');
    expect(await answers()).toEqual([
      [3, 'idna'],
      [3, 'certifi'],
    ]);
    const watch = await startReadyWatch(app.dir, app.env, ['--stack-name', 'swaps']);
    await app.write(files('certifi', 'idna', 4));
    const expected = JSON.stringify([
      [4, 'certifi'],
      [4, 'idna'],
    ]);
    // between its two files a function may fail; in the end it is right
    await poll(async () => {
      const now = await answers().catch((error: unknown) => error);
      return JSON.stringify(now) === expected ? true : undefined;
    });
    expect((await watch.stop()).code).toBe(0);
    expect((await app.sync('--code')).status).toBe('unchanged');
  });
});

describe('layers in an intrinsic, a parameter or Globals', () => {
  it('stay, and the dependencies come last', async () => {
    const layer = (name: string) => `{Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: ${name}}}`;
    const app = await startApp('intrinsics', {
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Layers: [!Ref One]}}
Conditions: {Always: !Equals [a, a]}
Resources:
  One: ${layer('one')}
  Two: ${layer('two')}
  Global: {${FN}, Properties: {CodeUri: fn, ${PYTHON}}}
  Chosen: {${FN}, Properties: {CodeUri: fn, ${PYTHON}, Layers: [!If [Always, !Ref Two, !Ref AWS::NoValue]]}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {All: !Join [',', [!Ref One, !Ref Two]]}}}
Outputs:
  Global: {Value: !Ref Global}
  Chosen: {Value: !Ref Chosen}
  Inner: {Value: !GetAtt Child.Outputs.Inner}
`,
      'child.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters: {All: {Type: CommaDelimitedList}}
Resources: {Inner: {${FN}, Properties: {CodeUri: fn, ${PYTHON}, Layers: !Ref All}}}
Outputs: {Inner: {Value: !Ref Inner}}
`,
      'one/python/one.py': 'V = 1\n',
      'two/python/two.py': 'V = 2\n',
      'fn/app.py': python(
        '[idna.__name__, [name for name in ("one", "two") if importlib.util.find_spec(name)]]',
        'idna',
        'importlib.util',
      ),
      'fn/requirements.txt': 'idna\n',
    });
    await app.sync();
    expect(await app.call('Global')).toEqual(['idna', ['one']]);
    expect(await app.call('Chosen')).toEqual(['idna', ['one', 'two']]);
    expect(await app.call('Inner')).toEqual(['idna', ['one', 'two']]);
    for (const [name, count] of [
      ['Global', 2],
      ['Chosen', 3],
      ['Inner', 3],
    ] as const) {
      const layers = await app.layersOf(name);
      expect(layers).toHaveLength(count);
      expect(layers.at(-1)).toContain('-DepLayer');
    }
    expect((await app.sync('--code')).status).toBe('unchanged');
  });
});

describe('AWS SAM CLI and we in turns on one stack', () => {
  const TEMPLATE = (memory: number) => `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {MemorySize: ${memory}}}
Resources:
  Py: {${FN}, Properties: {CodeUri: py, ${PYTHON}}}
  Js: {${FN}, Properties: {CodeUri: js, ${NODE}}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child/template.yaml}}
Outputs:
  Py: {Value: !Ref Py}
  Js: {Value: !Ref Js}
  Inner: {Value: !GetAtt Child.Outputs.Inner}
`;
  const files = (version: number) => ({
    'py/app.py': python(`[${version}, idna.__name__]`, 'idna'),
    'js/app.js': `const ms = require('ms');\nexports.handler = async () => [${version}, ms('1s')];\n`,
    'child/inner/app.py': python(`[${version}, certifi.__name__]`, 'certifi'),
  });

  it('every change arrives, and the switch itself replaces nothing', async () => {
    const app = await startApp('turns', {
      'template.yaml': TEMPLATE(128),
      'py/requirements.txt': 'idna\n',
      'js/package.json': JSON.stringify({ name: 'js', version: '1.0.0', dependencies: { ms: '2.1.3' } }),
      'child/template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources: {Inner: {${FN}, Properties: {CodeUri: inner, ${PYTHON}}}}
Outputs: {Inner: {Value: !Ref Inner}}
`,
      'child/inner/requirements.txt': 'certifi\n',
      ...files(0),
    });
    await app.sync();
    const ids = () => physicalIds('turns');
    const first = await ids();
    expect(Object.keys(first).filter((id) => /DepLayer[0-9a-f]{10}$/.test(id))).toHaveLength(3);
    for (const version of [1, 2, 3, 4, 5]) {
      await app.write({ ...files(version), 'template.yaml': TEMPLATE(128 + 64 * version) });
      await (version % 2 === 1 ? app.peer() : app.sync());
      expect(await app.call('Py')).toEqual([version, 'idna']);
      expect(await app.call('Js')).toEqual([version, 1000]);
      expect(await app.call('Inner')).toEqual([version, 'certifi']);
      // functions and the layers of their dependencies, which did not change
      expect(await ids(), `turn ${version}`).toEqual(first);
    }
  });

  it('also when they sync code only', async () => {
    const app = await startApp('code-turns', {
      'template.yaml': TEMPLATE(128).replace(/ {2}(?:Child|Inner):.*\n/g, ''),
      'py/requirements.txt': 'idna\n',
      'js/package.json': JSON.stringify({ name: 'js', version: '1.0.0', dependencies: { ms: '2.1.3' } }),
      ...files(0),
    });
    await app.sync();
    for (const version of [1, 2, 3, 4]) {
      await app.write(files(version));
      await (version % 2 === 1 ? app.peer('--code') : app.sync('--code'));
      expect(await app.call('Py')).toEqual([version, 'idna']);
      expect(await app.call('Js')).toEqual([version, 1000]);
    }
    await app.write({ 'template.yaml': TEMPLATE(256).replace(/ {2}(?:Child|Inner):.*\n/g, '') });
    await app.sync();
    expect(await app.call('Py')).toEqual([4, 'idna']);
    expect(await fs.readdir(path.join(app.dir, '.aws-sam'))).toContain('auto-dependency-layer');
  });
});
