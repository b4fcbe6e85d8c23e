import { describe, expect, it } from 'vitest';
import type { OpenedApplication } from '../../../src/sync/open-application.ts';
import type { SyncRun } from '../../../src/sync/sync-run.ts';
import {
  TEMPLATES_ONLY,
  initialSnapshot,
  isDeployed,
  withInputs,
  withPrepared,
  withRun,
  withSynced,
  withTemplates,
  withUndeployed,
} from '../../../src/watch/application-snapshot.ts';
import { describeAhead } from '../../../src/watch/session-reports.ts';
import type { ApplicationSnapshot } from '../../../src/watch/application-snapshot.ts';
import type { WatchTools } from '../../../src/watch/watch-tools.ts';
import type { WatchedResources } from '../../../src/watch/watched-resources.ts';

const TOOLS = {} as WatchTools;
const runWith = (options: object): SyncRun => ({ options, environment: {} }) as unknown as SyncRun;
const open = (options: object = {}): ApplicationSnapshot => initialSnapshot(runWith(options), TOOLS);
const prepared = (deployed: object): OpenedApplication =>
  ({ bucket: 'managed', recreate: false, deployed }) as unknown as OpenedApplication;
const input = (path: string) => [{ path, excludes: [] }];

describe('the snapshot of a watched application', () => {
  it('is the same one if builds were made of the same files', () => {
    const first = withInputs(open(), new Map([['A', input('/a')]]));
    expect(withInputs(first, new Map([['A', input('/a')]]))).toBe(first);
    const second = withInputs(first, new Map([['B', input('/b')]]));
    expect([...second.inputs.keys()]).toEqual(['A', 'B']);
    expect([...first.inputs.keys()]).toEqual(['A']);
  });

  it('knows what the last sync of a resource applied, until that is in doubt or the options change', () => {
    const synced = withSynced(
      open(),
      new Map([
        ['A', 'one'],
        ['B', 'two'],
      ]),
    );
    expect([...withSynced(synced, new Map([['A', undefined]])).synced]).toEqual([['B', 'two']]);
    expect(withRun(synced, runWith({}), TOOLS).synced.size).toBe(0);
  });

  it('drops what it knows of removed resources', () => {
    const before = withSynced(
      withInputs(
        open(),
        new Map([
          ['A', input('/a')],
          ['Gone', input('/g')],
        ]),
      ),
      new Map([
        ['A', 'one'],
        ['Gone', 'x'],
      ]),
    );
    const resources = {
      selected: new Set(['A']),
      syncMethod: (id: string) => (id === 'A' ? 'code' : undefined),
    } as unknown as WatchedResources;
    const after = withTemplates(before, resources, { templates: new Set(['/template.yaml']), settings: new Map() });
    expect([[...after.inputs.keys()], [...after.synced.keys()]]).toEqual([['A'], ['A']]);
  });

  it('may delete a stack that it is the first to create', () => {
    expect(withPrepared(open(), prepared({ stack: undefined })).prepared?.recreate).toBe(true);
    expect(withPrepared(open(), prepared({ stack: {} })).prepared?.recreate).toBe(false);
  });

  it('chooses the bucket again only if the option changes', () => {
    const begun = withPrepared(open(), prepared({ stack: {} }));
    expect(withRun(begun, runWith({ tail: true }), TOOLS).prepared?.bucket).toBe('managed');
    expect(withRun(begun, runWith({ s3Bucket: 'mine' }), TOOLS).prepared?.bucket).toBe('');
  });

  it('collects the reasons for a deployment', () => {
    const none = { ...open(), undeployed: TEMPLATES_ONLY };
    const { undeployed } = withUndeployed(withUndeployed(none, { ...TEMPLATES_ONLY, options: true }), {
      ...TEMPLATES_ONLY,
      beyondTemplates: true,
    });
    expect(undeployed).toEqual({ options: true, values: false, beyondTemplates: true });
  });

  it('finds a resource in the templates deployed last, else in the template that the stack has', () => {
    const begun = withPrepared(open(), prepared({ template: { Resources: { Old: {} } } }));
    expect([isDeployed(begun, 'Old'), isDeployed(begun, 'New')]).toEqual([true, false]);
    const child = { logicalId: 'Child', source: { Resources: { Fn: {} } }, resolved: {}, children: [] };
    const deployedRoot = { source: { Resources: { New: {} } }, resolved: {}, children: [child] };
    const deployed = { ...begun, deployedRoot } as unknown as ApplicationSnapshot;
    const ids = ['Old', 'New', 'Child/Fn', 'Child/Other', 'constructor'];
    expect(ids.filter((id) => isDeployed(deployed, id))).toEqual(['New', 'Child/Fn']);
    expect(isDeployed(open({ code: true }), 'Any')).toBe(true);
  });

  it('names what is ahead of the stack once', () => {
    const snapshot = {
      ...open({ stackName: 'app' }),
      ahead: { Rest: ['Events', 'Tags.A'] },
      definitionsAhead: new Map([['Rest', ['Events', 'Auth']]]),
      revised: new Set(['Site']),
    };
    expect(describeAhead(snapshot)).toContain('app is behind: Events, Tags.A, Auth of Rest; code of Site took effect');
    expect(describeAhead(open())).toBeUndefined();
  });
});
