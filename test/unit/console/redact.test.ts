import { describe, expect, it, test } from 'vitest';
import { redact, redactEvent } from '../../../src/console/redact.ts';

describe('secrets in texts', () => {
  test.each([
    ['$ pip wheel --index-url=https://user:pass@host/simple x', '$ pip wheel --index-url=https://***@host/simple x'],
    ['Cloning git+https://TOKEN@host/x.git@v1', 'Cloning git+https://***@host/x.git@v1'],
    ['git+ssh://git@github.com/a/b', 'git+ssh://git@github.com/a/b'],
    ['GET https://host/x.tgz?token=abc&x=1 - 404', 'GET https://host/x.tgz?token=***&x=1 - 404'],
    ['https://s3/x?X-Amz-Credential=a%2Fb&X-Amz-Signature=c', 'https://s3/x?X-Amz-Credential=***&X-Amz-Signature=***'],
    ['//registry.example/:_authToken=npm_abc', '//registry.example/:_authToken=***'],
    ['"_password": "abc"', '"_password": "***"'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ['mail me@example.com, http://host/@scope/x', 'mail me@example.com, http://host/@scope/x'],
  ])('%s', (text, shown) => expect(redact(text)).toBe(shown));
});

it('are not in events, but in outputs of stacks, which the user asked for', () => {
  const url = 'https://user:pass@host/';
  const document = { error: { message: url, failures: [{ output: url }] }, outputs: { Url: url }, ms: 1 };
  expect(redactEvent({ type: 'result', document })).toEqual({
    type: 'result',
    document: {
      error: { message: 'https://***@host/', failures: [{ output: 'https://***@host/' }] },
      outputs: { Url: url },
      ms: 1,
    },
  });
});

it('leave the event of the reporter as it is', () => {
  const document = {
    items: ['plain', 'https://user:pass@host/'],
    nested: { ['__proto__']: 'https://user:pass@host/' },
  };
  const event = { type: 'result', document } as const;
  const before = structuredClone(event);
  expect(JSON.stringify(redactEvent(event))).toBe(JSON.stringify(before).replaceAll('user:pass@', '***@'));
  expect(event).toEqual(before);
});
