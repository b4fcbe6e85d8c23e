const ms = require('ms');

exports.handler = async () => ({ greeting: 'Hello from Node.js', timeout: ms('15m') });
