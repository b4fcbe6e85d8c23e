import * as path from 'node:path';
import { readSettable } from '../../model/settable-resources.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { definitionHash } from '../../services/definition-text.ts';
import { readTextFile } from '../../support/regular-file.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { isLocalPath, resolveLocalPath } from '../../template/local-paths.ts';

/** The content of files that are the values of settings, as hashes: by resource, then by property. */
export type SettingFiles = ReadonlyMap<ResourceIdentifier, ReadonlyMap<string, string>>;

/** Reads these files, such as the code of AppSync resolvers. A file that cannot be read is left out. */
export function readSettingFiles(root: Stack): SettingFiles {
  const found = new Map<ResourceIdentifier, Map<string, string>>();
  for (const stack of flattenStacks(root)) {
    for (const { id, type, properties } of readSettable(stack)) {
      const files = Object.entries(kindOf(type)?.direct ?? {}).flatMap(([name, { isFile }]) => {
        const location = isFile ? properties[name] : undefined;
        const content = isLocalPath(location) ? contentOf(location, stack) : undefined;
        return content === undefined ? [] : [[name, definitionHash(content)] as const];
      });
      if (files.length > 0) found.set(id, new Map(files));
    }
  }
  return found;
}

/** Lists the settings whose file has another content than before. Pure. */
export function changedFiles(before: SettingFiles, after: SettingFiles): Map<ResourceIdentifier, string[]> {
  const changed = [...after].map(([id, files]) => {
    const earlier = before.get(id);
    const names = [...files].flatMap(([name, hash]) =>
      earlier?.has(name) === true && earlier.get(name) !== hash ? [name] : [],
    );
    return [id, names] as const;
  });
  return new Map(changed.filter(([, names]) => names.length > 0));
}

function contentOf(location: string, stack: Stack): string | undefined {
  try {
    return readTextFile(resolveLocalPath(location, path.dirname(stack.templateFile)));
  } catch {
    // the deployment reports it
    return undefined;
  }
}
