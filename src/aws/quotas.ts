/** How often an account may call a service in a Region: a token bucket that all its users share. */
export interface Quota {
  /** As users know it: `Lambda`, `API Gateway`. */
  service: string;
  /** Operations that share the quota; without them: all operations of the service. */
  operations?: readonly string[];
  /** Operations that do not count. */
  except?: readonly string[];
  /** Requests a second in the long run. */
  perSecond: number;
  /** Requests at once after a pause. */
  burst: number;
}

/** Operations of CloudFormation that a run calls. */
const CLOUDFORMATION_OPERATIONS = [
  'DescribeEvents',
  'CreateStack',
  'DeleteStack',
  'DescribeStackEvents',
  'DescribeStackResource',
  'DescribeStacks',
  'GetTemplate',
  'ListStackResources',
  'UpdateStack',
];

/**
 * The quotas that pace a run's calls. S3 (3,500 changes a second for each prefix) and ECR are too fast to be reached.
 * A call counts against every quota that covers it.
 */
const QUOTAS: readonly Quota[] = [
  // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
  { service: 'Lambda', operations: ['GetFunction'], perSecond: 100, burst: 100 },
  { service: 'Lambda', except: ['GetFunction', 'GetPolicy', 'Invoke'], perSecond: 15, burst: 15 },
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html#api-gateway-control-service-limits-table
  { service: 'API Gateway', perSecond: 10, burst: 40 },
  { service: 'API Gateway', operations: ['CreateDeployment'], perSecond: 1 / 5, burst: 1 },
  { service: 'API Gateway', operations: ['CreateRestApi'], perSecond: 1 / 3, burst: 1 },
  { service: 'API Gateway', operations: ['ImportRestApi'], perSecond: 1 / 3, burst: 1 },
  { service: 'API Gateway', operations: ['PutRestApi'], perSecond: 1, burst: 1 },
  // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-api-action-throttling-general
  { service: 'Step Functions', operations: ['DescribeStateMachine'], perSecond: 20, burst: 200 },
  { service: 'Step Functions', operations: ['DescribeStateMachineAlias'], perSecond: 1, burst: 200 },
  { service: 'Step Functions', operations: ['UpdateStateMachine'], perSecond: 1, burst: 100 },
  { service: 'Step Functions', operations: ['UpdateStateMachineAlias'], perSecond: 1, burst: 100 },
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html (10 in some Regions)
  { service: 'CloudWatch Logs', operations: ['FilterLogEvents'], perSecond: 5, burst: 5 },
  // AWS documents none for schemas
  { service: 'AppSync', perSecond: 5, burst: 10 },
  // AWS documents none; others measured about 30 reads a second: https://github.com/ekristen/aws-nuke/issues/508
  { service: 'Cloud Control', perSecond: 10, burst: 20 },
  // AWS documents none, only that operations are throttled: https://repost.aws/knowledge-center/cloudformation-rate-exceeded-error
  ...CLOUDFORMATION_OPERATIONS.map((operation) => ({
    service: 'CloudFormation',
    operations: [operation],
    perSecond: 5,
    burst: 10,
  })),
];

/** The quotas that cover a call, the slowest one first. */
export function quotasOf(service: string, operation: string): readonly Quota[] {
  return QUOTAS.filter(
    (quota) =>
      quota.service === service &&
      quota.operations?.includes(operation) !== false &&
      quota.except?.includes(operation) !== true,
  ).toSorted((a, b) => a.perSecond - b.perSecond);
}

/** E.g. `API Gateway quota: CreateDeployment, 1 per 5 s`. */
export function describeQuota({ service, operations, perSecond }: Quota): string {
  const rate = perSecond < 1 ? `1 per ${Math.round(1 / perSecond)} s` : `${perSecond} per second`;
  return `${service} quota: ${[...(operations ?? []), rate].join(', ')}`;
}
