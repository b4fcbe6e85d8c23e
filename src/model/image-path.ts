import type { TemplatePath } from '../template/template-path.ts';
import type { FunctionResource } from './stack.ts';

/** Where a function's resource names its image. */
export function imagePath(type: FunctionResource['type']): TemplatePath {
  return type === 'AWS::Serverless::Function' ? ['Properties', 'ImageUri'] : ['Properties', 'Code', 'ImageUri'];
}
