import { expect, it } from 'vitest';
import { readContainerEnvFile } from '../../../../src/builder/containers/container-env-file.ts';
import { BUILD_IMAGES, EXCLUDES } from '../../../../src/cli/options/identified-grammars.ts';
import { METADATA } from '../../../../src/cli/options/metadata-grammar.ts';
import { checkRepository } from '../../../../src/cli/options/option-checks.ts';
import { PARAMETER_OVERRIDES } from '../../../../src/cli/options/parameter-overrides.ts';
import { UsageError, UserError } from '../../../../src/errors.ts';

it.each<[string, () => unknown, string]>([
  [
    'an image that is none',
    () => BUILD_IMAGES.parse(['Fn=my image'], '--build-image'),
    '--build-image: `Fn=my image` is not an image: write URI or FunctionId=URI',
  ],
  [
    'a pattern of no resource',
    () => EXCLUDES.parse(['*.db'], '--watch-exclude'),
    '--watch-exclude: `*.db` does not have the form ResourceId=value',
  ],
  [
    'a quote that never ends',
    () => PARAMETER_OVERRIDES.parse(['A="x y'], '--parameter-overrides'),
    '--parameter-overrides: the quote at `"x` has no closing quote',
  ],
  [
    'a table as a parameter',
    () => PARAMETER_OVERRIDES.read({ A: { B: 'x' } }, 'parameter_overrides'),
    'parameter_overrides.A must be a string, a number, a boolean or a list of them, not a table',
  ],
  [
    'metadata without a value',
    () => METADATA.parse(['a=1,b'], '--metadata'),
    '--metadata: `b` does not have the form key=value',
  ],
  [
    'metadata in metadata',
    () => METADATA.read({ a: { b: '1' } }, 'metadata'),
    'metadata.a must be a string, not a table',
  ],
  [
    'metadata that is a boolean',
    () => METADATA.read(true, 'metadata'),
    'metadata must be a key=value string, a list or a table, not true',
  ],
  [
    'a public repository',
    () => checkRepository('public.ecr.aws/a/b', '--image-repository'),
    '--image-repository: Lambda cannot use public.ecr.aws/a/b: it runs images from private repositories only',
  ],
])('%s', (_name, read, message) => {
  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});

it('a file of variables that is not there', async () => {
  const reading = readContainerEnvFile('/no/such.json');
  await expect(reading).rejects.toThrow(new UserError('/no/such.json does not exist'));
});
