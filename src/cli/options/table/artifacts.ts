import { FLAG, FOLDER, TEXT } from '../grammar.ts';
import { byIdentifier } from '../identified-grammars.ts';
import { METADATA } from '../metadata-grammar.ts';
import { checkBucket, checkRepository } from '../option-checks.ts';
import { option } from '../option-spec.ts';

/** Options that choose where artifacts and images go. */
export const ARTIFACTS = {
  s3Bucket: option({
    names: ['--s3-bucket'],
    grammar: TEXT,
    check: checkBucket,
    defaultText: "the account's managed bucket",
    group: 'Artifacts',
    help: 'S3 bucket for code and templates.',
    configKeys: ['s3_bucket'],
  }),
  resolveS3: option({
    names: ['--resolve-s3'],
    negation: '--no-resolve-s3',
    grammar: FLAG,
    default: false,
    group: 'Artifacts',
    help: 'Use the managed bucket even if the samconfig names another one.',
    configKeys: ['resolve_s3'],
    commandLineOnly: true,
  }),
  s3Prefix: option({
    names: ['--s3-prefix'],
    grammar: FOLDER,
    group: 'Artifacts',
    help: 'Prefix of the object keys in the bucket.',
    configKeys: ['s3_prefix'],
  }),
  kmsKeyId: option({
    names: ['--kms-key-id'],
    grammar: TEXT,
    defaultText: 'S3-managed keys',
    group: 'Artifacts',
    help: 'AWS KMS key that encrypts uploaded objects.',
    configKeys: ['kms_key_id'],
  }),
  metadata: option({
    names: ['--metadata'],
    grammar: METADATA,
    repeatable: true,
    group: 'Artifacts',
    help: 'Metadata of uploaded S3 objects: key=value,key2=value2 or a JSON object.',
    configKeys: ['metadata'],
  }),
  imageRepository: option({
    names: ['--image-repository'],
    grammar: { ...TEXT, metavar: 'URI' },
    check: checkRepository,
    group: 'Artifacts',
    help: 'ECR repository for the images of all image functions (PackageType: Image).',
    configKeys: ['image_repository'],
  }),
  imageRepositories: option({
    names: ['--image-repositories'],
    grammar: byIdentifier('ID=URI', checkRepository),
    repeatable: true,
    default: {},
    group: 'Artifacts',
    help: 'ECR repository for the image of one function.',
    configKeys: ['image_repositories'],
  }),
  resolveImageRepos: option({
    names: ['--resolve-image-repos'],
    negation: '--no-resolve-image-repos',
    grammar: FLAG,
    default: false,
    group: 'Artifacts',
    help: 'Create missing ECR repositories in a companion stack.',
    configKeys: ['resolve_image_repos'],
  }),
} as const;
