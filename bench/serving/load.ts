import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** What wrk runs: a fixed sequence of draws from a Zipf distribution (exponent 1), the same for every server. */
const SCRIPT = `
local paths = {}
for line in io.lines(os.getenv('BENCH_PATHS')) do paths[#paths + 1] = line end
local cumulative, total = {}, 0
for rank = 1, #paths do
  total = total + 1 / rank
  cumulative[rank] = total
end
math.randomseed(42)
local function draw()
  local wanted, low, high = math.random() * total, 1, #paths
  while low < high do
    local middle = math.floor((low + high) / 2)
    if cumulative[middle] < wanted then low = middle + 1 else high = middle end
  end
  return low
end
local draws, at = {}, 0
for index = 1, 200000 do draws[index] = draw() end
local requests = {}
init = function()
  for rank = 1, #paths do requests[rank] = wrk.format('GET', '/' .. paths[rank], { ['Accept'] = os.getenv('BENCH_ACCEPT') }) end
end
request = function()
  at = at % #draws + 1
  return requests[draws[at]]
end
done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('RESULT {"requests":%d,"microseconds":%d,"bytes":%d,"failed":%d,"p99":%d}\\n', summary.requests, summary.duration, summary.bytes, failed, latency:percentile(99)))
end
`;

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly failed: number;
  readonly p99Ms: number;
}

/** Drives one server for a while with 32 connections from one thread. */
export function load(url: string, what: { readonly paths: string; readonly script: string; readonly seconds: number; readonly accept: string }): LoadResult {
  writeFileSync(what.script, SCRIPT);
  const output = execFileSync('wrk', ['-t1', '-c32', `-d${what.seconds}s`, '-s', what.script, url], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_PATHS: what.paths, BENCH_ACCEPT: what.accept },
  });
  const [, json = ''] = /RESULT (\{.*\})/.exec(output) ?? [];
  const { requests, microseconds, failed, p99 } = JSON.parse(json);
  return { requestsPerSecond: (requests * 1e6) / microseconds, failed, p99Ms: p99 / 1000 };
}
