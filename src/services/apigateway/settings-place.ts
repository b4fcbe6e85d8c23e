import { HTTP_API, REST_API } from '../../template/kinds/apigateway-settings.ts';
import { isServerless, kindOf } from '../../template/kinds/kinds.ts';
import { scalarText } from '../../template/template.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsWork } from '../settings-plan.ts';

/** Where the settings are. */
export interface SettingsPlace {
  kind: 'http' | 'rest';
  apiId: string;
  /** undefined: the API has no stage of its own. */
  stage: string | undefined;
  /** Properties of the API itself. */
  ofApi: ReadonlySet<string>;
}

/** Finds the API and the stage that has settings of a resource; undefined: only CloudFormation knows them. */
export async function findPlace(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlace | undefined> {
  const { resource, stack, deployed } = work;
  const { stageOf, sync } = kindOf(resource.type) ?? {};
  if (stageOf !== undefined) {
    const { value } = await tools.values.resolve(resource.properties[stageOf] ?? null, stack);
    const apiId = scalarText(value);
    const kind = stageOf === 'RestApiId' ? 'rest' : 'http';
    return apiId === undefined ? undefined : { kind, apiId, stage: deployed.physicalId, ofApi: new Set() };
  }
  const apiId = deployed.physicalId;
  const stage = isServerless(resource.type) ? await stageOfApi(tools, work) : undefined;
  const kind = sync === 'http-api' ? 'http' : 'rest';
  return { kind, apiId, stage, ofApi: new Set(Object.keys(kind === 'http' ? HTTP_API : REST_API)) };
}

/** The stage that SAM generates for the API. */
async function stageOfApi({ stacks, values }: ServiceContext, work: SettingsWork): Promise<string | undefined> {
  const { resource, stack } = work;
  const { type, properties, logicalId } = resource;
  const byDefault = kindOf(type)?.stages?.byDefault;
  const written = (await values.resolve(properties['StageName'] ?? byDefault ?? null, stack)).value;
  const listing = (await stacks.listing(stack.path)) ?? {};
  return findCompanion(listing, { stack, logicalId, stageName: scalarText(written) }, 'Stage')?.physicalId;
}
