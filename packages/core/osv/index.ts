export { type AffectedInterval, affectedIntervals, type CompareVersions } from './affected-intervals.ts';
export { MAX_OSV_BYTES, type OsvAffected, type OsvEvent, type OsvRange, type OsvRecord, type OsvReference, type ParsedOsv, parseOsv } from './osv-record.ts';
export { type CvssScore, cvssOf, type Severity, severityOf } from './severity.ts';
