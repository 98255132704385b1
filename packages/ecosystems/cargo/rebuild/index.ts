export { cargoRebuilding } from './strategy.ts';
