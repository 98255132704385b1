import { describe } from 'vitest';
import { catalogContract } from '../suites/index.ts';
import { memoryCatalog } from './index.ts';

describe('the catalog in memory', () => catalogContract(memoryCatalog));
