#!/usr/bin/env node
// for a checkout; what npm installs is sam-sync.cjs, which starts 8 ms sooner: Node loads its machinery for ES modules only if one is loaded
import './sam-sync.cjs';
