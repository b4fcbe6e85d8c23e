const zipped = (folder: string, handler: string, runtime: string): string => `
    Type: AWS::Serverless::Function
    Properties: { CodeUri: ${folder}, Handler: '${handler}', Runtime: ${runtime} }
`;
const image = (folder: string): string => `
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image }
    Metadata: { DockerContext: ${folder}, Dockerfile: Dockerfile }
`;
const FUNCTIONS = {
  Py: zipped('py', 'app.handler', 'python3.11'),
  // its package has a script
  Js: zipped('js', 'app.handler', 'nodejs22.x'),
  // with the wrapper of the build tool
  Gr: zipped('gr', 'app.App::handle', 'java17'),
  Mv: zipped('mv', 'app.App::handle', 'java17'),
  Mk: `
    Type: AWS::Serverless::Function
    Properties: { CodeUri: mk, Handler: app.handler, Runtime: provided.al2023 }
    Metadata: { BuildMethod: makefile }
`,
  Img: image('img'),
  Own: image('own'),
};

/** A template of these functions. */
export function containerTemplate(...ids: (keyof typeof FUNCTIONS)[]): string {
  return `Transform: AWS::Serverless-2016-10-31\nResources:\n${ids.map((id) => `  ${id}:${FUNCTIONS[id]}`).join('')}`;
}

/** A function of Python and one of Node.js. */
export const CONTAINER_TEMPLATE = containerTemplate('Py', 'Js');

/** A script that waits in the container until it is ended. */
export const WAITING = `node -e "console.log('waiting'); setTimeout(() => {}, 600000)"`;

/** The package.json of the Node.js function, with the script that npm runs when it packs the code. */
export const packageJson = (prepack: string): string =>
  JSON.stringify({ name: 'js', version: '1.0.0', scripts: { prepack }, dependencies: { 'is-number': '7.0.0' } });

/** The certificates of the container, with which npm trusts a registry behind a proxy. */
export const CERTIFICATES = { NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' };

/** Counts in the tool's cache how often it ran. */
const counting = (cache: string): string => `mkdir -p "${cache}"; echo run >> "${cache}/runs"`;

/** Do by hand what our init script and Maven do: a result of the source and of the tool's cache. */
const GRADLEW = `#!/bin/sh
for word in "$@"; do case "$word" in -DsamSync.exportDir=*) out=\${word#*=};; esac; done
mkdir -p "$out/classes" "$out/lib"
${counting('$GRADLE_USER_HOME')}
cat src/App.java "$GRADLE_USER_HOME/runs" > "$out/classes/text"
`;
const MVNW = `#!/bin/sh
mkdir -p target/classes
repository=\${MAVEN_OPTS#*=}
${counting('$repository')}
cat src/App.java "$repository/runs" > target/classes/text
`;

/** A wrapper that waits in the container until it is ended. */
export const WAITING_GRADLEW = '#!/bin/sh\necho waiting; sleep 600\n';

/** The files of Java functions and of image functions; `image`: what the images are made from. */
export const moreFiles = (image: string): Record<string, string> => ({
  'gr/build.gradle': '',
  'gr/gradlew': GRADLEW,
  'gr/src/App.java': 'class App {}\n',
  'mv/pom.xml': '<project><groupId>app</groupId><artifactId>mv</artifactId><version>1</version></project>',
  'mv/mvnw': MVNW,
  'mv/src/App.java': 'class App {}\n',
  'img/Dockerfile': `FROM ${image}\nCOPY . /app\n`,
  'img/app.py': '1\n',
  'own/Dockerfile': `FROM ${image}\nCOPY . /own\n`,
});
