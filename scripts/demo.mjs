// npm run demo: installs dependencies, starts the local cloud, syncs examples/hello-world to it, calls the application,
// changes a line, syncs again and shows the new response. Works on a copy of the example.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { installAndBuild, root } from './install.mjs';

installAndBuild();

const app = path.join(root, '.cache', 'demo', 'hello-world');
const sam = path.join(root, 'bin', 'sam.cjs');
const samSync = path.join(root, 'bin', 'sam-sync.cjs');
const port = process.env.SAM_SYNC_CLOUD_PORT ?? '4566';

fs.rmSync(app, { recursive: true, force: true });
fs.cpSync(path.join(root, 'examples', 'hello-world'), app, {
  recursive: true,
  filter: (source) => !/[\\/](?:\.aws-sam|node_modules)$/.test(source),
});

const wasRunning = spawnSync(process.execPath, [samSync, 'cloud', 'status'], { stdio: 'ignore' }).status === 0;
try {
  show('$ sam sync --local');
  sync([]);
  const { outputs } = JSON.parse(sync(['--output', 'json']));

  show('Invoke the Python function:');
  console.log(await invoke(outputs.HelloPython, {}));
  show('GET /hello of the REST API:');
  console.log(await get(`/restapis/${outputs.RestApi}/dev/_user_request_/hello`));
  show('GET /hello of the HTTP API:');
  console.log(await get('/hello', `${outputs.HttpApi}.execute-api.localhost:${port}`));
  show('Run the state machine:');
  console.log(await runStateMachine(outputs.GreetAndOrder, { name: 'Ada' }));

  show("Change a line of the layer's code and sync again:");
  const file = path.join(app, 'greetings', 'greetings.py');
  fs.writeFileSync(
    file,
    fs.readFileSync(file, 'utf8').replace('with words from a layer', 'with NEW words from a layer'),
  );
  sync([]);
  show('Invoke the Python function:');
  const answer = await invoke(outputs.HelloPython, {});
  console.log(answer);
  if (!answer.includes('NEW words')) throw new Error('the change did not arrive');
  show('It works. To try it yourself:');
  console.log('  cd examples/hello-world && node ../../bin/sam.mjs sync --local');
} finally {
  if (!wasRunning) spawnSync(process.execPath, [samSync, 'cloud', 'stop'], { stdio: 'inherit' });
}

function show(title) {
  console.log(`\n\u001B[1m${title}\u001B[0m`);
}

/** Runs `sam sync --local`. Returns its standard output for `--output json`. */
function sync(args) {
  const json = args.includes('json');
  const result = spawnSync(process.execPath, [sam, 'sync', '--local', ...args], {
    cwd: app,
    encoding: 'utf8',
    stdio: ['inherit', json ? 'pipe' : 'inherit', json ? 'pipe' : 'inherit'],
  });
  if (result.status !== 0) {
    if (json) process.stderr.write(result.stderr);
    throw new Error(`sam sync ended with exit code ${result.status}`);
  }
  return result.stdout;
}

function invoke(functionName, event) {
  return request({
    method: 'POST',
    path: `/2015-03-31/functions/${functionName}/invocations`,
    headers: authorization('lambda'),
    body: JSON.stringify(event),
  });
}

function get(requestPath, host) {
  return request({ method: 'GET', path: requestPath, headers: host ? { host } : {} });
}

async function runStateMachine(stateMachineArn, input) {
  const { executionArn } = await callStepFunctions('StartExecution', { stateMachineArn, input: JSON.stringify(input) });
  for (;;) {
    const { status, output, cause } = await callStepFunctions('DescribeExecution', { executionArn });
    if (status === 'SUCCEEDED') return output;
    if (status !== 'RUNNING') throw new Error(`the execution ended as ${status}: ${cause}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function callStepFunctions(operation, body) {
  const headers = {
    ...authorization('states'),
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `AWSStepFunctions.${operation}`,
  };
  return JSON.parse(await request({ method: 'POST', path: '/', headers, body: JSON.stringify(body) }));
}

/** Returns a header that names the service. The local cloud does not check signatures. */
function authorization(service) {
  const scope = `test/20260101/us-east-1/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none` };
}

function request({ method, path: requestPath, headers, body }) {
  return new Promise((resolve, reject) => {
    const call = http.request({ host: '127.0.0.1', port, method, path: requestPath, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode < 300) resolve(text);
        else reject(new Error(`${method} ${requestPath}: ${response.statusCode} ${text}`));
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
