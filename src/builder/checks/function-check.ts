import type { FunctionResource, Stack, WebFunctionResource } from '../../model/stack.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { TemplatePath } from '../../template/template-path.ts';

/** A check of a function after its build: whether Lambda could start it. */
export interface FunctionCheck {
  id: string;
  kind: 'function' | 'web-function';
  runtime: string | undefined;
  /** As in the template (`EntryPoint` of a Web Function); undefined: none, or only CloudFormation knows it. */
  handler: string | undefined;
  /** Absolute. */
  codeDir: string;
  /** A bundler has parsed the code. */
  isBundled: boolean;
  /** Its layers may hold files that the artifact lacks. */
  hasLayers: boolean;
  /** A wrapper or a layer starts it, so its handler is unknown. */
  isWrapped: boolean;
  template: { file: string; handler: TemplatePath; runtime: TemplatePath };
}

/** Plans the check of a function after its build. Pure. */
export function planFunctionCheck(resource: FunctionResource, stack: Stack): FunctionCheck {
  const { id, logicalId, runtime, handler, code, buildMethod, properties } = resource;
  const layers = properties['Layers'];
  const variables = mapOf(mapOf(properties['Environment'])['Variables']);
  return {
    id,
    kind: 'function',
    runtime,
    handler,
    codeDir: code.kind === 'folder' ? code.path : stack.codeDir,
    isBundled: buildMethod === 'esbuild',
    hasLayers: layers !== undefined && layers !== null && !(Array.isArray(layers) && layers.length === 0),
    isWrapped: variables['AWS_LAMBDA_EXEC_WRAPPER'] !== undefined || handler?.startsWith('/') === true,
    template: {
      file: stack.templateFile,
      handler: placeOf('Handler', logicalId, stack),
      runtime: placeOf('Runtime', logicalId, stack),
    },
  };
}

/** Plans the check of a Web Function after its build. Pure. */
export function planWebFunctionCheck(resource: WebFunctionResource, stack: Stack): FunctionCheck {
  const { id, logicalId, runtime, entryPoint, code, buildMethod } = resource;
  return {
    id,
    kind: 'web-function',
    runtime,
    handler: entryPoint,
    codeDir: code.kind === 'folder' ? code.path : stack.codeDir,
    isBundled: buildMethod === 'esbuild',
    hasLayers: false,
    isWrapped: false,
    template: {
      file: stack.templateFile,
      handler: ['Resources', logicalId, 'Properties', 'EntryPoint'],
      runtime: ['Resources', logicalId, 'Properties', 'Runtime'],
    },
  };
}

/** Returns the path of a property in the template: in the function, or in Globals. */
function placeOf(name: string, logicalId: string, { source }: Stack): TemplatePath {
  const own = mapOf(resourceOf(source, logicalId)['Properties']);
  const shared = mapOf(mapOf(source['Globals'])['Function']);
  const isShared = own[name] === undefined && shared[name] !== undefined;
  return isShared ? ['Globals', 'Function', name] : ['Resources', logicalId, 'Properties', name];
}
