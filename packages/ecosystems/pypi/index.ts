export { pypiDemand } from './demand.ts';
export { isPureWheel, nameOf, normalizeName, normalizeVersion, packagePurl, parseFileName } from './names.ts';
export { rulesFor, sdistRules, wheelRules } from './normalize.ts';
export { parseSimplePage, type SimpleFile, type SimplePage } from './schema.ts';
export { pypiIndex } from './upstream.ts';
export { pypiViews } from './views.ts';
