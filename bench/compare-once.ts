import { readFileSync } from 'node:fs';
import process from 'node:process';
import { compareArtifacts, explainComparison } from '@granary/core/compare';
import { pypi } from '@granary/ecosystem-pypi';

/** Compares pairs of wheels and prints what differs: for one pair, what one run of diffoscope does. */
const files = process.argv.slice(2);
if (files.length === 0 || files.length % 2 === 1) throw new Error('usage: compare-once.ts (UPSTREAM REBUILD)…');
for (let at = 0; at < files.length; at += 2) {
  const rules = pypi.rebuilding.rulesOf(files[at] ?? '');
  const [upstream, rebuild] = files.slice(at, at + 2).map((file) => readFileSync(file));
  if (rules === undefined || upstream === undefined || rebuild === undefined) throw new Error(`compare ${files[at]}: no rules are known for it`);
  process.stdout.write(explainComparison(await compareArtifacts({ upstream, rebuild, rules })));
}
