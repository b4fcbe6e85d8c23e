import { ANY } from '../../../model/api-events.ts';
import type { ApiEvent } from '../../../model/api-events.ts';
import { isMap, mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { namesIn } from '../../../template/names-in.ts';
import { isCorsMethod } from './cors-method.ts';
import { eventOfMethod } from './generated-routes.ts';

/** A definition that SAM made of the deployed template. */
interface DeployedDefinition {
  /** With references and conditions. */
  written: TemplateMap;
  resolved: TemplateMap;
}

type Owned = Pick<ApiEvent, 'owner' | 'path' | 'method'>;

/**
 * Why `Auth` and events wait for the deployment: it removes a deployed method, or gives it another function. Until then, the method
 * needs its own authorizer: with that of the new template, callers could reach a function that is not open to them.
 * undefined: each method has the event that it was made of. Pure.
 */
export function whyOtherMethods(deployed: DeployedDefinition, events: readonly Owned[]): string | undefined {
  const paths = mapOf(deployed.written['paths']);
  for (const [path, item] of Object.entries(mapOf(deployed.resolved['paths'])))
    for (const [method, definition] of Object.entries(mapOf(item))) {
      if (!isMap(definition)) continue;
      const event = eventOfMethod({ events }, [path, method]);
      if (event === undefined && isCorsMethod(definition)) continue;
      if (event === undefined) return `only the deployment removes ${routeName(method, path)}`;
      const written = branches(paths[path]).flatMap((one) => branches(mapOf(one)[method]));
      if (!written.every((one) => isMadeFor(event, one)))
        return `only the deployment changes the function of ${routeName(method, path)}`;
    }
  return undefined;
}

function routeName(method: string, path: string): string {
  return path.endsWith('$default') ? '$default' : `${method === ANY ? 'ANY' : method.toUpperCase()} ${path}`;
}

function isMadeFor({ owner }: Owned, method: TemplateValue): boolean {
  return namesIn(method).some((name) => name === owner || name.startsWith(`${owner}Alias`));
}

/** SAM puts methods of functions with a condition into `Fn::If`. */
function branches(value: TemplateValue | undefined): TemplateValue[] {
  const { 'Fn::If': choice, Ref: name } = mapOf(value);
  if (Array.isArray(choice)) return choice.slice(1).flatMap(branches);
  return value === undefined || value === null || name === 'AWS::NoValue' ? [] : [value];
}
