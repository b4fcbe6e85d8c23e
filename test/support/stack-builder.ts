import * as path from 'node:path';
import type { FunctionResource, LayerResource, Stack } from '../../src/model/stack.ts';
import type { Template } from '../../src/template/template.ts';

/** A function of a stack that was never read from a file. */
export function fakeFunction(given: Partial<FunctionResource> & { id: string }): FunctionResource {
  const segments = given.id.split('/');
  return {
    stackPath: segments.slice(0, -1).join('/'),
    logicalId: segments.at(-1) ?? '',
    type: 'AWS::Serverless::Function',
    packageType: 'Zip',
    runtime: 'python3.13',
    handler: 'app.handler',
    architecture: 'x86_64',
    code: { kind: 'folder', path: path.resolve('/app/code') },
    buildMethod: undefined,
    buildProperties: {},
    skipBuild: false,
    metadata: {},
    properties: {},
    ...given,
  };
}

/** A layer of a stack that was never read from a file. */
export function fakeLayer(given: Partial<LayerResource> & { id: string }): LayerResource {
  const segments = given.id.split('/');
  return {
    stackPath: segments.slice(0, -1).join('/'),
    logicalId: segments.at(-1) ?? '',
    type: 'AWS::Serverless::LayerVersion',
    compatibleRuntimes: [],
    architecture: 'x86_64',
    code: { kind: 'folder', path: path.resolve('/app/layer') },
    buildMethod: undefined,
    buildProperties: {},
    skipBuild: false,
    metadata: {},
    properties: {},
    ...given,
  };
}

/** A stack in `/app` that was never read from a file. */
export function fakeStack(given: Partial<Stack> & { source?: Template } = {}): Stack {
  const source = given.source ?? { Resources: {} };
  return {
    path: '',
    templateFile: path.resolve('/app/template.yaml'),
    codeDir: path.resolve('/app'),
    source,
    resolved: given.resolved ?? source,
    parameters: {},
    logicalId: undefined,
    functions: [],
    layers: [],
    webFunctions: [],
    children: [],
    ...given,
  };
}
