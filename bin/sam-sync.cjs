#!/usr/bin/env node
'use strict';

void require('./start.cjs').start('sam-sync');
