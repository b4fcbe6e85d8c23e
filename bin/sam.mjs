#!/usr/bin/env node
// for a checkout; npm installs sam.cjs, which starts 8 ms sooner: Node loads its ES module loader only for ES modules
import './sam.cjs';
