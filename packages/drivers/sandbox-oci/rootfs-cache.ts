export { unpackedRootfs, unpackRootfs } from './rootfs/unpacked-rootfs.ts';
