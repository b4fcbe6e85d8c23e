import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRoleAssumer, sessionCacheKey, type AssumeRoleRequest } from '../../../src/aws/assume-role.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const ROLE = 'arn:aws:iam::123456789012:role/dev';
const DEVICE = 'arn:aws:iam::123456789012:mfa/me';
const SOURCE = { accessKeyId: 'source', secretAccessKey: 'secret' };
const AS_THE_SDK = { RoleArn: ROLE, RoleSessionName: 'aws-sdk-js-1795349680000', DurationSeconds: 3600 };

// keys that botocore computed for the same requests
it.each<[string, AssumeRoleRequest, string]>([
  ['only the role', AS_THE_SDK, 'af854889538ac1a069a8274d5ee4dc500f8b1f91'],
  ['an MFA device', { ...AS_THE_SDK, SerialNumber: DEVICE }, 'a5fd2ff06f2acd0ca65018e2175875ad57c924cb'],
  [
    'session name, external id, duration',
    { RoleArn: ROLE, RoleSessionName: 'me', ExternalId: 'x"y', DurationSeconds: 900 },
    'eea0f42477f624fc3bfb3a30142ebbe44f496ccd',
  ],
])("finds the AWS CLI's cache file: %s", (_name, request, key) => expect(sessionCacheKey(request)).toBe(key));

function session(expiration: string) {
  return {
    Credentials: { AccessKeyId: 'role', SecretAccessKey: 's', SessionToken: 't', Expiration: expiration },
    AssumedRoleUser: { Arn: 'arn:aws:sts::999999999999:assumed-role/dev/me' },
  };
}

const LATER = new Date(Date.now() + 3_600_000).toISOString();

describe('assuming a role', () => {
  it('asks for the code and STS once; the session is kept for the next run, readable by its owner alone', async () => {
    const awsFolder = await tempFolder();
    const requests: AssumeRoleRequest[] = [];
    const assume = createRoleAssumer({
      awsFolder,
      askMfaCode: (device) => Promise.resolve(device === DEVICE ? '123456' : 'wrong device'),
      assumeRole: (_source, request) => {
        requests.push(request);
        return Promise.resolve(session(LATER));
      },
    });
    const request = { ...AS_THE_SDK, SerialNumber: DEVICE, TokenCode: '' };
    const identity = await assume(SOURCE, request);
    expect(identity).toMatchObject({ accessKeyId: 'role', sessionToken: 't', accountId: '999999999999' });
    expect(await assume(SOURCE, request)).toEqual(identity);
    expect(requests).toEqual([
      expect.objectContaining({ TokenCode: '123456', RoleSessionName: expect.stringMatching(/^sam-sync-\d+$/) }),
    ]);
    const file = path.join(awsFolder, 'cli', 'cache', `${sessionCacheKey(request)}.json`);
    if (process.platform !== 'win32') expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['cli', LATER],
    ['boto', LATER.replace(/\.\d+Z$/, 'UTC')],
  ])('uses the session that another tool keeps in %s', async (folder, expiration) => {
    const key = sessionCacheKey(AS_THE_SDK);
    const awsFolder = await tempFolder({ [`${folder}/cache/${key}.json`]: JSON.stringify(session(expiration)) });
    const assume = createRoleAssumer({
      awsFolder,
      askMfaCode: undefined,
      assumeRole: () => Promise.reject(new Error('STS must not be asked')),
    });
    const identity = await assume(SOURCE, AS_THE_SDK);
    expect(identity.accessKeyId).toBe('role');
    expect(Math.abs(Number(identity.expiration) - Date.parse(LATER))).toBeLessThan(1_000);
  });

  it.each([
    ['an expired session', JSON.stringify(session(new Date(Date.now() + 60_000).toISOString()))],
    ['a damaged file', '{"Credentials":'],
    ['an incomplete one', '{"Credentials":{"AccessKeyId":"a"}}'],
    ['null', 'null'],
    ['a text where keys should be', '{"Credentials":"x"}'],
  ])('%s is not used', async (_name, content) => {
    const awsFolder = await tempFolder({ [`cli/cache/${sessionCacheKey(AS_THE_SDK)}.json`]: content });
    const fresh = session(LATER);
    fresh.Credentials.AccessKeyId = 'fresh';
    const assume = createRoleAssumer({ awsFolder, askMfaCode: undefined, assumeRole: () => Promise.resolve(fresh) });
    expect((await assume(SOURCE, AS_THE_SDK)).accessKeyId).toBe('fresh');
  });

  it('a user in it that has another shape does not matter', async () => {
    const kept = { ...session(LATER), AssumedRoleUser: { Arn: 5 } };
    const awsFolder = await tempFolder({ [`cli/cache/${sessionCacheKey(AS_THE_SDK)}.json`]: JSON.stringify(kept) });
    const assumeRole = (): Promise<never> => Promise.reject(new Error('STS must not be asked'));
    const assume = createRoleAssumer({ awsFolder, askMfaCode: undefined, assumeRole });
    expect((await assume(SOURCE, AS_THE_SDK)).accessKeyId).toBe('role');
  });

  it('nobody to ask for the code: says what to do', async () => {
    const awsFolder = await tempFolder();
    const assume = createRoleAssumer({
      awsFolder,
      askMfaCode: undefined,
      assumeRole: () => Promise.reject(new Error()),
    });
    await expect(assume(SOURCE, { ...AS_THE_SDK, SerialNumber: DEVICE })).rejects.toThrow(
      `The role ${ROLE} needs a code of the MFA device ${DEVICE}`,
    );
  });
});
