/** The application of the soak test: functions of four runtimes, a layer, an API and a state machine. */
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { unzipSync } from 'fflate';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { callRestApi, clients, invoke, runStateMachine } from './cloud.ts';
import type { WatchedApp } from './watched-app.ts';

type Runtime = 'python' | 'npm' | 'esbuild' | 'makefile';

/** A function of the application; its folder has its name. */
export interface SoakFunction {
  name: string;
  runtime: Runtime;
  hasLayer: boolean;
  /** File with the version, in its folder. */
  handler: string;
}

const RUNTIMES: readonly Runtime[] = ['python', 'npm', 'esbuild', 'makefile'];
const HANDLERS: Record<Runtime, string> = {
  python: 'app.py',
  npm: 'app.js',
  esbuild: 'app.ts',
  makefile: 'bootstrap',
};

/** 30 functions; every second Python function has the layer. */
export const FUNCTIONS: readonly SoakFunction[] = Array.from({ length: 30 }, (_, n) => {
  const runtime = RUNTIMES[n % RUNTIMES.length] ?? 'python';
  return { name: `Fn${n}`, runtime, hasLayer: runtime === 'python' && n % 8 === 0, handler: HANDLERS[runtime] };
});
const NAMES = FUNCTIONS.map(({ name }) => name);
/** Everything that a watch syncs. */
export const RESOURCES: readonly string[] = [...NAMES, 'Layer', 'Api', 'Machine'];
export const LAYER_FILE = 'layer/python/shared.py';
export const SHARED_FILE = 'shared/shared.ts';
export const API_FILE = 'api.yaml';
export const MACHINE_FILE = 'machine.asl.json';

const PROPERTIES: Record<Runtime, string> = {
  python: 'Properties: {Runtime: python3.11, Handler: app.handler, ',
  npm: 'Properties: {Runtime: nodejs22.x, Handler: app.handler, ',
  esbuild: 'Metadata: {BuildMethod: esbuild}, Properties: {Runtime: nodejs22.x, Handler: app.handler, ',
  makefile: 'Metadata: {BuildMethod: makefile}, Properties: {Runtime: provided.al2023, Handler: bootstrap, ',
};

/** The template; `description`: what only a deployment changes. */
export function template(description: number): string {
  const functions = FUNCTIONS.map(({ name, runtime, hasLayer }) => {
    const layers = hasLayer ? ', Layers: [!Ref Layer]' : '';
    const text = `Type: AWS::Serverless::Function, ${PROPERTIES[runtime]}CodeUri: ${name}${layers}`;
    return `  ${name}: {${text}, Description: "${name === 'Fn0' ? description : ''}"}}\n`;
  });
  const outputs = [...NAMES, 'Api', 'Machine'].map((name) => `  ${name}: {Value: !Ref ${name}}\n`);
  return `Transform: AWS::Serverless-2016-10-31
Resources:
${functions.join('')}  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer, CompatibleRuntimes: [python3.11]}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: ${API_FILE}}}
  Machine: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: ${MACHINE_FILE}, Role: 'arn:aws:iam::000000000000:role/steps'}}
Outputs:
${outputs.join('')}`;
}

/** The handler of a function. */
export function handlerSource({ runtime, hasLayer }: SoakFunction, version: number): string {
  switch (runtime) {
    case 'python':
      return hasLayer
        ? `import shared\ndef handler(event, context):\n    return [${version}, shared.VALUE]\n`
        : `def handler(event, context):\n    return [${version}]\n`;
    case 'npm':
      return `exports.handler = async () => [${version}];\n`;
    case 'esbuild':
      return `import { part } from './part';\nimport { shared } from '../shared/shared';\nexport const handler = async () => [${version}, part, shared];\n`;
    default:
      return `#!/bin/sh\necho ${version}\n`;
  }
}

/** A file beside the handler. */
export const partSource = ({ runtime }: SoakFunction, version: number): string =>
  runtime === 'esbuild' ? `export const part = ${version};\n` : `part ${version}\n`;
export const layerSource = (version: number): string => `VALUE = ${version}\n`;
export const sharedSource = (version: number): string => `export const shared = ${version};\n`;
export const apiSource = (version: number): string =>
  `openapi: 3.0.1\ninfo: {title: soak, version: '1'}\npaths: {/v${version}: {get: {responses: {'200': {description: ok}}, x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: '200'}}}}}}\n`;
export const machineSource = (version: number): string =>
  `${JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', Result: version, End: true } } })}\n`;

/** All files at the start. */
export function soakFiles(): Record<string, string> {
  const files: Record<string, string> = {
    '.gitignore': '.aws-sam\n',
    'template.yaml': template(0),
    [LAYER_FILE]: layerSource(0),
    [SHARED_FILE]: sharedSource(0),
    [API_FILE]: apiSource(0),
    [MACHINE_FILE]: machineSource(0),
  };
  for (const fn of FUNCTIONS) {
    files[`${fn.name}/${fn.handler}`] = handlerSource(fn, 0);
    if (fn.runtime === 'esbuild') files[`${fn.name}/part.ts`] = partSource(fn, 0);
    if (fn.runtime === 'npm')
      files[`${fn.name}/package.json`] = `{"name": "${fn.name.toLowerCase()}", "version": "1.0.0"}\n`;
    if (fn.runtime === 'makefile') {
      files[`${fn.name}/Makefile`] =
        `build-${fn.name}:\n\tcp bootstrap "$(ARTIFACTS_DIR)"\n\tfor part in part*; do [ ! -e "$$part" ] || cp "$$part" "$(ARTIFACTS_DIR)"; done\n`;
    }
  }
  return files;
}

/** What a resource serves and what the files say, if they differ; asked past the proxy. */
export async function difference(app: WatchedApp, resource: string): Promise<string | undefined> {
  const fn = FUNCTIONS.find(({ name }) => name === resource);
  const [served, saved] = fn === undefined ? await definitionOf(app, resource) : await codeOf(app, fn);
  const [is, should] = [JSON.stringify(served), JSON.stringify(saved)];
  return is === should ? undefined : `${resource} serves ${is}, but the files say ${should}`;
}

async function definitionOf(app: WatchedApp, resource: string): Promise<[served: unknown, saved: unknown]> {
  const { endpoint } = app.cloud;
  const text = (file: string): string => fs.readFileSync(path.join(app.dir, file), 'utf8');
  if (resource === 'Machine') {
    const saved = (JSON.parse(text(MACHINE_FILE)) as { States: { A: { Result: number } } }).States.A.Result;
    return [await runStateMachine(endpoint, app.output('Machine')), saved];
  }
  if (resource === 'Api') {
    const route = /(\/v\d+)/.exec(text(API_FILE))?.[1] ?? '';
    return [(await callRestApi(endpoint, { id: app.output('Api'), stage: 'dev', path: route })).status, 200];
  }
  // a layer is served by the functions that have it
  return [undefined, undefined];
}

async function codeOf(app: WatchedApp, fn: SoakFunction): Promise<[served: unknown, saved: unknown]> {
  const { endpoint } = app.cloud;
  const name = app.output(fn.name);
  const number = (file: string): number => Number(/\d+/.exec(fs.readFileSync(path.join(app.dir, file), 'utf8'))?.[0]);
  const version = (file: string): number =>
    Number(/\[(\d+)/.exec(fs.readFileSync(path.join(app.dir, fn.name, file), 'utf8'))?.[1]);
  if (fn.runtime === 'esbuild') {
    const part = fs.existsSync(path.join(app.dir, fn.name, 'part.ts')) ? 'part.ts' : 'part/index.ts';
    const saved = [version('app.ts'), number(`${fn.name}/${part}`), number(SHARED_FILE)];
    return [await invoke(endpoint, name), saved];
  }
  if (fn.hasLayer) {
    const answer = await invoke(endpoint, name);
    const saved = [version('app.py'), number(LAYER_FILE)];
    if (JSON.stringify(answer) !== JSON.stringify(saved)) return [answer, saved];
  }
  const { Code } = await clients(endpoint).lambda.send(new GetFunctionCommand({ FunctionName: name }));
  const bytes = new Uint8Array(await (await fetch(Code?.Location ?? '')).arrayBuffer());
  const decoder = new TextDecoder();
  const served = Object.entries(unzipSync(bytes)).filter(([file]) => !file.endsWith('/'));
  const saved = fs.readdirSync(path.join(app.dir, fn.name)).filter((file) => file !== 'Makefile');
  return [
    served.map(([file, content]) => [file, decoder.decode(content)]).sort(),
    saved.map((file) => [file, fs.readFileSync(path.join(app.dir, fn.name, file), 'utf8')]).sort(),
  ];
}
