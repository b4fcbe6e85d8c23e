import { expect, it } from 'vitest';
import { withoutCredentialLines, withoutCredentials } from '../../../src/ui/page/credential-headers.ts';

it('headers with credentials are not remembered', () => {
  const kept = { 'content-type': 'application/json', 'x-request-id': '1' };
  const secret = { Authorization: 'Bearer t', cookie: 's=1', 'X-Api-Key': 'k', 'x-amz-security-token': 't' };
  expect(withoutCredentials({ ...kept, ...secret })).toEqual(kept);
  const lines = (headers: object): string[] => Object.entries(headers).map(([name, value]) => ` ${name} : ${value}`);
  const typed = [...lines(kept), ...lines(secret), 'Authorization Bearer t', 'x-kind'];
  expect(withoutCredentialLines(typed.join('\n')).split('\n')).toEqual([...lines(kept), 'x-kind']);
});
