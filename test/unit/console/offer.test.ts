import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { offerDocument, offerText } from '../../../src/console/offer.ts';
import type { Endpoint } from '../../../src/console/reporter.ts';

const look = { style: (_look: string, text: string) => text, link: (text: string) => text, columns: undefined };
const endpoint = (method: string, path: string, more: Partial<Endpoint> = {}): Endpoint => ({
  resource: 'Fn',
  method,
  url: `http://h${path}`,
  ...more,
});

describe('the command to try an endpoint', () => {
  it.each<[string, Endpoint[], string | undefined]>([
    [
      'reads, without parameters',
      [endpoint('POST', '/a'), endpoint('GET', '/{id}'), endpoint('GET', '/b')],
      'curl http://h/b',
    ],
    ['any method', [endpoint('ANY', '/')], 'curl http://h/'],
    ['quotes what a shell would read', [endpoint('GET', '/{id}')], 'curl "http://h/{id}"'],
    [
      'sends a document',
      [endpoint('POST', '/a')],
      'curl -X POST -H "Content-Type: application/json" -d "{}" http://h/a',
    ],
    [
      'none for a preflight or a signed request',
      [endpoint('OPTIONS', '/'), endpoint('GET', '/', { signed: true })],
      undefined,
    ],
  ])('%s', (_name, endpoints, command) => {
    const text = offerText('app', { outputs: [], endpoints }, look);
    expect(text.split('Try it: ')[1]).toBe(command);
  });
});

it('lists twenty endpoints and counts the others; JSON has all', () => {
  const endpoints = Array.from({ length: 23 }, (_, n) => endpoint('GET', `/${n}`));
  const text = offerText('app', { outputs: [], endpoints }, look);
  expect(text.match(/^GET /gm)).toHaveLength(20);
  expect(text).toContain('and 3 more: --output json lists all');
  expect(offerDocument({ outputs: [], endpoints })).toMatchObject({ endpoints: { length: 23 } });
});

it('a narrow terminal gets addresses whole, without the third column', () => {
  const outputs = [
    { key: 'Url', value: 'https://aws', local: `http://h/${'x'.repeat(40)}`, description: 'The address' },
  ];
  const text = offerText(
    'app',
    { outputs, endpoints: [endpoint('GET', `/${'y'.repeat(50)}`)] },
    { ...look, columns: 60 },
  );
  expect(text).toContain(`Url     http://h/${'x'.repeat(40)}\n`);
  expect(text).not.toContain('Description');
  expect(text).not.toMatch(/Resource|Fn$/m);
});

it('addresses are links where the terminal has them, in columns as without', () => {
  const link = (text: string, url: string): string => `\u001B]8;;${url}\u0007${text}\u001B]8;;\u0007`;
  const endpoints = [endpoint('GET', '/a'), endpoint('GET', '/long')];
  const outputs = [{ key: 'Name', value: 'see http://h/a', description: 'x' }];
  const linked = offerText('app', { outputs, endpoints }, { ...look, link });
  expect(linked).toContain('GET     \u001B]8;;http://h/a\u0007http://h/a\u001B]8;;\u0007     Fn');
  const plain = stripVTControlCharacters(linked);
  expect(plain).toBe(offerText('app', { outputs, endpoints }, look));
});
