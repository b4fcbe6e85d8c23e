import { createHash } from 'node:crypto';
import type { ProxiedCall } from './proxied-call.ts';

/** A request as `--dry-run --output json` writes it, read back from what a proxy recorded. */
export interface SentRequest {
  operation: string;
  parameters: Record<string, unknown>;
}

/** Where the path of a REST call holds parameters. JSON calls have all of them in their body. */
const PATHS: Readonly<Record<string, RegExp>> = {
  UpdateFunctionCode: /functions\/(?<FunctionName>[^/]+)\/code/,
  UpdateFunctionConfiguration: /functions\/(?<FunctionName>[^/]+)\/configuration/,
  PublishVersion: /functions\/(?<FunctionName>[^/]+)\/versions/,
  UpdateAlias: /functions\/(?<FunctionName>[^/]+)\/aliases\/(?<Name>[^/]+)/,
  PublishLayerVersion: /layers\/(?<LayerName>[^/]+)\/versions/,
  DeleteLayerVersion: /layers\/(?<LayerName>[^/]+)\/versions\/(?<VersionNumber>\d+)/,
  PutRestApi: /restapis\/(?<restApiId>[^/]+)/,
  UpdateRestApi: /restapis\/(?<restApiId>[^/]+)/,
  UpdateStage: /restapis\/(?<restApiId>[^/]+)\/stages\/(?<stageName>[^/]+)/,
  ReimportApi: /apis\/(?<ApiId>[^/]+)/,
  UpdateDeployment: /apis\/(?<ApiId>[^/]+)\/deployments\/(?<DeploymentId>[^/]+)/,
};
const DEPLOYMENTS = {
  rest: /restapis\/(?<restApiId>[^/]+)\/deployments(?:\/(?<deploymentId>[^/]+))?/,
  http: /apis\/(?<ApiId>[^/]+)\/deployments(?:\/(?<DeploymentId>[^/]+))?/,
};

/** Keys of the objects that were uploaded. */
export function uploadedKeys(calls: readonly ProxiedCall[]): string[] {
  const uploads = calls.filter(({ operation }) => operation === 'PutObject' || operation === 'CreateMultipartUpload');
  return uploads.map(({ path }) =>
    decodeURIComponent(new URL(path, 'http://localhost').pathname.split('/').slice(2).join('/')),
  );
}

/** The requests among the calls that change something, with bytes and documents by size and hash. */
export function changingRequests(calls: readonly ProxiedCall[]): SentRequest[] {
  return calls
    .filter(({ service }) => service !== 's3')
    .filter(({ operation }) => /^(?:Put|Update|Publish|Create|Delete|Reimport|Flush)/.test(operation))
    .map(toRequest);
}

function toRequest({ service, operation, path, body }: ProxiedCall): SentRequest {
  if (service === 'cloudformation') return { operation, parameters: fromForm(body.toString()) };
  const url = new URL(path, 'http://localhost');
  const isHttpApi = url.pathname.startsWith('/v2/apis/');
  const pattern = /^(?:Create|Delete)Deployment$/.test(operation)
    ? DEPLOYMENTS[isHttpApi ? 'http' : 'rest']
    : PATHS[operation];
  const inPath = Object.entries(pattern?.exec(decodeURIComponent(url.pathname))?.groups ?? {});
  const parameters = Object.fromEntries(inPath.filter(([, value]) => value !== undefined)) as Record<string, unknown>;
  if (operation === 'DeleteLayerVersion') parameters['VersionNumber'] = Number(parameters['VersionNumber']);
  if (operation === 'PutRestApi') {
    const query = {
      mode: url.searchParams.get('mode'),
      failOnWarnings: url.searchParams.get('failonwarnings') === 'true',
    };
    return { operation, parameters: { ...parameters, ...query, body: summary(body) } };
  }
  if (operation === 'ReimportApi') parameters['FailOnWarnings'] = url.searchParams.get('failOnWarnings') === 'true';
  const sent = body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
  for (const [name, value] of Object.entries(sent)) {
    parameters[isHttpApi ? `${name[0]?.toUpperCase()}${name.slice(1)}` : name] = summarized(name, value);
  }
  return { operation, parameters };
}

/** `Parameters.member.1.ParameterKey=Name`, `DeploymentConfig.Mode=EXPRESS` and the like. */
function fromForm(text: string): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    // random, or of the protocol
    if (['Action', 'Version', 'ClientRequestToken'].includes(name)) continue;
    const names = name.split('.').filter((part) => part !== 'member');
    const last = names.pop() ?? '';
    let place = parameters;
    for (const [index, part] of names.entries()) {
      place = (place[part] ??= /^\d+$/.test(names[index + 1] ?? last) ? [] : {}) as Record<string, unknown>;
    }
    place[last] =
      name === 'TemplateBody' ? summary(Buffer.from(value)) : /^(?:true|false)$/.test(value) ? value === 'true' : value;
  }
  return withoutFirst(parameters) as Record<string, unknown>;
}

/** Members are counted from 1. */
function withoutFirst(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(1).map(withoutFirst);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutFirst(item)]));
}

function summarized(name: string, value: unknown): unknown {
  if (name === 'ZipFile') return summary(Buffer.from(value as string, 'base64'));
  if (name === 'Content') return { ZipFile: summary(Buffer.from((value as { ZipFile: string }).ZipFile, 'base64')) };
  return name === 'body' || name === 'definition' ? summary(Buffer.from(value as string)) : value;
}

function summary(bytes: Buffer): { size: number; sha256: string } {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('base64') };
}
