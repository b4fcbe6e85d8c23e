import { kindOf } from '../template/kinds/kinds.ts';
import type { TemplatePath } from '../template/template-path.ts';
import type { TemplateValue } from '../template/template.ts';
import type { FunctionResource } from './stack.ts';

/** Returns the path of the image property in a function's resource. Throws for types without images. */
export function imagePath(type: TemplateValue | undefined): TemplatePath {
  const image = kindOf(type)?.image;
  if (image === undefined) throw new Error(`${String(type)} has no image`);
  return ['Properties', ...image];
}

/** Returns whether the function's image comes from this machine: built, loaded, or in the container engine. */
export function hasLocalImage({ code, skipBuild }: FunctionResource): boolean {
  if (code.kind === 'local-image') return true;
  return (code.kind === 'image' || code.kind === 'image-archive') && !skipBuild;
}
