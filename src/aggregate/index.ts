export { type AggregateWorker, createAggregateWorker } from './worker';
