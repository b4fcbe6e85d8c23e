import { UsageError } from '../../errors.ts';

const REGION = /^(?!\d+$)(?!-)[a-z0-9-]{1,63}(?<!-)$/i;
const STACK_NAME = /^[a-z][-a-z0-9]{0,127}$/i;
const STACK_ARN = /^arn:[^:]+:cloudformation:[^:]*:[^:]*:stack\/([^/]+)\//;
// names made before 2018 in us-east-1 may hold capitals and underscores
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const REPOSITORY = /^(?:[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?|[\w-]+:\d{1,5}|localhost)\/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

/** CloudFormation's rule for names of stacks. */
export function checkStackName(name: string, place: string): void {
  if (STACK_NAME.test(name)) return;
  const arn = STACK_ARN.exec(name);
  throw new UsageError(`${place}: \`${name}\` is not a name that a stack can have`, {
    hint: arn
      ? `This is an ARN; the name is ${arn[1]}.`
      : 'It begins with a letter and holds letters, digits and hyphens, 128 at most.',
  });
}

/** botocore's rule for names of regions. */
export function checkRegion(region: string, place: string): void {
  if (REGION.test(region)) return;
  throw new UsageError(`${place}: \`${region}\` is not the name of a region`, { hint: 'For example: eu-west-1.' });
}

/** The name of a bucket, without `s3://` and folders. */
export function checkBucket(bucket: string, place: string): void {
  if (BUCKET.test(bucket)) return;
  throw new UsageError(`${place}: \`${bucket}\` is not the name of a bucket`, {
    hint: /^s3:|\//.test(bucket)
      ? 'Give the name alone; a folder goes into --s3-prefix.'
      : 'For example: my-artifacts.',
  });
}

/** Any ARN; CloudFormation checks the rest. */
export function checkArn(arn: string, place: string): void {
  if (/^arn:[^:\s]+:[^:\s]+:\S+$/.test(arn)) return;
  throw new UsageError(`${place}: \`${arn}\` is not an ARN`, { hint: 'An ARN begins with arn:aws: .' });
}

/** `registry/name` without tag: any registry host, as emulators and new partitions have hosts of their own. */
export function checkRepository(repository: string, place: string): void {
  if (repository.startsWith('public.ecr.aws/'))
    throw new UsageError(`${place}: Lambda runs images from private repositories only, not from ${repository}`);
  if (REPOSITORY.test(repository)) return;
  const withoutTag = repository.replace(/@sha256:[0-9a-f]+$/, '').replace(/:[\w.-]+$/, '');
  throw new UsageError(`${place}: \`${repository}\` is not the URI of an image repository`, {
    hint: REPOSITORY.test(withoutTag)
      ? `Leave out the tag: ${withoutTag}`
      : 'For example: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-functions',
  });
}

/** An identifier of a resource: `LogicalId` or `ChildStack/LogicalId`. */
export function checkResourceId(id: string, place: string): string {
  if (/^[^\s/,=]+(?:\/[^\s/,=]+)*$/.test(id)) return id;
  throw new UsageError(`${place}: \`${id}\` is not the id of a resource`, {
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
