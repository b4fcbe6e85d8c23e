import { isAwsError } from '../aws/service-errors.ts';
import { createCloudValues } from '../cloud/cloud-values.ts';
import type { CloudValues } from '../cloud/cloud-values.ts';
import type { CloudStacks } from '../cloud/cloud-stacks.ts';
import { localAddresses } from '../cloud/local-addresses.ts';
import { placeOf } from '../cloud/resource-attributes.ts';
import { note } from '../console/reporter.ts';
import type { Endpoint, StackOutput } from '../console/reporter.ts';
import { readDefinitions } from '../model/definitions.ts';
import type { DefinedResource } from '../model/definitions.ts';
import { definedRoutes, implicitStage, listFunctionUrls, listRoutes } from '../model/routes.ts';
import type { FunctionUrl, Route } from '../model/routes.ts';
import { flattenStacks, splitIdentifier } from '../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import { readDefinitionFile } from '../services/definition-text.ts';
import type { LambdaAccess } from '../services/lambda/lambda-client.ts';
import { ownValue } from '../support/own-value.ts';
import { asUserError } from '../system-errors.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import { pseudoParameters } from '../template/pseudo-parameters.ts';
import { mapOf, resourceOf, resourcesOf, scalarText } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import { parseYaml } from '../template/yaml/yaml.ts';
import type { SyncRun } from './sync-run.ts';

/** What the endpoints of an application follow from. */
export interface EndpointSources {
  run: SyncRun;
  stacks: CloudStacks;
  lambda: LambdaAccess;
}

interface Sources extends EndpointSources {
  root: Stack;
  values: CloudValues;
}

/** What a stack offers to its users. */
export interface StackOffer {
  outputs: readonly StackOutput[];
  endpoints: readonly Endpoint[];
}

/**
 * Returns the outputs of the stack and the addresses of its APIs and functions, as they work from this machine. Addresses that
 * cannot be found out are left out: a sync does not fail for them.
 */
export async function readOffer(
  sources: EndpointSources,
  root: Stack,
  outputs: readonly StackOutput[],
): Promise<StackOffer> {
  const { aws, options, environment } = sources.run;
  const endpoint = options.local ? await aws.endpoint('apiGateway') : undefined;
  const toLocal = (text: string): string => (endpoint === undefined ? text : localAddresses(text, endpoint));
  const found = await listEndpoints(sources, root).catch((error: unknown) => {
    environment.signal.throwIfAborted();
    if (asUserError(error) === undefined) throw error;
    note(environment.reporter, 'debug', `The addresses of the application are not known: ${String(error)}`);
    return [];
  });
  return {
    outputs: outputs.map((output) => {
      const local = toLocal(output.value);
      return local === output.value ? output : { ...output, local };
    }),
    endpoints: found.map((item) => ({ ...item, url: toLocal(item.url) })),
  };
}

/** Lists AWS's addresses of everything in the deployed templates that accepts requests. */
async function listEndpoints(given: EndpointSources, root: Stack): Promise<Endpoint[]> {
  const { stacks, run } = given;
  const values = createCloudValues(root, stacks, run.options.parameterOverrides);
  const sources: Sources = { ...given, root, values };
  const all = flattenStacks(root);
  const urls = all.flatMap((stack) => listFunctionUrls(stack).map((url) => ({ stack, url })));
  const routes: { stack: Stack; route: Route }[] = [];
  for (const stack of all) {
    const defined = await Promise.all(readDefinitions(stack).map(readDefinedRoutes));
    for (const route of [...listRoutes(stack), ...defined.flat()]) routes.push({ stack, route });
  }
  if (urls.length === 0 && routes.length === 0) return [];
  const place = placeOf(await stacks.stackId());
  const suffix = pseudoParameters({ region: place.region, partition: place.partition })['AWS::URLSuffix'] ?? '';
  const apis = await findApis(sources);
  const endpoints = new Map<string, Endpoint>();
  for (const { stack, route } of routes) {
    const id = await textOf(sources, route.api, stack);
    const stage = id === undefined ? undefined : apis.get(id);
    if (id === undefined || stage === undefined || !(await isDeployed(sources, route.id))) continue;
    const prefix = stage === '$default' ? '' : `/${stage}`;
    const url = `https://${id}.execute-api.${place.region}.${suffix}${prefix}${route.path}`;
    const key = `${route.method} ${url}`;
    // a function says more than the definition of its API
    if (!endpoints.has(key)) endpoints.set(key, { resource: route.id, method: route.method, url });
  }
  for (const { stack, url } of urls) {
    const address = await functionUrl(sources, url, stack);
    if (address !== undefined)
      endpoints.set(address, { resource: url.id, method: 'ANY', url: address, signed: url.signed });
  }
  await stacks.save();
  return [...endpoints.values()];
}

async function readDefinedRoutes({ id, logicalId, flow, definition }: DefinedResource): Promise<Route[]> {
  if (flow !== 'rest-api' && flow !== 'http-api') return [];
  if (definition.kind === 'inline') return definedRoutes(id, logicalId, definition.value);
  if (definition.kind !== 'file') return [];
  return definedRoutes(id, logicalId, parseYaml(await readDefinitionFile(id, definition.path), definition.path));
}

/** The stage to call of each API with an address of its own: physical ID → name. */
async function findApis(sources: Sources): Promise<Map<string, string>> {
  const apis = new Map<string, string>();
  for (const stack of flattenStacks(sources.root)) {
    const implicit = Object.keys((await sources.stacks.listing(stack.path)) ?? {}).flatMap((logicalId) => {
      const name = implicitStage(logicalId);
      return name === undefined ? [] : [{ api: { Ref: logicalId }, name }];
    });
    const written = resourcesOf(stack.resolved).flatMap(([logicalId, resource]) => {
      const { stages, stageOf } = kindOf(resource.Type) ?? {};
      const properties = mapOf(resource['Properties']);
      const name = properties['StageName'] ?? stages?.byDefault ?? null;
      if (stages !== undefined) return [{ api: { Ref: logicalId }, name }];
      return stageOf === undefined ? [] : [{ api: properties[stageOf] ?? null, name }];
    });
    for (const { api, name } of [...written, ...implicit]) {
      if (isDisabled(stack, api)) continue;
      const id = await textOf(sources, api, stack);
      const stage = await textOf(sources, name, stack);
      if (id !== undefined && stage !== undefined && !apis.has(id)) apis.set(id, stage);
    }
  }
  return apis;
}

/** The API answers only under a domain of its own. */
function isDisabled(stack: Stack, api: TemplateValue): boolean {
  const logicalId = scalarText(mapOf(api)['Ref']) ?? '';
  const properties = mapOf(resourceOf(stack.resolved, logicalId)['Properties']);
  return scalarText(properties['DisableExecuteApiEndpoint']) === 'true';
}

async function isDeployed({ stacks }: Sources, id: ResourceIdentifier): Promise<boolean> {
  const { stackPath, logicalId } = splitIdentifier(id);
  return ownValue((await stacks.listing(stackPath)) ?? {}, logicalId) !== undefined;
}

async function functionUrl(sources: Sources, url: FunctionUrl, stack: Stack): Promise<string | undefined> {
  const { stacks, lambda } = sources;
  const target = await textOf(sources, url.target, stack);
  const qualifier = await textOf(sources, url.qualifier, stack);
  if (target === undefined) return undefined;
  const key = qualifier === undefined ? target : `${target}:${qualifier}`;
  const known = ownValue(stacks.facts.functionUrls, key);
  if (known !== undefined) return known;
  try {
    const { send, GetFunctionUrlConfigCommand } = await lambda.service();
    const answer = await send(new GetFunctionUrlConfigCommand({ FunctionName: target, Qualifier: qualifier }));
    if (answer.FunctionUrl) stacks.facts.functionUrls[key] = answer.FunctionUrl;
    return answer.FunctionUrl;
  } catch (error) {
    // the URL or the permission to read it may be missing
    if (isAwsError(error)) return undefined;
    throw error;
  }
}

async function textOf({ values }: Sources, value: TemplateValue, stack: Stack): Promise<string | undefined> {
  if (value === null) return undefined;
  return scalarText((await values.resolve(value, stack)).value);
}
