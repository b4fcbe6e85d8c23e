import {
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DetectStackDriftCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { clients, poll } from './cloud.ts';

/** Lists the properties that differ from the stack's template, in its nested stacks too: `Fn /MemorySize: 128, not 256`. */
export async function driftOf(endpoint: string, stackName: string): Promise<string[]> {
  const { cloudformation } = clients(endpoint);
  const { StackDriftDetectionId } = await cloudformation.send(new DetectStackDriftCommand({ StackName: stackName }));
  await poll(async () => {
    const status = await cloudformation.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId }));
    return status.DetectionStatus === 'DETECTION_COMPLETE' || undefined;
  });
  const { StackResourceDrifts = [] } = await cloudformation.send(
    new DescribeStackResourceDriftsCommand({
      StackName: stackName,
      StackResourceDriftStatusFilters: ['MODIFIED', 'DELETED'],
    }),
  );
  const own = StackResourceDrifts.flatMap(({ LogicalResourceId: id, PropertyDifferences = [] }) =>
    PropertyDifferences.map(
      ({ PropertyPath, ActualValue, ExpectedValue }) => `${id} ${PropertyPath}: ${ActualValue}, not ${ExpectedValue}`,
    ),
  );
  const { StackResourceSummaries = [] } = await cloudformation.send(
    new ListStackResourcesCommand({ StackName: stackName }),
  );
  const nested = StackResourceSummaries.filter(({ ResourceType }) => ResourceType === 'AWS::CloudFormation::Stack');
  const below = await Promise.all(nested.map(({ PhysicalResourceId = '' }) => driftOf(endpoint, PhysicalResourceId)));
  return [...own, ...below.flat()];
}
