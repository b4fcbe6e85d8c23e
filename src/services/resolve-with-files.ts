import * as path from 'node:path';
import type { ResourceIdentifier } from '../model/stack.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import { isLocalPath, resolveLocalPath } from '../template/local-paths.ts';
import { readDefinitionFile } from './definition-text.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { ResolvedSettings, SettableResource, WantedSetting } from './resolve-settings.ts';
import type { ServiceContext } from './service-context.ts';

/** Resolves settings as a deployment would; the value of one that names a local file is the file's content. */
export async function resolveWithFiles(
  tools: Pick<ServiceContext, 'values'>,
  work: SettableResource & { id: ResourceIdentifier },
): Promise<ResolvedSettings> {
  const { id, type, stack, properties, names } = work;
  const { direct = {} } = kindOf(type) ?? {};
  const isFile = (name: string): boolean => Object.hasOwn(direct, name) && direct[name]?.isFile === true;
  const others = await resolveSettings(tools, { ...work, names: names.filter((name) => !isFile(name)) });
  const settings = new Map<string, WantedSetting>(others.settings);
  const waiting = [...others.waiting];
  for (const name of names.filter(isFile)) {
    const property = direct[name];
    const location = properties[name];
    if (property === undefined || !isLocalPath(location)) waiting.push(`${name} is not a local file`);
    else {
      const file = resolveLocalPath(location, path.dirname(stack.templateFile));
      settings.set(name, { property, value: await readDefinitionFile(id, file), secrets: [] });
    }
  }
  return { settings, waiting };
}
