export { pypiRebuild } from './strategy.ts';
