import { describe, expect, it } from 'vitest';
import { pickFunction } from '../../../../src/cli/local-cloud/local-functions.ts';
import type { LocalFunction } from '../../../../src/cli/local-cloud/local-functions.ts';

const fn = (stackName: string, id: string): LocalFunction => ({ id, stackName, functionName: `${stackName}-${id}-1` });
const FUNCTIONS = [fn('app', 'Hello'), fn('app', 'Child/Hello'), fn('shop', 'Hello'), fn('shop', 'Order')];

describe('a function of the local cloud', () => {
  it.each([
    ['Order', undefined, FUNCTIONS[3]],
    ['Child/Hello', undefined, FUNCTIONS[1]],
    ['Hello', 'shop', FUNCTIONS[2]],
    ['shop-Hello-1', undefined, FUNCTIONS[2]],
  ])('%s in stack %s', (name, stackName, expected) => expect(pickFunction(FUNCTIONS, name, stackName)).toBe(expected));

  it.each([
    ['Hello', FUNCTIONS, 'Hello is in several stacks of the local cloud: app, shop', '--stack-name'],
    ['Oder', FUNCTIONS, 'The local cloud has no function Oder', 'Did you mean Order?'],
    [
      'Pay',
      [...FUNCTIONS, fn('shop', 'Billing/Pay')],
      'The local cloud has no function Pay',
      'Did you mean Billing/Pay?',
    ],
    ['Payment', FUNCTIONS, 'The local cloud has no function Payment', 'It has Hello, Child/Hello, Order.'],
    ['Hello', [], 'The local cloud has no function Hello', 'It has none: deploy with `sam-sync --local`.'],
  ])('%s', (name, functions, message, hint) => {
    expect(() => pickFunction(functions, name, undefined)).toThrowError(
      expect.objectContaining({ message, hint: expect.stringContaining(hint) }),
    );
  });
});
