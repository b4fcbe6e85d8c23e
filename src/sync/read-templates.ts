import * as path from 'node:path';
import { buildStoreDir } from '../builder/build-options.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { openParsedTemplates } from '../model/parsed-templates.ts';
import { readStacks } from '../model/read-stacks.ts';
import type { ReadStacksInput } from '../model/read-stacks.ts';
import type { Stack } from '../model/stack.ts';
import { PROGRAM_VERSION } from '../support/program-version.ts';
import { changesParameters, deployedParameters, keptParameters } from './stack-parameters.ts';
import type { SyncRun } from './sync-run.ts';

/** How the templates of a run are read. */
export interface TemplateReading {
  region: string;
  /**
   * The deployed stack, whose parameters fill in what the options leave open. Called once, with the templates as read without
   * it; undefined: its parameters do not matter, or there is no stack.
   */
  stack(root: Stack): Promise<DeployedStack | undefined>;
  /** Given if a deployment follows: the templates must be valid, with the parameters that this stack keeps. */
  deployTo?: (() => Promise<DeployedStack | undefined>) | undefined;
  /** Receives each template and included file, also if reading fails. */
  onRead?: ((file: string) => void) | undefined;
}

/**
 * Reads the templates with the values that the stack's parameters have or will have: those given now, else those of the
 * deployed stack (a deployment keeps them too), else the defaults. Reports the templates' warnings once.
 */
export async function readTemplatesAsDeployed(
  { options, environment }: Pick<SyncRun, 'options' | 'environment'>,
  { region, stack, deployTo, onRead }: TemplateReading,
): Promise<Stack> {
  const { reporter } = environment;
  const { overridesElsewhere } = options;
  const validation = deployTo && { keptParameters: () => namesOfKept(deployTo), overridesElsewhere };
  const written = await readTemplates(options, { region, deployed: {}, reporter, onRead, validation });
  const deployed = await stack(written);
  const values = deployed && deployedParameters(written, deployed);
  if (!values || !changesParameters(written, values, options)) return written;
  return readTemplates(options, { region, deployed: values, reporter: SILENT, validation });
}

/** The parameters that the stack keeps; undefined if it cannot be read, which its reader reports. */
async function namesOfKept(
  deployTo: () => Promise<DeployedStack | undefined>,
): Promise<ReadonlySet<string> | undefined> {
  try {
    return keptParameters(await deployTo());
  } catch {
    return undefined;
  }
}

/** For work whose warnings were reported before. */
const SILENT: Reporter = { report: () => {} };

async function readTemplates(
  options: SyncRun['options'],
  {
    region,
    deployed,
    reporter,
    onRead,
    validation,
  }: {
    region: string;
    deployed: Readonly<Record<string, string>>;
    reporter: Reporter;
    onRead?: TemplateReading['onRead'];
    validation: ReadStacksInput['validation'];
  },
): Promise<Stack> {
  const { templateFile, baseDir, parameterOverrides, languageExtensions, projectDir, stackName } = options;
  const started = performance.now();
  // tests of src/ parse each time
  const parsed =
    PROGRAM_VERSION === undefined
      ? undefined
      : openParsedTemplates(path.join(buildStoreDir(projectDir), 'templates'), PROGRAM_VERSION);
  const { root, warnings } = await readStacks({
    templateFile,
    baseDir,
    parameterOverrides: { ...deployed, ...parameterOverrides },
    languageExtensions,
    cwd: projectDir,
    pseudo: { region, stackName },
    onRead,
    parsed,
    validation,
  });
  await parsed?.save();
  for (const { file, line, message } of warnings) {
    note(reporter, 'warning', `${line === undefined ? file : `${file}:${line}`}: ${message}`);
  }
  reporter.report({ type: 'phase', name: 'read templates', ms: performance.now() - started });
  return root;
}
