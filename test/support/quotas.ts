/** A call, as far as quotas count it. */
interface Call {
  service: string;
  operation: string;
}

/** A quota of an AWS account in a Region. */
interface AccountQuota {
  name: string;
  covers(call: Call): boolean;
  perSecond: number;
  burst: number;
}

const one = (service: string, operation: string, perSecond: number, burst: number): AccountQuota => ({
  name: operation,
  covers: (call) => call.service === service && call.operation === operation,
  perSecond,
  burst,
});

/** As AWS documents them; written again from its pages, not taken from `src/aws/quotas.ts`, which they check. */
const ACCOUNT_QUOTAS: readonly AccountQuota[] = [
  // Lambda quotas, API requests
  one('lambda', 'GetFunction', 100, 100),
  {
    name: 'other operations of Lambda',
    covers: ({ service, operation }) => service === 'lambda' && !['GetFunction', 'Invoke'].includes(operation),
    perSecond: 15,
    burst: 15,
  },
  // API Gateway quotas, creating, deploying and managing an API
  { name: 'API Gateway', covers: ({ service }) => service === 'apigateway', perSecond: 10, burst: 40 },
  one('apigateway', 'PutRestApi', 1, 1),
  one('apigateway', 'CreateDeployment', 1 / 5, 1),
  // Step Functions service quotas, API action throttling
  one('states', 'UpdateStateMachine', 1, 100),
  one('states', 'DescribeStateMachine', 20, 200),
  one('logs', 'FilterLogEvents', 5, 5),
  // not documented; as observed
  ...[
    'DescribeEvents',
    'DescribeStacks',
    'DescribeStackEvents',
    'GetTemplate',
    'ListStackResources',
    'DescribeStackResource',
  ].map((operation) => one('cloudformation', operation, 5, 10)),
];

/** Token buckets of an account. */
export function createQuotas(): { refuses(call: Call, now: number): boolean } {
  const buckets = new Map(ACCOUNT_QUOTAS.map((quota) => [quota, { level: quota.burst, at: performance.now() }]));
  return {
    refuses: (call, now) => {
      const covering = [...buckets].filter(([quota]) => quota.covers(call));
      for (const [{ perSecond, burst }, bucket] of covering) {
        bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) / 1_000) * perSecond);
        bucket.at = now;
      }
      if (covering.some(([, { level }]) => level < 1)) return true;
      for (const [, bucket] of covering) bucket.level -= 1;
      return false;
    },
  };
}

/** Seconds that an account needs at least for these calls. */
export function leastSeconds(calls: readonly Call[]): number {
  const needed = ACCOUNT_QUOTAS.map((quota) => {
    const count = calls.filter((call) => quota.covers(call)).length;
    return (count - quota.burst) / quota.perSecond;
  });
  return Math.max(0, ...needed);
}
