import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';
import { parseJson } from '../support/shapes.ts';
import { allowsLambda } from './bucket-policy.ts';

/** The user's bucket for code, including that of Web Functions. */
export interface CodePlace {
  bucket: string;
  prefix: string | undefined;
  kmsKeyId: string | undefined;
}

/** A possible reason for Lambda to fail, and what to do. */
export interface AccessDoubt {
  text: string;
  hint?: string | undefined;
}

/** The actions of `lambda.amazonaws.com` on the code. */
const READ_ACTIONS = ['s3:GetObject', 's3:GetObjectVersion'];

const POLICY_DOCS =
  'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-code-s3.html#web-functions-code-s3-bucket-policy';

const OWN_BUCKET = 'or leave out --s3-bucket: sam-sync then creates a bucket for this code';

/**
 * Checks that Lambda can read the code of Web Functions in the bucket, as SAM CLI does. Throws if the bucket has no versioning
 * or the key is an AWS managed key. Returns missing permissions as doubts, because conditions of policies are ignored.
 */
export async function checkCodeAccess(aws: Aws, place: CodePlace): Promise<AccessDoubt[]> {
  const { kmsKeyId } = place;
  const doubts = await Promise.all([
    checkVersioning(aws, place),
    checkBucketPolicy(aws, place),
    kmsKeyId === undefined ? undefined : checkKey(aws, kmsKeyId),
  ]);
  return doubts.filter((doubt) => doubt !== undefined);
}

async function checkVersioning(aws: Aws, { bucket }: CodePlace): Promise<AccessDoubt | undefined> {
  const { send, GetBucketVersioningCommand } = await aws.s3();
  try {
    const { Status } = await send(new GetBucketVersioningCommand({ Bucket: bucket }));
    if (Status === 'Enabled') return undefined;
  } catch (error) {
    return unchecked(error, `whether bucket ${bucket} has versioning enabled, which Web Functions require`);
  }
  throw new UserError(`Bucket ${bucket} does not have versioning enabled, which Web Functions require for their code`, {
    hint: `Enable it (\`aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled\`), use another bucket, ${OWN_BUCKET}.`,
  });
}

async function checkBucketPolicy(aws: Aws, { bucket, prefix }: CodePlace): Promise<AccessDoubt | undefined> {
  const { send, GetBucketPolicyCommand } = await aws.s3();
  const folder = prefix?.replace(/^\/+|\/+$/g, '');
  // only the folder of the S3 key is known
  const object = { bucket, key: folder ? `${folder}/code` : 'code' };
  try {
    const { Policy } = await send(new GetBucketPolicyCommand({ Bucket: bucket }));
    if (READ_ACTIONS.every((action) => allowsLambda(parseJson(Policy ?? ''), action, object))) return undefined;
  } catch (error) {
    if (!isAwsError(error, 'NoSuchBucketPolicy'))
      return unchecked(error, `whether the policy of bucket ${bucket} allows Lambda to read Web Function code`);
  }
  return {
    text: `The policy of bucket ${bucket} does not allow lambda.amazonaws.com to call ${READ_ACTIONS.join(' and ')}: Web Functions may fail to start`,
    hint: `See ${POLICY_DOCS}, ${OWN_BUCKET}.`,
  };
}

async function checkKey(aws: Aws, keyId: string): Promise<AccessDoubt | undefined> {
  const { send, DescribeKeyCommand, GetKeyPolicyCommand } = await aws.kms();
  const what = `whether Lambda may decrypt Web Function code with KMS key ${keyId}`;
  const described = await send(new DescribeKeyCommand({ KeyId: keyId })).catch((error: unknown) =>
    unchecked(error, what),
  );
  if ('text' in described) return described;
  const { KeyId, KeyManager } = described.KeyMetadata ?? {};
  if (KeyManager === 'AWS') {
    throw new UserError(
      `KMS key ${keyId} is an AWS managed key: Lambda cannot read Web Function code that it encrypts`,
      {
        hint: 'Use a customer managed key with --kms-key-id; its policy must allow lambda.amazonaws.com to call kms:Decrypt.',
      },
    );
  }
  try {
    const { Policy } = await send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    if (allowsLambda(parseJson(Policy ?? ''), 'kms:Decrypt')) return undefined;
  } catch (error) {
    return unchecked(error, what);
  }
  return {
    text: `The policy of KMS key ${keyId} does not allow lambda.amazonaws.com to call kms:Decrypt: Web Functions may fail to start`,
    hint: 'Add that permission to the policy of the key.',
  };
}

/** Turns an error into a doubt: credentials for uploads need no permission to read policies. */
function unchecked(error: unknown, what: string): AccessDoubt {
  if (!isAwsError(error)) throw error;
  return { text: `Could not check ${what}: ${error.message}` };
}
