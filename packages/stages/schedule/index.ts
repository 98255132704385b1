export { type Standing, type SweepPorts, sweep } from './sweep.ts';
