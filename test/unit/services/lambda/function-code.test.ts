import { describe, expect, it } from 'vitest';
import type { FunctionResource } from '../../../../src/model/stack.ts';
import { hasCode, refuseOtherKind } from '../../../../src/services/lambda/function-code.ts';
import type { FunctionCode } from '../../../../src/services/lambda/function-code.ts';
import type { FunctionState } from '../../../../src/services/lambda/function-state.ts';

const REPOSITORY = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/orders';
const ONE = `sha256:${'1'.repeat(64)}`;
const TWO = `sha256:${'2'.repeat(64)}`;

const state = (image: FunctionState['image'], more: Partial<FunctionState> = {}): FunctionState => ({
  name: 'orders',
  version: '$LATEST',
  packageType: 'Image',
  codeSha256: '',
  configuration: {},
  image,
  layers: [],
  runtime: undefined,
  architecture: 'x86_64',
  state: 'Active',
  lastUpdateStatus: 'Successful',
  reason: undefined,
  reasonCode: undefined,
  ...more,
});

const code = (digest: string | undefined, repository = REPOSITORY): FunctionCode => ({
  kind: 'image',
  digest,
  located: {
    id: 'Orders',
    image: { imageId: `sha256:${'a'.repeat(64)}`, name: 'orders:latest', recordFile: '' },
    repository,
    uri: `${repository}:orders-aaaaaaaaaaaa-latest`,
  },
});

describe('whether a function has an image', () => {
  const tag = `${REPOSITORY}:orders-aaaaaaaaaaaa-latest`;
  it.each<[string, FunctionState['image'], FunctionCode, boolean]>([
    ['a tag that resolved to it', { uri: tag, resolved: `${REPOSITORY}@${ONE}` }, code(ONE), true],
    ['a tag that was moved since', { uri: tag, resolved: `${REPOSITORY}@${TWO}` }, code(ONE), false],
    ['its digest', { uri: `${REPOSITORY}@${ONE}`, resolved: `${REPOSITORY}@${ONE}` }, code(ONE), true],
    ['another tag of it', { uri: `${REPOSITORY}:live`, resolved: `${REPOSITORY}@${ONE}` }, code(ONE), true],
    ['its tag; the digest is not known here', { uri: tag, resolved: `${REPOSITORY}@${TWO}` }, code(undefined), true],
    [
      'some digest; it is not known here',
      { uri: `${REPOSITORY}@${ONE}`, resolved: `${REPOSITORY}@${ONE}` },
      code(undefined),
      false,
    ],
    [
      'its digest in another repository',
      { uri: `other/orders@${ONE}`, resolved: `other/orders@${ONE}` },
      code(ONE),
      false,
    ],
    ['no image', undefined, code(ONE), false],
  ])('%s', (_, image, wanted, expected) => {
    expect(hasCode(state(image), wanted)).toBe(expected);
  });
});

describe('another kind of function', () => {
  const image = { id: 'Orders', packageType: 'Image', architecture: 'arm64', runtime: undefined, properties: {} };
  it.each([
    [{ packageType: 'Zip' }, 'Orders has the package type Zip in the cloud, but Image in the template'],
    [{ architecture: 'x86_64' }, 'Orders has the architecture x86_64 in the cloud, but arm64 in the template'],
  ])('%j', (more, message) => {
    expect(() => refuseOtherKind(image as unknown as FunctionResource, state(undefined, more))).toThrow(message);
  });
  it('is none where the template does not tell the architecture', () => {
    const resource = { ...image, properties: { Architectures: [{ Ref: 'Architecture' }] } };
    expect(() => refuseOtherKind(resource as unknown as FunctionResource, state(undefined))).not.toThrow();
  });
});
