/** A call, as far as its list is concerned. */
interface ListCall {
  service: string;
  operation: string;
  path: string;
  body: Buffer;
}

/** Where a list is in an answer, and the names of the token of its next page. */
interface PagedList {
  items: string;
  /** In the request. */
  token: string;
  /** In the answer. */
  next: string;
}

const LISTS: Readonly<Record<string, PagedList>> = {
  'cloudformation ListStackResources': { items: 'StackResourceSummaries', token: 'NextToken', next: 'NextToken' },
  'cloudformation DescribeStackEvents': { items: 'StackEvents', token: 'NextToken', next: 'NextToken' },
  'lambda ListFunctions': { items: 'Functions', token: 'Marker', next: 'NextMarker' },
  'lambda ListLayerVersions': { items: 'LayerVersions', token: 'Marker', next: 'NextMarker' },
  'lambda ListVersionsByFunction': { items: 'Versions', token: 'Marker', next: 'NextMarker' },
  'apigateway GetDeployments': { items: 'item', token: 'position', next: 'position' },
  'apigateway v2 GetDeployments': { items: 'items', token: 'nextToken', next: 'nextToken' },
  'apigateway v2 GetStages': { items: 'items', token: 'nextToken', next: 'nextToken' },
};

/** A page of a list: how the whole list is requested, and how the page is cut out of it. */
export interface ListPage {
  request: Pick<ListCall, 'path' | 'body'>;
  cut(answer: string): string;
}

/** What cuts the answer to a call into pages of `size`; undefined: it is no list. */
export function listPage(call: ListCall, size: number): ListPage | undefined {
  const service = call.path.startsWith('/v2/apis/') ? 'apigateway v2' : call.service;
  const list = LISTS[`${service} ${call.operation}`];
  if (list === undefined) return undefined;
  const isXml = service === 'cloudformation';
  const url = new URL(call.path, 'http://localhost');
  const parameters = isXml ? new URLSearchParams(call.body.toString()) : url.searchParams;
  const start = Number(parameters.get(list.token)?.replace(/^page-/, '') ?? 0);
  parameters.delete(list.token);
  const request = isXml
    ? { path: call.path, body: Buffer.from(parameters.toString()) }
    : { path: url.pathname + url.search, body: call.body };
  const cut = isXml ? cutXml : cutJson;
  return { request, cut: (answer) => cut(answer, { list, start, end: start + size }) };
}

interface Cut {
  list: PagedList;
  start: number;
  end: number;
}

function cutJson(answer: string, { list, start, end }: Cut): string {
  const document = JSON.parse(answer) as Record<string, unknown>;
  const items = document[list.items];
  if (!Array.isArray(items)) return answer;
  const next = end < items.length ? { [list.next]: `page-${end}` } : {};
  return JSON.stringify({ ...document, [list.items]: items.slice(start, end), ...next });
}

function cutXml(answer: string, { list, start, end }: Cut): string {
  const [, before, inner, after] = new RegExp(`^(.*<${list.items}>)(.*)(</${list.items}>.*)$`, 's').exec(answer) ?? [];
  if (before === undefined || inner === undefined || after === undefined) return answer;
  const items = inner.match(/<member>.*?<\/member>/gs) ?? [];
  const close = `</${list.items}>`;
  const next = end < items.length ? `${close}<${list.next}>page-${end}</${list.next}>` : close;
  return before + items.slice(start, end).join('') + after.replace(close, next);
}
