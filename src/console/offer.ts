import { formatTable } from './format.ts';
import type { Endpoint, StackOutput, SyncEvent } from './reporter.ts';
import type { Style } from './style.ts';
import { textWidth } from './text-width.ts';

/** Outputs and endpoints of a stack. */
type Offer = Pick<Extract<SyncEvent, { type: 'outputs' }>, 'outputs' | 'endpoints'>;

/** How to show them. */
export interface OfferLook {
  style: Style;
  /** Makes a text a link on terminals that can. */
  link(text: string, url: string): string;
  /** Columns of the terminal, if it is one. */
  columns: number | undefined;
}

/** Endpoints to list; the others are counted. */
const LISTED = 20;

/**
 * The fields of a JSON document. `outputs` has CloudFormation's own values, as scripts that read a stack expect;
 * `localOutputs` those that differ on the local cloud.
 */
export function offerDocument({ outputs, endpoints }: Offer): object {
  const local = outputs.flatMap(({ key, local: value }) => (value === undefined ? [] : [[key, value]]));
  return {
    outputs: Object.fromEntries(outputs.map(({ key, value }) => [key, value])),
    ...(local.length === 0 ? {} : { localOutputs: Object.fromEntries(local) as Record<string, string> }),
    ...(endpoints.length === 0
      ? {}
      : { endpoints: endpoints.map(({ resource, method, url }) => ({ resource, method, url })) }),
  };
}

/** The tables of outputs and endpoints, and a command to try one; '' if there are none. */
export function offerText(stackName: string, { outputs, endpoints }: Offer, look: OfferLook): string {
  const parts = [
    outputs.length === 0 ? '' : outputsTable(stackName, outputs, look),
    endpoints.length === 0 ? '' : endpointsTable(stackName, endpoints, look),
  ];
  const text = parts.filter((part) => part !== '').join('\n\n');
  const command = curlCommand(endpoints);
  return command === undefined ? text : `${text}\n\n${look.style('dim', 'Try it:')} ${command}`;
}

function outputsTable(stackName: string, outputs: readonly StackOutput[], look: OfferLook): string {
  const rows = outputs.map(({ key, value, local = value, description = '' }) => [key, local, description]);
  const isDescribed = outputs.some(({ description }) => description);
  const table = fittingTable(isDescribed ? ['Output', 'Value', 'Description'] : ['Output', 'Value'], rows, look);
  return `${look.style('bold', `Outputs of ${stackName}`)}\n${table}`;
}

function endpointsTable(stackName: string, endpoints: readonly Endpoint[], look: OfferLook): string {
  const rows = endpoints
    .slice(0, LISTED)
    .map(({ resource, method, url, signed }) => [method, url, signed ? `${resource} (IAM)` : resource]);
  const table = fittingTable(['Method', 'URL', 'Resource'], rows, look);
  const more = endpoints.length - rows.length;
  const rest = more > 0 ? `\n${look.style('dim', `and ${more} more: --output json lists all`)}` : '';
  return `${look.style('bold', `Endpoints of ${stackName}`)}\n${table}${rest}`;
}

/** A table of two or three columns, without the third where it would break every row of a narrow terminal. */
function fittingTable(headings: readonly string[], rows: readonly (readonly string[])[], look: OfferLook): string {
  const { columns, link } = look;
  const table = (count: number): string =>
    formatTable(
      headings.slice(0, count),
      rows.map((cells) => cells.slice(0, count)),
    );
  const full = table(headings.length);
  const fits = columns === undefined || full.split('\n').every((line) => textWidth(line) <= columns);
  const text = fits ? full : table(2);
  return text.replaceAll(/(?<=\s)https?:\/\/[^\s]+/g, (url) => link(url, url));
}

/** A command that calls an endpoint: the simplest one. */
function curlCommand(endpoints: readonly Endpoint[]): string | undefined {
  const open = endpoints.filter(({ signed, method }) => !signed && method !== 'OPTIONS');
  const chosen =
    open.find((endpoint) => isRead(endpoint) && !endpoint.url.includes('{')) ?? open.find(isRead) ?? open[0];
  if (chosen === undefined) return undefined;
  const { method, url } = chosen;
  // double quotes, which cmd.exe understands too
  const word = /^[\w:/.%~@=,+-]+$/.test(url) ? url : `"${url}"`;
  if (isRead(chosen)) return `curl ${word}`;
  return method === 'HEAD'
    ? `curl -I ${word}`
    : `curl -X ${method} -H "Content-Type: application/json" -d "{}" ${word}`;
}

function isRead({ method }: Endpoint): boolean {
  return method === 'GET' || method === 'ANY';
}
