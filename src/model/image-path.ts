import { kindOf } from '../template/kinds/kinds.ts';
import type { TemplatePath } from '../template/template-path.ts';
import type { TemplateValue } from '../template/template.ts';
import type { FunctionResource } from './stack.ts';

/** Where a function's resource names its image. Throws if resources of the type have none. */
export function imagePath(type: TemplateValue | undefined): TemplatePath {
  const image = kindOf(type)?.image;
  if (image === undefined) throw new Error(`${String(type)} has no image`);
  return ['Properties', ...image];
}

/** Whether the function's image comes from this machine: it is built, loaded, or already in the container engine. */
export function hasLocalImage({ code, skipBuild }: FunctionResource): boolean {
  if (code.kind === 'local-image') return true;
  return (code.kind === 'image' || code.kind === 'image-archive') && !skipBuild;
}
