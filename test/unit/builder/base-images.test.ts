import { expect, it } from 'vitest';
import { parseBaseImages } from '../../../src/builder/images/base-images.ts';

it.each<[string, string, string[]]>([
  ['one image', 'FROM public.ecr.aws/lambda/python:3.12\nCOPY . .', ['public.ecr.aws/lambda/python:3.12']],
  ['stages', 'FROM a AS one\nFROM one\nFROM b as Two\nCOPY --from=two /x /x\nCOPY --from=0 /y /y', ['a', 'b']],
  [
    'other images',
    'FROM a\nCOPY --chown=1 --from=b:1 / /\nRUN --mount=type=bind,from=c,target=/c ls',
    ['a', 'b:1', 'c'],
  ],
  ['options and cases', 'from --platform=linux/amd64 a:1 as x', ['a:1']],
  ['scratch', 'FROM scratch', []],
  ['an ARG with a default', 'ARG V=3.12\nFROM python:$V\nFROM node:${V}-slim', ['python:3.12', 'node:3.12-slim']],
  ['an ARG that the build sets', 'ARG GIVEN=no\nFROM a:${GIVEN}', ['a:yes']],
  ['an ARG without a value', 'ARG NONE\nFROM a:${NONE}\nFROM b:${NONE:-x}', ['b:x']],
  ['lines that continue, and comments', '# FROM no\nFROM \\\n  a:1 \\\n  AS x\n  # FROM no\nFROM "b"', ['a:1', 'b']],
  ['names of Object.prototype', 'ARG constructor\nFROM a:$constructor', []],
  ['nothing', '', []],
])('the images that a Dockerfile names: %s', (_name, dockerfile, images) => {
  expect(parseBaseImages(dockerfile, { GIVEN: 'yes' })).toEqual(images);
});
