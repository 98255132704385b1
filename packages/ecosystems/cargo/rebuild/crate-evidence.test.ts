import { describe, expect, it } from 'vitest';
import { readCrateEvidence } from './crate-evidence.ts';
import { crateBytes, type Files, lockText, VCS_INFO, WRITTEN } from './test/small-crate.ts';

const read = (files: Files, mtime?: number) => readCrateEvidence('wick-1.0.0.crate', crateBytes(files, mtime));
const cargoOf = (files: Files, mtime?: number) => read({ 'Cargo.toml': WRITTEN, ...files }, mtime)?.parameters[0]?.value;
const LOCK = { 'Cargo.lock': lockText() };
const INFO = { '.cargo_vcs_info.json': VCS_INFO };

describe('a published crate', () => {
  it('tells which cargo packed it', () => {
    expect(cargoOf({ ...LOCK, ...INFO }, 1_153_704_088)).toBe('after 1.85');
    expect(cargoOf({ ...LOCK, ...INFO })).toBe('up to 1.85');
    expect(cargoOf(INFO)).toBe('1.57 to 1.83');
    expect(cargoOf({ '.cargo_vcs_info.json': JSON.stringify({ git: { sha1: '1' } }) })).toBe('1.55 or 1.56');
    expect(cargoOf({ 'Cargo.toml': '# If you believe there is an error in this file\n[package]\n' })).toBe('up to 1.54');
  });

  it('tells whether cargo saw a repository', () => {
    expect(read({ 'Cargo.toml': WRITTEN, ...INFO })?.versionControl).toBe('git');
    expect(read({ 'Cargo.toml': WRITTEN })).toMatchObject({ versionControl: 'none', parameters: [{}, { name: 'version control', value: 'none' }] });
    expect(read({ 'Cargo.toml': WRITTEN, '.gitignore': 'target\n' })?.versionControl).toBe('no-commit');
    expect(read({ 'Cargo.toml': WRITTEN, 'data/.keep': '' })?.versionControl).toBe('no-commit');
  });

  it('is none without a manifest, and may name its commit in no way that can be read', () => {
    expect(read(INFO)).toBeUndefined();
    expect(cargoOf({ '.cargo_vcs_info.json': '[' })).toBe('1.55 or 1.56');
    expect(cargoOf({ '.cargo_vcs_info.json': JSON.stringify({ git: '1'.repeat(40) }) })).toBe('1.55 or 1.56');
    expect(() => readCrateEvidence('wick-1.0.0.crate', new Uint8Array(10))).toThrow(/gzip/i);
  });

  it('has no lock where that is larger than any', () => {
    expect(read({ 'Cargo.toml': WRITTEN, 'Cargo.lock': '#'.repeat(4 * 2 ** 20) })?.lock).toHaveLength(4 * 2 ** 20);
    expect(read({ 'Cargo.toml': WRITTEN, 'Cargo.lock': '#'.repeat(4 * 2 ** 20 + 1) })?.lock).toBeUndefined();
  });
});
