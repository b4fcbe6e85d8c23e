/** Reads resources by the APIs of their services, which have no client here. */
export interface ServiceReader {
  rule(name: string): Promise<{ rule: unknown; targets: unknown }>;
  schedule(name: string): Promise<unknown>;
  queue(url: string): Promise<unknown>;
  topic(arn: string): Promise<Record<string, string>>;
  parameter(name: string): Promise<unknown>;
  alarm(name: string): Promise<unknown>;
  dashboard(name: string): Promise<unknown>;
  /** `path` below `/v1/apis/`. */
  appSync(path: string): Promise<unknown>;
  table(name: string): Promise<{ table: unknown; backups: unknown }>;
}

interface Ask {
  method?: 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: string | URLSearchParams;
}

/** Creates a reader of the cloud. */
export function serviceReader(endpoint: string): ServiceReader {
  const ask = async (service: string, path: string, init: Ask): Promise<string> => {
    const credential = `Credential=reader/20260101/us-east-1/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`;
    const answer = await fetch(new URL(path, endpoint), { ...init, headers: { ...init.headers, authorization } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${service} answers ${answer.status}: ${text}`);
    return text;
  };
  const json = async (service: string, target: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
    return JSON.parse(await ask(service, '/', { method: 'POST', headers, body: JSON.stringify(body) })) as Record<
      string,
      unknown
    >;
  };
  const query = async (service: string, body: Record<string, string>): Promise<string> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return ask(service, '/', { method: 'POST', headers, body: new URLSearchParams(body) });
  };
  const metrics = 'GraniteServiceVersion20100801';
  return {
    rule: async (Name) => ({
      rule: await json('events', 'AWSEvents.DescribeRule', { Name }),
      targets: (await json('events', 'AWSEvents.ListTargetsByRule', { Rule: Name }))['Targets'],
    }),
    schedule: async (name) => JSON.parse(await ask('scheduler', `/schedules/${name}`, {})) as unknown,
    queue: async (QueueUrl) =>
      (await json('sqs', 'AmazonSQS.GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] }))['Attributes'],
    topic: async (TopicArn) => {
      const text = await query('sns', { Action: 'GetTopicAttributes', TopicArn, Version: '2010-03-31' });
      const entries = text.matchAll(/<key>(\w+)<\/key>\s*<value>(.*?)<\/value>/gs);
      return Object.fromEntries([...entries].map(([, key = '', value = '']) => [key, value]));
    },
    parameter: async (Name) => (await json('ssm', 'AmazonSSM.GetParameter', { Name }))['Parameter'],
    alarm: async (name) => {
      const found = await json('monitoring', `${metrics}.DescribeAlarms`, { AlarmNames: [name] });
      return (found['MetricAlarms'] as unknown[])[0];
    },
    dashboard: async (DashboardName) => {
      const { DashboardBody } = await json('monitoring', `${metrics}.GetDashboard`, { DashboardName });
      return JSON.parse(String(DashboardBody)) as unknown;
    },
    appSync: async (path) => {
      const text = await ask('appsync', `/v1/apis/${path}`, {});
      return path.includes('/schema?') ? text : (JSON.parse(text) as unknown);
    },
    table: async (TableName) => ({
      table: (await json('dynamodb', 'DynamoDB_20120810.DescribeTable', { TableName }))['Table'],
      backups: (await json('dynamodb', 'DynamoDB_20120810.DescribeContinuousBackups', { TableName }))[
        'ContinuousBackupsDescription'
      ],
    }),
  };
}
