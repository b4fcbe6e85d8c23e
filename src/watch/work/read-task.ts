import type { TemplateDifference } from '../../deploy/compare-templates.ts';
import { identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { publishedSettings } from '../../sync/configuration/published-settings.ts';
import { changedFiles } from '../../sync/configuration/setting-files.ts';
import type { SettingFiles } from '../../sync/configuration/setting-files.ts';
import { splitChanges } from '../../sync/configuration/split-changes.ts';
import type { ChangeSplit } from '../../sync/configuration/split-changes.ts';
import { isSourceProperty, kindOf } from '../../template/kinds/kinds.ts';
import { resourceOf } from '../../template/template.ts';
import { isDeployed, requireResources, TEMPLATES_ONLY, withUndeployed } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { ReadEnd } from '../loop/results.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { accessChanges } from './access-changes.ts';
import { compareStacks } from './compare-stacks.ts';
import { readTemplates } from './read-templates.ts';
import { takeOptions } from './take-options.ts';

/** Whether changes of settings take effect before they are deployed: there is something deployed to compare with. */
export function setsDirectly({ run: { options }, deployedRoot }: ApplicationSnapshot): boolean {
  return options.directConfig && !options.code && deployedRoot !== undefined;
}

/**
 * Reads changed options and templates, and finds the settings that services can set at once. Rejects if they cannot be read;
 * the deployment reads them again then and reports why.
 */
export async function readChanges(application: WatchedApplication): Promise<ReadEnd> {
  const isUrgent = application.snapshot.undeployed.beyondTemplates || (await readOptions(application));
  const root = await readTemplates(application);
  const { snapshot } = application;
  const { deployedRoot, readRoot = deployedRoot, ahead, definitionsAhead } = snapshot;
  if (deployedRoot === undefined || readRoot === undefined) return { toSync: [], deploy: 'now' };
  const undeployed = settableChanges(snapshot, deployedRoot, root);
  const { direct, rest, relocated } = settableChanges(snapshot, readRoot, root, { setsBack: true });
  const ids = [...direct.keys()].filter(
    (id) => undeployed.direct.has(id) || Object.hasOwn(ahead, id) || definitionsAhead.has(id),
  );
  const settings = ids.map((id) => {
    const names = undeployed.direct.get(id) ?? [];
    // those that are as deployed again are set back
    const back = (direct.get(id) ?? []).filter((name) => undeployed.deployed.get(id)?.has(name) !== true);
    const published = publishedSettings(deployedRoot, root, { id, names });
    return [id, { root, undeployed: names, published, compare: [...names, ...back] }] as const;
  });
  application.replace((now) => ({ ...now, readRoot: root, direct: new Map([...now.direct, ...settings]) }));
  const isAllDirect = undeployed.direct.size > 0 && rest.length === 0 && !isUrgent;
  const access = accessChanges(
    root,
    settings.map(([id, { undeployed: names }]) => [id, names]),
  );
  // what a deployment finds out about code that moved, there is none to find out now
  return isAllDirect
    ? { toSync: [...ids, ...relocated], access, deploy: 'when-quiet' }
    : { toSync: ids, access, deploy: 'now' };
}

/** Takes changed options; gives whether more than parameters changed. */
async function readOptions(application: WatchedApplication): Promise<boolean> {
  const { undeployed, run } = application.snapshot;
  if (!undeployed.options) return false;
  const isChanged = await takeOptions(application);
  const { options } = application.snapshot.run;
  const others = JSON.stringify({ ...options, parameterOverrides: run.options.parameterOverrides });
  const isMore = isChanged && others !== JSON.stringify(run.options);
  application.replace((now) =>
    withUndeployed(
      { ...now, undeployed: { ...now.undeployed, options: false } },
      { ...TEMPLATES_ONLY, values: isChanged, beyondTemplates: isMore },
    ),
  );
  return isMore;
}

interface SettableChanges extends ChangeSplit {
  /** Resources whose code is at another place. */
  relocated: ReadonlySet<ResourceIdentifier>;
}

/** Splits the difference; settings of resources that are not deployed, or not selected, are among none. */
function settableChanges(
  snapshot: ApplicationSnapshot,
  before: Stack,
  after: Stack,
  how: { setsBack?: boolean } = {},
): SettableChanges {
  const { selected, settable } = requireResources(snapshot);
  const { relocated } = compareStacks(before, after, selected);
  const isCode = (stack: Stack, { path: [, logicalId = '', , name = ''] }: TemplateDifference): boolean => {
    const { Type: type } = resourceOf(stack.resolved, logicalId);
    const isPlace = isSourceProperty(type, name) || kindOf(type)?.body?.includes(name) === true;
    return isPlace && relocated.has(identifierOf(stack.path, logicalId));
  };
  const split = splitChanges(before, after, { ...how, isCode });
  const filesOf = (root: Stack): SettingFiles => snapshot.settingFiles.get(root) ?? new Map();
  const all = new Map(split.direct);
  for (const [id, names] of changedFiles(filesOf(before), filesOf(after)))
    all.set(id, [...new Set([...(all.get(id) ?? []), ...names])]);
  const direct = [...all].filter(([id]) => (selected.has(id) || settable.has(id)) && isDeployed(snapshot, id));
  return { ...split, direct: new Map(direct), relocated };
}
