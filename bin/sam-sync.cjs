#!/usr/bin/env node
'use strict';

if (require('./node-version.cjs')()) void require('./start.cjs').start('sam-sync');
