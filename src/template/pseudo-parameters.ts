/** The known parts of a deployment's target. */
export interface DeployTarget {
  region?: string | undefined;
  stackName?: string | undefined;
  accountId?: string | undefined;
  partition?: string | undefined;
}

/** Partitions by Region prefix, from botocore's partitions.json. All other Regions are in `aws`. */
const PARTITIONS: readonly (readonly [regionPrefix: string, partition: string, urlSuffix: string])[] = [
  ['cn-', 'aws-cn', 'amazonaws.com.cn'],
  ['us-gov-', 'aws-us-gov', 'amazonaws.com'],
  ['us-iso-', 'aws-iso', 'c2s.ic.gov'],
  ['us-isob-', 'aws-iso-b', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'aws-iso-e', 'cloud.adc-e.uk'],
  ['us-isof-', 'aws-iso-f', 'csp.hci.ic.gov'],
  ['eusc-', 'aws-eusc', 'amazonaws.eu'],
];

/** Returns the known pseudo parameters. */
export function pseudoParameters(target: DeployTarget): Record<string, string> {
  const { region } = target;
  const row = region === undefined ? undefined : PARTITIONS.find(([prefix]) => region.startsWith(prefix));
  const partition = target.partition ?? (region === undefined ? undefined : (row?.[1] ?? 'aws'));
  const urlSuffix =
    PARTITIONS.find(([, name]) => name === partition)?.[2] ?? (partition === 'aws' ? 'amazonaws.com' : undefined);
  const values: Record<string, string | undefined> = {
    'AWS::Region': region,
    'AWS::StackName': target.stackName,
    'AWS::AccountId': target.accountId,
    'AWS::Partition': partition,
    'AWS::URLSuffix': urlSuffix,
  };
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
