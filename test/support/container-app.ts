/** A function of Python and one of Node.js, whose package has a script. */
export const CONTAINER_TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Py:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: py, Handler: app.handler, Runtime: python3.11 }
  Js:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: js, Handler: app.handler, Runtime: nodejs22.x }
`;

/** A script that waits in the container until it is ended. */
export const WAITING = `node -e "console.log('waiting'); setTimeout(() => {}, 600000)"`;

/** The package.json of the Node.js function, with the script that npm runs when it packs the code. */
export const packageJson = (prepack: string): string =>
  JSON.stringify({ name: 'js', version: '1.0.0', scripts: { prepack }, dependencies: { 'is-number': '7.0.0' } });

/** The certificates of the container, with which npm trusts a registry behind a proxy. */
export const CERTIFICATES = { NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' };
