/**
 * The floor: the calls that a code sync of one function cannot do without, in a bare script, bundled as the program is.
 * `floor.mjs STACK FUNCTION-ID ZIP`
 */
import { CloudFormationClient, DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [StackName, LogicalResourceId, zip = ''] = process.argv.slice(2);
const cloudFormation = new CloudFormationClient({});
const lambda = new LambdaClient({});
const described = await cloudFormation.send(new DescribeStackResourceCommand({ StackName, LogicalResourceId }));
const FunctionName = described.StackResourceDetail?.PhysicalResourceId;
await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
let state = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: readFileSync(zip) }));
while (state.LastUpdateStatus === 'InProgress') {
  await delay(50);
  state = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
}
cloudFormation.destroy();
lambda.destroy();
