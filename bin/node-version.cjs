'use strict';

// In the syntax of the first Node.js: it must parse where nothing else of this program does

/**
 * Returns whether this Node.js can run the program. Prints why not.
 * @param {string} version of Node.js, by default this one
 */
module.exports = function isSupported(version) {
  var manifest = require('../package.json');
  var needed = manifest.engines.node.replace('>=', '');
  var found = version || process.versions.node;
  if (compare(found, needed) >= 0) return true;
  console.error(manifest.name + ' needs Node.js ' + needed + ' or newer, but this is Node.js ' + found + '.');
  console.error('  It runs ' + process.execPath + '. Install a newer version: https://nodejs.org/en/download');
  process.exitCode = 1;
  return false;
};

function compare(a, b) {
  var left = a.split('.');
  var right = b.split('.');
  for (var i = 0; i < right.length; i++) {
    var difference = Number(left[i]) - Number(right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}
