import { describe, expect, it } from 'vitest';
import { apiRequests, stageRequests } from '../../../../src/services/apigateway/http-api-settings.ts';
import { withKeptTags } from '../../../../src/services/apigateway/kept-tags.ts';
import { methodSettingPatches } from '../../../../src/services/apigateway/method-settings.ts';
import { routeRequests } from '../../../../src/services/apigateway/route-settings.ts';
import { joined } from '../../../../src/services/apigateway/setting-requests.ts';
import { HTTP_API, HTTP_STAGE, ROUTES } from '../../../../src/template/kinds/apigateway-settings.ts';
import { toSetting } from '../../../../src/template/kinds/direct-settings.ts';
import type { TemplateValue } from '../../../../src/template/template.ts';

describe('method settings of a stage', () => {
  const all = { ResourcePath: '/*', HttpMethod: '*' };
  type Case = [string, Parameters<typeof methodSettingPatches>, unknown];
  const CASES: Case[] = [
    ['none', [[], undefined], []],
    ['those that it has', [[{ ...all, LoggingLevel: 'INFO' }], { '*/*': { loggingLevel: 'INFO' } }], []],
    ['defaults are not sent', [[{ ...all, LoggingLevel: 'OFF', CachingEnabled: false }], {}], []],
    [
      'a new value, and one that goes back to its default',
      [
        [{ ...all, ThrottlingBurstLimit: 7 }],
        { '*/*': { throttlingBurstLimit: 5, metricsEnabled: true, throttlingRateLimit: -1 } },
      ],
      [
        { op: 'replace', path: '/*/*/metrics/enabled', value: 'false' },
        { op: 'replace', path: '/*/*/throttling/burstLimit', value: '7' },
      ],
    ],
    [
      'a limit that goes, goes with its entry',
      [[{ ...all, LoggingLevel: 'INFO' }], { '*/*': { loggingLevel: 'INFO', throttlingRateLimit: 3 } }],
      [
        { op: 'remove', path: '/*/*' },
        { op: 'replace', path: '/*/*/logging/loglevel', value: 'INFO' },
      ],
    ],
    [
      'paths, as a template and as API Gateway writes them',
      [
        [
          { ResourcePath: '/', HttpMethod: 'GET', MetricsEnabled: true },
          { ResourcePath: '/~1pets~1{id}', HttpMethod: 'PUT', MetricsEnabled: true },
        ],
        { '~1pets~1{id}/PUT': { metricsEnabled: true }, '~1gone/GET': { metricsEnabled: true } },
      ],
      [
        { op: 'remove', path: '/~1gone/GET' },
        { op: 'replace', path: '/~1/GET/metrics/enabled', value: 'true' },
      ],
    ],
    ['a path of another form waits', [[{ ResourcePath: '/pets/dogs', HttpMethod: 'GET' }], {}], undefined],
    ['an entry twice waits', [[all, all], {}], undefined],
  ];
  it.each(CASES)('%s', (_, [wanted, shown], patches) => {
    expect(methodSettingPatches(wanted, shown)).toEqual(patches);
  });
});

describe('settings of HTTP APIs', () => {
  const place = { ApiId: 'a', StageName: 's' };
  const of = (table: typeof HTTP_API, name: string, value: TemplateValue) => {
    const property = table[name];
    const setting = property && toSetting(property, value);
    if (property === undefined || setting === undefined) throw new Error(`${name} has another form`);
    return { property, value: setting, secrets: [] };
  };
  const stage = (name: string, value: TemplateValue, shown: object): unknown =>
    stageRequests(place, { $metadata: {}, StageName: 's', ...shown }, of(HTTP_STAGE, name, value));
  const api = (name: string, value: TemplateValue, shown: object): unknown =>
    apiRequests('a', { $metadata: {}, ...shown }, of(HTTP_API, name, value));

  it('remove what goes', () => {
    expect(stage('StageVariables', { TWO: 'b' }, { StageVariables: { ONE: 'a' } })).toEqual([
      { operation: 'UpdateStage', input: { ...place, StageVariables: { ONE: '', TWO: 'b' } } },
    ]);
    expect(stage('AccessLogSettings', null, { AccessLogSettings: { DestinationArn: 'd', Format: 'f' } })).toEqual([
      { operation: 'DeleteAccessLogSettings', input: place },
    ]);
    expect(api('CorsConfiguration', false, { CorsConfiguration: { AllowOrigins: ['*'] } })).toEqual([
      { operation: 'DeleteCorsConfiguration', input: { ApiId: 'a' } },
    ]);
  });

  it('of one route come, change and go, and those of others stay', () => {
    const RouteKey = 'GET /a';
    const deletion = { operation: 'DeleteRouteSettings', input: { ...place, RouteKey } };
    const update = (settings: object) => ({
      operation: 'UpdateStage',
      input: { ...place, RouteSettings: { [RouteKey]: settings } },
    });
    const other = { 'GET /b': { ThrottlingBurstLimit: 1 } };
    const route = (value: TemplateValue, shown?: object): unknown => {
      const RouteSettings = { ...other, ...(shown === undefined ? {} : { [RouteKey]: shown }) };
      return routeRequests(place, { RouteSettings }, { ...of(ROUTES, 'RouteSettings', value), RouteKey });
    };
    expect(route({ ThrottlingRateLimit: 5 })).toEqual([update({ ThrottlingRateLimit: 5 })]);
    expect(route({ ThrottlingRateLimit: 6 }, { ThrottlingRateLimit: 5 })).toEqual([update({ ThrottlingRateLimit: 6 })]);
    expect(route({ ThrottlingRateLimit: 5 }, { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 1 })).toEqual([
      deletion,
      update({ ThrottlingRateLimit: 5 }),
    ]);
    expect(route(null, { ThrottlingRateLimit: 5 })).toEqual([deletion]);
    expect(route(null)).toEqual([]);
    const shown = { ThrottlingRateLimit: 5, LoggingLevel: 'OFF', DataTraceEnabled: false };
    expect(route({ ThrottlingRateLimit: 5, DetailedMetricsEnabled: false }, shown)).toEqual([]);
    expect(route({ ThrottlingRateLimit: 5 }, { ...shown, DetailedMetricsEnabled: true })).toEqual([
      deletion,
      update({ ThrottlingRateLimit: 5 }),
    ]);
  });

  it('are not sent again', () => {
    expect(stage('StageVariables', { ONE: 1 }, { StageVariables: { ONE: '1' } })).toEqual([]);
    expect(stage('AccessLogSettings', null, {})).toEqual([]);
    expect(api('CorsConfiguration', null, {})).toEqual([]);
    expect(
      api(
        'CorsConfiguration',
        { AllowOrigins: ['*'], MaxAge: '60' },
        { CorsConfiguration: { AllowOrigins: ['*'], MaxAge: 60 } },
      ),
    ).toEqual([]);
  });

  it('of one resource go in one request', () => {
    const update = (part: object) => ({ operation: 'UpdateStage' as const, input: { ...place, ...part } });
    const other = { operation: 'DeleteAccessLogSettings' as const, input: place };
    expect(joined([update({ Description: 'd' }), other, update({ StageVariables: {} })])).toEqual([
      update({ Description: 'd', StageVariables: {} }),
      other,
    ]);
  });
});

describe('tags', () => {
  it('of one resource go in one request', () => {
    const tag = (ResourceArn: string, Tags: Record<string, string>) =>
      ({ operation: 'TagResource', input: { ResourceArn, Tags } }) as const;
    const untag = (resourceArn: string, ...tagKeys: string[]) =>
      ({ operation: 'UntagRestResource', input: { resourceArn, tagKeys } }) as const;
    expect(
      joined([
        tag('api', { a: '1' }),
        tag('stage', { a: '1' }),
        tag('api', { b: '2' }),
        untag('x', 'c'),
        untag('x', 'd'),
      ]),
    ).toEqual([tag('api', { a: '1', b: '2' }), tag('stage', { a: '1' }), untag('x', 'c', 'd')]);
  });

  it('of the stack and of people stay when a definition is imported', () => {
    const written = (...names: string[]) =>
      names.map((name) => ({ name, 'x-amazon-apigateway-tag-value': `${name}'s value` }));
    const tags = { own: 'deployed', stack: "stack's value", gone: 'x', 'aws:cloudformation:stack-name': 'y' };
    expect(withKeptTags({ tags: written('own') }, tags, ['Tags.gone'])).toEqual({ tags: written('own', 'stack') });
    expect(withKeptTags({ openapi: '3.0.1' }, {}, [])).toEqual({ openapi: '3.0.1' });
  });
});
