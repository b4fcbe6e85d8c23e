import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { expect } from 'vitest';
import { compareTemplates } from '../../src/deploy/compare-templates.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { clients } from './cloud.ts';
import type { WatchedApp } from './watched-app.ts';

/** Checks that the stack's own template means what the file says. */
export async function isDeployedAsWritten(
  { cloud, stackName: StackName }: Pick<WatchedApp, 'cloud' | 'stackName'>,
  text: string,
): Promise<void> {
  const { cloudformation } = clients(cloud.endpoint);
  const { TemplateBody = '' } = await cloudformation.send(
    new GetTemplateCommand({ StackName, TemplateStage: 'Original' }),
  );
  const differences = compareTemplates(parseTemplate(TemplateBody, 'deployed'), parseTemplate(text, 'file'));
  const others = differences.filter(
    ({ path }) => !['CodeUri', 'Location', 'Metadata'].includes(path[3] ?? path[2] ?? ''),
  );
  expect(others).toEqual([]);
}
