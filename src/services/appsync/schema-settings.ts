import { isAwsError } from '../../aws/service-errors.ts';
import { resolveWithFiles } from '../resolve-with-files.ts';
import type { ServiceContext } from '../service-context.ts';
import type { SettingsPlan, SettingsWork } from '../settings-plan.ts';
import type { SchemaRequest } from './schema-request.ts';

/** The physical ID of a schema is that of its API with this at its end. */
const SUFFIX = 'GraphQLSchema';

/** Compares the schema with the one that AppSync has. Where it writes it in another way, it is sent again, which is harmless. */
export async function planSchema(tools: ServiceContext, work: SettingsWork): Promise<SettingsPlan> {
  const { resource, stack, deployed, settings: names } = work;
  const { settings, waiting } = await resolveWithFiles(tools, { ...resource, stack, names });
  const apiId = deployed.physicalId.endsWith(SUFFIX) ? deployed.physicalId.slice(0, -SUFFIX.length) : undefined;
  const [[name, wanted] = []] = settings;
  if (name === undefined || typeof wanted?.value !== 'string')
    return { changes: [], requests: [], settings: [], waiting };
  if (apiId === undefined)
    return {
      changes: [],
      requests: [],
      settings: [],
      waiting: [...waiting, `${name}: the API of the schema is unknown`],
    };
  const { value: definition } = wanted;
  const isSame = plain((await readSchema(tools, apiId)) ?? '') === plain(definition);
  const request: SchemaRequest = { operation: 'StartSchemaCreation', input: { apiId, definition } };
  return { changes: isSame ? [] : [name], requests: isSame ? [] : [request], settings: [name], waiting };
}

/** The schema that AppSync has; undefined: none. */
async function readSchema({ aws }: ServiceContext, apiId: string): Promise<string | undefined> {
  const { send, GetIntrospectionSchemaCommand } = await aws.appSync();
  try {
    const answer = await send(new GetIntrospectionSchemaCommand({ apiId, format: 'SDL', includeDirectives: true }));
    return answer.schema && Buffer.from(answer.schema).toString('utf8');
  } catch (error) {
    if (isAwsError(error, 'GraphQLSchemaException', 'NotFoundException')) return undefined;
    throw error;
  }
}

/** A schema without comments, commas and white space, which mean nothing in it. */
function plain(schema: string): string {
  return schema
    .replaceAll(/#[^\n]*/g, '')
    .replaceAll(/[\s,]+/g, ' ')
    .trim();
}
