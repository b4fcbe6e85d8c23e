import type { CountedFile } from '../../model/built-stack.ts';
import type { FunctionResource } from '../../model/stack.ts';
import { STACK_TYPE } from '../../template/kinds/cloudformation.ts';
import type { Template, TemplateMap } from '../../template/template.ts';
import { dependencyLayerId, dependencyLayerName } from './dependency-layer.ts';
import { SERVERLESS_TRANSFORM } from '../../template/transforms.ts';

/** File name of the template of a stack's dependency layers. */
export const DEPENDENCY_TEMPLATE = 'adl_nested_template.yaml';

/**
 * Metadata of the layers. SAM derives a layer's logical id from its properties and Metadata, so both equal SAM CLI's letter by
 * letter: otherwise each switch between the tools would replace every layer.
 */
const CREATED_BY: TemplateMap = { CreatedBy: 'AWS SAM CLI sync command' };

/** Returns the template with a layer for each function; the layers' folders lie beside it. */
export function dependencyLayerTemplate(functions: readonly FunctionResource[], stackName: string): Template {
  const resources: TemplateMap = {};
  const outputs: TemplateMap = {};
  for (const { id, runtime } of functions) {
    const layerId = dependencyLayerId(id);
    resources[layerId] = {
      Type: 'AWS::Serverless::LayerVersion',
      Properties: {
        LayerName: dependencyLayerName(stackName, id),
        Description: `Auto created layer for dependencies of function ${id}`,
        ContentUri: layerId,
        RetentionPolicy: 'Delete',
        CompatibleRuntimes: runtime === undefined ? [] : [runtime],
      },
      Metadata: { ...CREATED_BY },
    };
    outputs[layerId] = { Value: { Ref: layerId } };
  }
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Transform: SERVERLESS_TRANSFORM,
    Description: 'Dependencies of functions, in layers of their own (sam sync)',
    Metadata: { ...CREATED_BY },
    Resources: resources,
    Outputs: outputs,
  };
}

/** Returns the resource that nests the stack of the dependency layers. */
export function dependencyStackResource(): TemplateMap {
  return {
    Type: STACK_TYPE,
    DeletionPolicy: 'Delete',
    Properties: { TemplateURL: DEPENDENCY_TEMPLATE },
    Metadata: { ...CREATED_BY },
  };
}

/** Returns the file that SAM CLI adds to the layer of each function; it counts in the layer's key. */
export function countedReadme(id: string): CountedFile {
  return {
    path: 'AWS_SAM_CLI_README',
    text: `This layer contains dependencies of function ${id} and automatically added by AWS SAM CLI command 'sam sync'`,
  };
}
