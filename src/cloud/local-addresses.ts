/**
 * Addresses that AWS gives to APIs, functions and buckets. A template computes them, so CloudFormation of a local cloud has them
 * too, but there only the path leads to the resource.
 */
const AWS_ADDRESS =
  /\b(http|ws)s?:\/\/([a-z0-9][a-z0-9.-]*)\.(execute-api|lambda-url|s3)(?:[.-][a-z0-9-]+)?\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws)(?![\w.-])(\/?)/g;

/** Replaces AWS's addresses in a text by those of the local cloud at `endpoint`. */
export function localAddresses(text: string, endpoint: string): string {
  const host = endpoint.replace(/^http:\/\//, '').replace(/\/$/, '');
  return text.replace(AWS_ADDRESS, (_, scheme: string, name: string, service: string) => {
    const path = service === 's3' ? name : `_aws/${service}/${name}`;
    return `${scheme}://${host}/${path}/`;
  });
}
