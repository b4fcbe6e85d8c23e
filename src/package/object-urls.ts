import type { Aws } from '../aws/aws.ts';

/**
 * Returns a function for path-style URLs from which CloudFormation reads objects, as SAM CLI writes them: of the custom
 * endpoint if there is one, else of S3 in the Region.
 */
export async function objectUrls(aws: Aws): Promise<(bucket: string, key: string) => string> {
  const [region, endpoint] = await Promise.all([aws.region(), aws.endpoint('s3')]);
  const base = endpoint?.replace(/\/+$/, '') ?? `https://s3.${region}.${dnsSuffix(region)}`;
  return (bucket, key) => `${base}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** DNS suffixes from botocore's partitions.json. */
const DNS_SUFFIXES: readonly (readonly [regionPrefix: string, suffix: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['eusc-', 'amazonaws.eu'],
];

function dnsSuffix(region: string): string {
  return DNS_SUFFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com';
}
