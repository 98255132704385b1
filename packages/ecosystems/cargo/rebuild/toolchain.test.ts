import { expect, it } from 'vitest';
import { cargoToolchain } from './toolchain.ts';

it('runs the cargo of the root filesystem', () => {
  const version = (...packages: readonly (readonly [string, string])[]) =>
    cargoToolchain.runtimeVersion(
      packages.map(([name, of]) => ({ name, version: of })),
      new Map(),
    );

  expect(version(['git', '1:2.39.5-0+deb12u2'], ['cargo-web', '1.85.0+dfsg3-1~deb12u3'])).toBe('1.85.0');
  expect(version(['git', '1:2.39.5-0+deb12u2'])).toBeUndefined();
});
