import { describe, expect, it, test } from 'vitest';
import { chooseRepositories } from '../../../src/deploy/choose-repositories.ts';
import type { RepositoryOptions } from '../../../src/deploy/choose-repositories.ts';
import {
  companionStackName,
  companionTemplate,
  managedRepository,
  managedRepositoryUri,
} from '../../../src/deploy/companion-stack.ts';
import {
  imageTag,
  isInRegistry,
  parseEcr,
  parseImageReference,
  registryOf,
} from '../../../src/model/image-reference.ts';
import type { FunctionResource } from '../../../src/model/stack.ts';
import { fakeFunction, fakeStack } from '../../support/stack-builder.ts';

// defect 19: cut at the first colon, which may be that of a port
test.each([
  ['repo', 'repo', undefined, undefined],
  ['repo:tag', 'repo', 'tag', undefined],
  ['localhost:5000/a/b', 'localhost:5000/a/b', undefined, undefined],
  ['localhost:5000/a/b:v1', 'localhost:5000/a/b', 'v1', undefined],
  ['1.dkr.ecr.eu-west-1.amazonaws.com/a@sha256:0f', '1.dkr.ecr.eu-west-1.amazonaws.com/a', undefined, 'sha256:0f'],
  ['localhost:5000/a:v1@sha256:0f', 'localhost:5000/a', 'v1', 'sha256:0f'],
])('%s', (text, repository, tag, digest) => {
  expect(parseImageReference(text)).toEqual({ repository, tag, digest });
});

test.each([
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b', { account: '123456789012', region: 'eu-west-1', name: 'a/b' }],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a', { account: '123456789012', region: 'cn-north-1', name: 'a' }],
  ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a', { account: '123456789012', region: 'us-east-1', name: 'a' }],
  ['123456789012.dkr-ecr.us-east-1.on.aws/a', { account: '123456789012', region: 'us-east-1', name: 'a' }],
  ['localhost:5000/a', undefined],
  ['registry.example.com/a', undefined],
])('ECR: %s', (repository, expected) => {
  expect(parseEcr(repository)).toEqual(expected);
});

test.each([
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:v1', true],
  ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a@sha256:0f', true],
  ['account.dkr.ecr.eu-west-1.amazonaws.com.cn/a', true],
  ['localhost:5000/a', true],
  ['127.0.0.1:5000/a/b:v1', true],
  ['my-local-image:v1', false],
  ['my-local-image', false],
  ['team/orders:v1', false],
  ['sha256:0123456789abcdef', false],
  // Lambda takes images of Amazon ECR only: these may be in the engine
  ['public.ecr.aws/lambda/python:3.13', false],
  ['registry.example.com:5000/a', false],
])('%s is in a registry: %s', (imageUri, expected) => {
  expect(isInRegistry(imageUri)).toBe(expected);
});

it('the host of a registry has its port', () => {
  expect(registryOf('localhost:5000/a/b')).toBe('localhost:5000');
});

it('tags are those of the peer', () => {
  expect(imageTag({ imageId: 'sha256:0123456789abcdef', name: 'hello:v1' })).toBe('hello-0123456789ab-v1');
  expect(imageTag({ imageId: '0123456789abcdef', name: 'team/hello' })).toBe('team-hello-0123456789ab-latest');
  expect(imageTag({ imageId: 'a'.repeat(64), name: `${'x'.repeat(200)}:v1` })).toHaveLength(128);
});

const image = (id: string, more: Partial<FunctionResource> = {}): FunctionResource =>
  fakeFunction({ id, packageType: 'Image', code: { kind: 'image', context: '/app' }, ...more });

describe('repositories', () => {
  const NONE: RepositoryOptions = { imageRepository: undefined, imageRepositories: {}, resolveImageRepos: false };
  const choose = (options: Partial<RepositoryOptions>, ...functions: FunctionResource[]) => {
    const root = functions.filter(({ stackPath }) => stackPath === '');
    const nested = functions.filter(({ stackPath }) => stackPath !== '');
    const children = [fakeStack({ path: 'Child', logicalId: 'Child', functions: nested })];
    return Object.fromEntries(chooseRepositories(fakeStack({ functions: root, children }), { ...NONE, ...options }));
  };
  const LOCAL = image('L', {
    code: { kind: 'local-image', name: 'registry.example.com/x' },
    properties: { ImageUri: 'registry.example.com/x' },
    skipBuild: true,
  });
  const A = image('A');
  const NESTED = image('Child/B');

  it('a local image has one of the options’, not the one that its name may have', () => {
    expect(choose({ imageRepository: 'r/x' }, LOCAL)).toEqual({ L: 'r/x' });
    expect(() => choose({}, LOCAL)).toThrow(/L is an image function, but no image repository was given/);
  });

  it.each([
    ['a typo', 'AB', [A], 'Did you mean A?'],
    ['a stranger', 'Nothing', [A, NESTED], 'Functions with such images: A, Child/B.'],
    ['no images', 'Nothing', [], 'Functions with such images: none.'],
  ])('a repository of an unknown function is refused: %s', (_name, id, functions, hint) => {
    const message = `--image-repositories names ${id}, but no function with that ID has an image to push`;
    expect(() => choose({ imageRepositories: { [id]: 'r/x' } }, ...functions)).toThrow(
      expect.objectContaining({ message, hint }),
    );
  });

  it('one for all, one for each, managed ones, or as the template says', () => {
    expect(choose({ imageRepository: 'r/x' }, A, NESTED)).toEqual({ A: 'r/x', 'Child/B': 'r/x' });
    // defect 19: keys of nested functions, in full or short where that is clear
    expect(choose({ imageRepositories: { A: 'r/a', 'Child/B': 'r/b' } }, A, NESTED)).toEqual({
      A: 'r/a',
      'Child/B': 'r/b',
    });
    expect(choose({ imageRepositories: { B: 'r/b' }, resolveImageRepos: true }, A, NESTED)).toEqual({
      A: undefined,
      'Child/B': 'r/b',
    });
    const written = image('A', { properties: { ImageUri: 'localhost:5000/hello:v1' } });
    expect(choose({}, written)).toEqual({ A: 'localhost:5000/hello' });
    const deployed = { only: 'A', current: 'localhost:5000/deployed' };
    expect([...chooseRepositories(fakeStack({ functions: [A, image('X')] }), NONE, deployed)]).toEqual([
      ['A', deployed.current],
    ]);
    expect(choose({}, fakeFunction({ id: 'Zip' }), image('C', { code: { kind: 'remote' } }))).toEqual({});
  });

  test.each<[string, Partial<RepositoryOptions>, FunctionResource[], string]>([
    ['nothing is said', {}, [A, NESTED], 'A, Child/B are image functions, but no image repository was given'],
    [
      'for one',
      { imageRepositories: { A: 'r/a' } },
      [A, NESTED],
      'Child/B is an image function, but no image repository was given',
    ],
    [
      'an archive is no repository',
      {},
      [image('A', { properties: { ImageUri: '../a.tar' } })],
      'A is an image function, but no image repository was given',
    ],
    ['an unknown id', { imageRepositories: { X: 'r/x' }, imageRepository: 'r/a' }, [A], 'names X'],
    [
      'a short id of two',
      { imageRepositories: { B: 'r/b' } },
      [image('B'), NESTED],
      'Child/B is an image function, but no image repository was given',
    ],
  ])('%s', (_what, options, functions, message) => {
    expect(() => choose(options, ...functions)).toThrow(message);
  });
});

describe('managed repositories', () => {
  it('have the names of sam deploy (read off AWS SAM CLI 1.170)', () => {
    expect(companionStackName('My-Stack')).toBe('My-Stack-30711f98-CompanionStack');
    expect(managedRepository('My-Stack', 'Child/HelloFunction')).toEqual({
      logicalId: 'ChildHelloFunctionf466d36eRepo',
      outputId: 'ChildHelloFunctionf466d36eOut',
      name: 'mystack30711f98/childhellofunctionf466d36erepo',
    });
    expect(
      managedRepositoryUri('My-Stack', 'Child/HelloFunction', { account: '123456789012', region: 'eu-west-1' }),
    ).toBe('123456789012.dkr.ecr.eu-west-1.amazonaws.com/mystack30711f98/childhellofunctionf466d36erepo');
  });

  it('are added to those that are there', () => {
    const first = companionTemplate('C', [managedRepository('s', 'A')], undefined);
    const second = companionTemplate('C', [managedRepository('s', 'B')], first);
    expect(Object.keys(second['Resources'] as object)).toHaveLength(2);
    expect((second['Resources'] as Record<string, unknown>)[managedRepository('s', 'A').logicalId]).toEqual(
      (first['Resources'] as Record<string, unknown>)[managedRepository('s', 'A').logicalId],
    );
  });
});
