import type { Ecosystem } from '@granary/contract/ecosystem';
import { cargo } from '@granary/ecosystem-cargo';
import { golang } from '@granary/ecosystem-golang';
import { npm } from '@granary/ecosystem-npm';
import { pypi } from '@granary/ecosystem-pypi';

/** Every ecosystem whose packages clients install. A folder that isn't listed here fails a test. */
export const ecosystems: readonly Ecosystem[] = [cargo, golang, npm, pypi];

/** By purl type. */
export function ecosystemOf(type: string): Ecosystem | undefined {
  return ecosystems.find(({ id }) => id === type);
}
