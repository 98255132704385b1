export { openRedisBudget, type RedisBudgetOptions } from './open-redis-budget.ts';
