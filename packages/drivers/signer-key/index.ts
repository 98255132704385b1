export { type KeyCode, KeyError } from './key-error.ts';
export { exportPublicKey, hasSiteKeys, openSiteKeys, ROLES, type Role, type SiteKeys, type SiteKeysOptions } from './site-keys.ts';
