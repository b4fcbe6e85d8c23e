// A docker for the fault tables, as there is no registry of Amazon ECR on this machine: an image is the text of a file in its
// context, and a push puts it into the ECR of the local cloud. Keeps what it knows in the folder FAULT_DOCKER.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const folder = process.env.FAULT_DOCKER;
const [command, ...args] = process.argv.slice(2);
const place = (name) => path.join(folder, encodeURIComponent(name));
const textOf = (name) => (fs.existsSync(place(name)) ? fs.readFileSync(place(name), 'utf8') : undefined);
const idOf = (text) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

switch (command) {
  case 'network':
    console.log('bridge');
    break;
  case 'buildx':
    process.exitCode = 1;
    break;
  case 'build': {
    const text = fs.readFileSync(path.join(args.at(-1), 'word.txt'), 'utf8');
    fs.writeFileSync(place(idOf(text)), text);
    fs.writeFileSync(args[args.indexOf('--iidfile') + 1], idOf(text));
    break;
  }
  case 'image': {
    const texts = args.slice(args.indexOf('--') + 1).flatMap((name) => textOf(name) ?? []);
    for (const text of texts) console.log(idOf(text));
    break;
  }
  case 'tag':
    fs.copyFileSync(place(args[1]), place(args[2]));
    break;
  case 'push':
    void push(args.at(-1));
    break;
}

async function push(uri) {
  const { ECRClient, PutImageCommand } = require('@aws-sdk/client-ecr');
  const [, repositoryName, imageTag] = /^[^/]+\/(.*):([^:]*)$/.exec(uri);
  const imageManifest = JSON.stringify({ schemaVersion: 2, text: textOf(uri) });
  const client = new ECRClient({ endpoint: process.env.FAULT_DOCKER_ECR, region: 'us-east-1' });
  const { image } = await client.send(new PutImageCommand({ repositoryName, imageTag, imageManifest }));
  console.log(`${imageTag}: digest: ${image.imageId.imageDigest} size: ${imageManifest.length}`);
}
