import { expect, it } from 'vitest';
import {
  withoutCredentialLines,
  withoutCredentials,
  withoutCredentialValues,
} from '../../../src/ui/page/forms/credential-headers.ts';

it('headers with credentials are not remembered', () => {
  const kept = { 'content-type': 'application/json', 'x-request-id': '1' };
  const secret = { Authorization: 'Bearer t', cookie: 's=1', 'X-Api-Key': 'k', 'x-amz-security-token': 't' };
  Object.assign(secret, { Auth: 't', 'X-Access-Key': 'k', 'Ocp-Apim-Subscription-Key': 'k', 'X-JWT-Assertion': 't' });
  Object.assign(kept, { 'idempotency-key': '1' });
  expect(withoutCredentials({ ...kept, ...secret })).toEqual(kept);
  const lines = (headers: object): string[] => Object.entries(headers).map(([name, value]) => ` ${name} : ${value}`);
  const typed = [...lines(kept), ...lines(secret), 'Authorization Bearer t', 'x-kind'];
  expect(withoutCredentialLines(typed.join('\n')).split('\n')).toEqual([...lines(kept), 'x-kind']);
});

it('query parameters with credentials are remembered without their values', () => {
  const url = 'https://abc.example/orders?api_key=k1&page=2&Access_Token=t%3D1#token=x';
  expect(withoutCredentialValues(url)).toBe('https://abc.example/orders?api_key=&page=2&Access_Token=#token=x');
});
