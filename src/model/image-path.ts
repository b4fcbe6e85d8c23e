import type { TemplatePath } from '../template/template-path.ts';
import type { FunctionResource } from './stack.ts';

/** Where a function's resource names its image. */
export function imagePath(type: FunctionResource['type']): TemplatePath {
  return type === 'AWS::Serverless::Function' ? ['Properties', 'ImageUri'] : ['Properties', 'Code', 'ImageUri'];
}

/** Whether the function's image comes from this machine: it is built, loaded, or already in the container engine. */
export function hasLocalImage({ code, skipBuild }: FunctionResource): boolean {
  if (code.kind === 'local-image') return true;
  return (code.kind === 'image' || code.kind === 'image-archive') && !skipBuild;
}
