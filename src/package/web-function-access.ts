import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';
import { parseJson } from '../support/shapes.ts';
import { allowsLambda } from './bucket-policy.ts';

/** A bucket that the user chose for code, Web Functions among it. */
export interface CodePlace {
  bucket: string;
  prefix: string | undefined;
  kmsKeyId: string | undefined;
}

/** Something that Lambda may fail on, and what to do. */
export interface AccessDoubt {
  text: string;
  hint?: string | undefined;
}

/** What Lambda does with the code, as `lambda.amazonaws.com`. */
const READ_ACTIONS = ['s3:GetObject', 's3:GetObjectVersion'];

const POLICY_DOCS =
  'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-code-s3.html#web-functions-code-s3-bucket-policy';

const OWN_BUCKET = 'or leave out --s3-bucket: sam-sync then creates a bucket for this code';

/**
 * Checks that Lambda can read the code of Web Functions there, as SAM CLI does: rejects if it surely cannot, because the
 * bucket keeps no versions or the key is one of AWS's own. Policies are judged without their conditions, so what they seem
 * to lack is a doubt.
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
  // of the key only the folder is known
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

/** Credentials that may upload need not be allowed to read policies; that is no reason to stop. */
function unchecked(error: unknown, what: string): AccessDoubt {
  if (!isAwsError(error)) throw error;
  return { text: `Could not check ${what}: ${error.message}` };
}
