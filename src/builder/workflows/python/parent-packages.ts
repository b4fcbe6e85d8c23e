import * as path from 'node:path';
import { asSegment } from '../../../support/places.ts';
import { scalarText } from '../../../template/template.ts';
import type { BuildDefinition } from '../../plan-build.ts';

/**
 * Returns the packages to put the source into (`ParentPackageMode`), outermost first: `explicit` takes `ParentPackages`, `auto`
 * the parts of the handler that are folders above the code: `app.api.main.handler` in `…/app/api`.
 */
export function parentPackages(definition: Pick<BuildDefinition, 'buildProperties' | 'handler' | 'codeDir'>): string[] {
  const mode = scalarText(definition.buildProperties['ParentPackageMode']);
  if (mode === 'explicit') {
    const text = scalarText(definition.buildProperties['ParentPackages']) ?? '';
    const parts = text.split('.').filter((part) => part !== '');
    return parts.map((part) => asSegment(part, 'BuildProperties ParentPackages: a part'));
  }
  if (mode !== 'auto' || definition.handler === undefined) return [];
  // the last two parts are the module and the function
  const packages = definition.handler.split('.').slice(0, -2);
  const folders = definition.codeDir.split(path.sep);
  const start = packages[0] === undefined ? -1 : folders.indexOf(packages[0]);
  return start < 0 ? [] : folders.slice(start, start + packages.length);
}
