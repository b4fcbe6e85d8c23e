import { UsageError } from '../../errors.ts';

const REGION = /^(?!\d+$)(?!-)[a-z0-9-]{1,63}(?<!-)$/i;
const STACK_NAME = /^[a-z][-a-z0-9]{0,127}$/i;
const STACK_ARN = /^arn:[^:]+:cloudformation:[^:]*:[^:]*:stack\/([^/]+)\//;
// buckets created before 2018 in us-east-1 may have capitals and underscores in their names
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const REPOSITORY = /^(?:[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?|[\w-]+:\d{1,5}|localhost)\/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

/** Checks a stack name by CloudFormation's rule. */
export function checkStackName(name: string, place: string): void {
  if (STACK_NAME.test(name)) return;
  const arn = STACK_ARN.exec(name);
  throw new UsageError(`${place}: \`${name}\` is not a valid stack name`, {
    hint: arn
      ? `This is an ARN; the name is ${arn[1]}.`
      : 'Stack names start with a letter and contain only letters, digits and hyphens (128 at most).',
  });
}

/** Checks a Region name by botocore's rule. */
export function checkRegion(region: string, place: string): void {
  if (REGION.test(region)) return;
  throw new UsageError(`${place}: \`${region}\` is not a valid Region name`, { hint: 'For example: eu-west-1.' });
}

/** Checks a bucket name, without `s3://` and folders. */
export function checkBucket(bucket: string, place: string): void {
  if (BUCKET.test(bucket)) return;
  throw new UsageError(`${place}: \`${bucket}\` is not a valid bucket name`, {
    hint: /^s3:|\//.test(bucket) ? 'Pass only the name, and a folder with --s3-prefix.' : 'For example: my-artifacts.',
  });
}

/** Checks the form of a role's ARN; CloudFormation checks the rest. */
export function checkRoleArn(arn: string, place: string): void {
  checkArn(arn, place, 'arn:aws:iam::123456789012:role/deploy');
}

/** Checks the form of a topic's ARN; CloudFormation checks the rest. */
export function checkTopicArn(arn: string, place: string): void {
  checkArn(arn, place, 'arn:aws:sns:eu-west-1:123456789012:deployments');
}

function checkArn(arn: string, place: string, example: string): void {
  if (/^arn:[^:\s]+:[^:\s]+:\S+$/.test(arn)) return;
  throw new UsageError(`${place}: \`${arn}\` is not an ARN`, { hint: `For example: ${example}.` });
}

/** Checks `registry/name` without a tag. Any registry host is valid: emulators and new partitions have their own. */
export function checkRepository(repository: string, place: string): void {
  if (repository.startsWith('public.ecr.aws/'))
    throw new UsageError(`${place}: Lambda cannot use ${repository}: it runs images from private repositories only`);
  if (REPOSITORY.test(repository)) return;
  const withoutTag = repository.replace(/@sha256:[0-9a-f]+$/, '').replace(/:[\w.-]+$/, '');
  throw new UsageError(`${place}: \`${repository}\` is not a valid image repository URI`, {
    hint: REPOSITORY.test(withoutTag)
      ? `Remove the tag: ${withoutTag}`
      : 'For example: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-functions',
  });
}

/** Checks a resource identifier: `LogicalId` or `ChildStack/LogicalId`. */
export function checkResourceId(id: string, place: string): string {
  if (/^[^\s/,=]+(?:\/[^\s/,=]+)*$/.test(id)) return id;
  throw new UsageError(`${place}: \`${id}\` is not a valid resource ID`, {
    hint: 'Write LogicalId, or ChildStack/LogicalId for a resource of a nested stack.',
  });
}

// CreateStack refuses more: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html
const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/** CloudFormation's rules for the tags of a stack. */
export function checkTags(tags: Readonly<Record<string, string>>, place: string): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS)
    throw new UsageError(`${place}: a stack takes at most ${MAX_TAGS} tags, not ${entries.length}`);
  for (const [key, value] of entries) {
    const problem =
      value === ''
        ? 'has no value'
        : key.toLowerCase().startsWith('aws:')
          ? 'begins with aws:, which is reserved'
          : key.length > MAX_KEY
            ? `is longer than ${MAX_KEY} characters`
            : value.length > MAX_VALUE
              ? `has a value of more than ${MAX_VALUE} characters`
              : undefined;
    if (problem !== undefined) throw new UsageError(`${place}: the tag ${key} ${problem}`);
  }
}
